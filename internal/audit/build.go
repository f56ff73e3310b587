package audit

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// appName is the actor where nobody but the program acted.
const appName = "bartizan"

// maxList bounds every list in an event; Unmapped.Truncated says that it cut.
const maxList = 64

// Origin is who acts, and from where. The zero Caller is Bartizan itself.
type Origin struct {
	Caller identity.Caller
	Source string // "ip:port" or "ip" of the connection; "" where there is none
}

// newEvent starts an event. name is the activity's OCSF caption, eventCode the
// builder's name.
func newEvent(classUID, activity int, name, eventCode string) *Event {
	c := classes[classUID]
	return &Event{
		ClassUID: c.uid, ClassName: c.name,
		CategoryUID: c.category, CategoryName: c.categoryName,
		ActivityID: activity, ActivityName: name,
		TypeUID:    c.uid*100 + activity,
		SeverityID: severityInfo.id, Severity: severityInfo.name,
		StatusID: statusSuccess.id, Status: statusSuccess.name,
		Metadata: Metadata{EventCode: eventCode, Profiles: c.profiles},
		Unmapped: &Unmapped{},
	}
}

func (e *Event) severity(c code) { e.SeverityID, e.Severity = c.id, c.name }
func (e *Event) status(c code)   { e.StatusID, e.Status = c.id, c.name }

// control fills in the profile security_control.
func (e *Event) control(action, disposition code) {
	e.ActionID, e.Action = &action.id, action.name
	e.DispositionID, e.Disposition = &disposition.id, disposition.name
}

// origin says who acted and from where.
func (e *Event) origin(o Origin) {
	actor := &Actor{AppName: appName}
	if o.Caller.Principal != "" {
		actor = &Actor{User: userOf(o.Caller)}
	}
	e.tenant(o.Caller.Tenant)
	if e.FindingInfo != nil {
		e.Evidences = []Evidence{{Actor: actor, SrcEndpoint: endpointOf(o.Source)}}
		return
	}
	e.Actor, e.SrcEndpoint = actor, endpointOf(o.Source)
}

func (e *Event) tenant(t string) {
	e.Metadata.TenantUID, e.Unmapped.Tenant = t, t
}

func userOf(c identity.Caller) *User {
	u := &User{Name: c.Principal, UID: c.Tenant + "/" + c.Principal, CredentialUID: c.KeyID}
	switch {
	case c.HasRole(identity.RoleAdmin):
		u.TypeID, u.Type = 2, "Admin"
	case c.Kind == identity.KindUser:
		u.TypeID, u.Type = 1, "User"
	case c.Kind == identity.KindService:
		u.TypeID, u.Type = 4, "Service"
	case c.Kind == identity.KindAgent:
		u.TypeID, u.Type = 99, "Agent"
	default:
		u.TypeID, u.Type = 0, "Unknown"
	}
	return u
}

func endpointOf(source string) *Endpoint {
	if ap, err := netip.ParseAddrPort(source); err == nil {
		return &Endpoint{IP: ap.Addr().Unmap().WithZone("").String(), Port: int(ap.Port())}
	}
	if a, err := netip.ParseAddr(source); err == nil {
		return &Endpoint{IP: a.Unmap().WithZone("").String()}
	}
	return &Endpoint{SvcName: appName}
}

// lists puts rules and pointers in, each once, in order, within maxList.
func (u *Unmapped) lists(rules, pointers []string) {
	u.Rules, u.Pointers = u.list(rules), u.list(pointers)
}

func (u *Unmapped) list(in []string) []string {
	var out []string
	for _, s := range in {
		if slices.Contains(out, s) {
			continue
		}
		if len(out) == maxList {
			u.Truncated = true
			break
		}
		out = append(out, s)
	}
	return out
}

// verdict puts a verdict in. Rules and pointers that the caller did not choose
// are those of the findings.
func (u *Unmapped) verdict(v *Verdict) {
	if v == nil {
		return
	}
	u.Phase, u.Verdict, u.Unexamined = v.Phase, v.Action, v.Unexamined
	u.Findings = v.Findings[:min(len(v.Findings), maxList)]
	u.Failures = v.Failures[:min(len(v.Failures), maxList)]
	u.Flow = v.Flow[:min(len(v.Flow), maxList)]
	if len(v.Findings) > maxList || len(v.Failures) > maxList || len(v.Flow) > maxList {
		u.Truncated = true
	}
	var rules, pointers []string
	for _, f := range u.Findings {
		rules = append(rules, f.Rule)
		if f.Pointer != "" {
			pointers = append(pointers, f.Pointer)
		}
	}
	if u.Rules == nil {
		u.Rules = u.list(rules)
	}
	if u.Pointers == nil {
		u.Pointers = u.list(pointers)
	}
}

var severities = map[string]code{
	"low": severityLow, "medium": severityMedium, "high": severityHigh, "critical": severityCritical,
}

// worst is the highest severity among the findings, at least floor.
func worst(findings []Finding, floor code) code {
	for _, f := range findings {
		if c, ok := severities[strings.ToLower(f.Severity)]; ok && c.id > floor.id {
			floor = c
		}
	}
	return floor
}

// server is the resource that stands for a server version.
func server(name, version string) Resource {
	return Resource{Name: name, UID: name, Type: serverType, Version: version, RoleID: 1, Role: "Target"}
}

// entry is the resource that stands for a tool, prompt, template or resource.
func entry(kind, name string) Resource {
	return Resource{Name: name, Type: "mcp_" + kind, RoleID: 1, Role: "Target"}
}
