package policy

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Action is what a request does.
type Action string

// Actions of the schema.
const (
	ActionCall     Action = "call"
	ActionGet      Action = "get"
	ActionRead     Action = "read"
	ActionComplete Action = "complete"
	ActionUse      Action = "use"
)

// Request is what is decided about.
type Request struct {
	Principal Principal
	Action    Action
	Server    Server
	Entry     *Entry // nil for ActionUse
	Method    string
	Era       string
	Now       time.Time // in the time zone that hours and weekdays are of
	Source    netip.Addr
	Client    *Client  // nil where the client says nothing of itself
	Findings  []string // rules; nil before the request was scanned
}

// Principal is who asks.
type Principal struct {
	Tenant, Name, Kind string
	Roles              []string
	Attributes         map[string]string // "groups" is a list of roles, the others are tags
}

// Server is a server version as approved.
type Server struct {
	Name, Version, Alias, Tier, Binding, Publisher string
	Scopes                                         []string
}

// Entry is a tool, prompt, template or resource with its approved annotations.
type Entry struct {
	Kind, Name string
	Hints
}

// Hints are tool annotations (2026-07-28, schema, ToolAnnotations).
type Hints struct {
	ReadOnly, Destructive, Idempotent, OpenWorld bool
}

// HintsOf are the hints of an entry: of a tool as approved, nil where the approval
// says nothing; of anything else those of what only reads.
func HintsOf(kind string, readOnly, destructive, idempotent, openWorld *bool) Hints {
	if kind != "tool" {
		return Hints{ReadOnly: true, Idempotent: true, OpenWorld: true}
	}
	or := func(hint *bool, otherwise bool) bool {
		if hint == nil {
			return otherwise
		}
		return *hint
	}
	h := Hints{ReadOnly: or(readOnly, false), Destructive: or(destructive, true), Idempotent: or(idempotent, false), OpenWorld: or(openWorld, true)}
	if h.ReadOnly { // what changes nothing destroys nothing
		h.Destructive = false
	}
	return h
}

// Client is what a client calls itself. Nothing proves it.
type Client struct{ Name, Version string }

// Decision is the answer to a request.
type Decision struct {
	Allow   bool
	Reasons []string // the policies that it rests on: forbids, else permits; none where nothing permits
	Broken  []string // policies that could not be evaluated; they deny
}

// Decide answers a request. A policy that cannot be evaluated denies: if it is a
// permit nothing was permitted by it, and if it is a forbid it might have been
// meant.
func (s *Set) Decide(r *Request) Decision {
	e := entitiesOf(r)
	decision, diagnostic := cedar.Authorize(candidates{s, e.asked}, e.all, e.request)
	d := Decision{Allow: decision == cedar.Allow && len(diagnostic.Errors) == 0}
	for _, reason := range diagnostic.Reasons {
		d.Reasons = append(d.Reasons, string(reason.PolicyID))
	}
	for _, broken := range diagnostic.Errors {
		d.Broken = append(d.Broken, string(broken.PolicyID))
	}
	slices.Sort(d.Reasons)
	slices.Sort(d.Broken)
	return d
}

// asked is a request in Cedar's terms.
type asked struct {
	request cedar.Request
	all     types.EntityMap
	asked   []types.EntityUID // everything that a scope may name
}

const space = "Bartizan::"

func uid(kind types.EntityType, id string) types.EntityUID {
	return types.NewEntityUID(space+kind, types.String(id))
}

func entitiesOf(r *Request) asked {
	principal := uid("Principal", r.Principal.Tenant+"/"+r.Principal.Name)
	server := uid("Server", r.Server.Name)
	roles, tags := rolesOf(&r.Principal)
	a := asked{all: types.EntityMap{
		principal: {
			UID: principal, Parents: types.NewEntityUIDSet(roles...), Tags: types.NewRecord(tags),
			Attributes: types.NewRecord(types.RecordMap{
				"tenant": types.String(r.Principal.Tenant), "name": types.String(r.Principal.Name), "kind": types.String(r.Principal.Kind),
			}),
		},
		server: {UID: server, Attributes: types.NewRecord(types.RecordMap{
			"version": types.String(r.Server.Version), "alias": types.String(r.Server.Alias), "tier": types.String(r.Server.Tier),
			"binding": types.String(r.Server.Binding), "publisher": types.String(r.Server.Publisher), "scopes": texts(r.Server.Scopes),
		})},
	}}
	resource := server
	if r.Entry != nil {
		resource = uid("Entry", r.Server.Name+"#"+r.Entry.Kind+"/"+r.Entry.Name)
		a.all[resource] = types.Entity{UID: resource, Parents: types.NewEntityUIDSet(server), Attributes: types.NewRecord(types.RecordMap{
			"server": types.String(r.Server.Name), "kind": types.String(r.Entry.Kind), "name": types.String(r.Entry.Name),
			"readOnly": types.Boolean(r.Entry.ReadOnly), "destructive": types.Boolean(r.Entry.Destructive),
			"idempotent": types.Boolean(r.Entry.Idempotent), "openWorld": types.Boolean(r.Entry.OpenWorld),
		})}
	}
	a.asked = append([]types.EntityUID{resource, server, principal}, roles...)
	a.request = cedar.Request{Principal: principal, Action: uid("Action", string(r.Action)), Resource: resource, Context: circumstances(r)}
	return a
}

// rolesOf are a principal's roles, groups among them, and its other attributes.
func rolesOf(p *Principal) ([]types.EntityUID, types.RecordMap) {
	var roles []types.EntityUID
	tags := types.RecordMap{}
	for _, role := range p.Roles {
		roles = append(roles, uid("Role", role))
	}
	for name, value := range p.Attributes {
		if name != "groups" {
			tags[types.String(name)] = types.String(value)
			continue
		}
		for group := range strings.SplitSeq(value, ",") {
			if group = strings.TrimSpace(group); group != "" {
				roles = append(roles, uid("Role", "group:"+group))
			}
		}
	}
	return roles, tags
}

func circumstances(r *Request) types.Record {
	weekday := int64(r.Now.Weekday())
	if weekday == 0 {
		weekday = 7
	}
	c := types.RecordMap{
		"now": types.NewDatetime(r.Now), "hour": types.Long(r.Now.Hour()), "minute": types.Long(r.Now.Minute()),
		"weekday": types.Long(weekday), "method": types.String(r.Method), "era": types.String(r.Era),
	}
	if r.Source.IsValid() {
		c["source"] = types.IPAddr(netip.PrefixFrom(r.Source.Unmap().WithZone(""), r.Source.Unmap().BitLen()))
	}
	if r.Client != nil {
		c["client"] = types.NewRecord(types.RecordMap{"name": types.String(r.Client.Name), "version": types.String(r.Client.Version)})
	}
	if r.Findings != nil {
		c["findings"] = texts(r.Findings)
	}
	return types.NewRecord(c)
}

func texts(all []string) types.Set {
	values := make([]types.Value, len(all))
	for i, s := range all {
		values[i] = types.String(s)
	}
	return types.NewSet(values...)
}
