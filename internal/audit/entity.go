package audit

import (
	"errors"
	"strconv"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// Change is something that the registry did to a server version.
type Change struct {
	Origin
	ID      string // correlation id shared by the events of one act; "" = none
	Tenant  string // "" = the caller's
	Server  string
	Version string
	Digest  string   // of the artifact or, where there is none, of server.json
	Subject string   // review subject digest
	Review  string   // review id
	State   string   // the state after the change
	Reasons []string // closed list
}

// Published records a publication, whatever state it got.
func Published(c Change) *Event {
	return changeEvent(c, activityCreate, "Create", "published", "Server version published", severityInfo)
}

// Quarantined records a version taken out of circulation, or never let in.
func Quarantined(c Change) *Event {
	return changeEvent(c, activitySuspend, "Suspend", "quarantined", "Server version quarantined", severityMedium)
}

// Released records a version let out of quarantine.
func Released(c Change) *Event {
	return changeEvent(c, activityResume, "Resume", "released", "Server version released from quarantine", severityLow)
}

// StatusChanged records what a publisher said of an approved version's life.
func StatusChanged(c Change) *Event {
	return changeEvent(c, activityUpdate, "Update", "status_changed", "Lifecycle status changed", severityLow)
}

// ItemAnswered records a reviewer's answer to one checklist item.
func ItemAnswered(c Change, item ChecklistItem) *Event {
	e := changeEvent(c, activityUpdate, "Update", "item_answered", "Checklist item answered", severityInfo)
	e.Unmapped.Item, e.Unmapped.Answer = item.Code, item.Status
	return e
}

// Voted records a reviewer's vote.
func Voted(c Change, v Vote) *Event {
	e := changeEvent(c, activityUpdate, "Update", "voted", "Vote cast", severityInfo)
	e.Unmapped.Vote = &v
	return e
}

// Waived records an accepted finding.
func Waived(c Change, w Waiver) *Event {
	e := changeEvent(c, activityUpdate, "Update", "waived", "Finding waived", severityMedium)
	e.Unmapped.Waiver = &w
	return e
}

// Approved records a signed approval; digest is that of its bundle.
func Approved(c Change, digest string) *Event {
	e := changeEvent(c, activityActivate, "Activate", "approved", "Server version approved", severityInfo)
	e.Unmapped.Approval = digest
	return e
}

// Rejected records the end of a review without approval.
func Rejected(c Change) *Event {
	return changeEvent(c, activityDisable, "Disable", "rejected", "Server version rejected", severityLow)
}

// Reconsidered records that an approved version was judged again and something
// new stands against it, or no longer does; its approval stays in force.
func Reconsidered(c Change, stale []string) *Event {
	e := changeEvent(c, activityUpdate, "Update", "reconsidered", "Server version judged again", severityMedium)
	e.Unmapped.Reasons = e.Unmapped.list(stale)
	if len(stale) > 0 {
		e.StatusCode = stale[0]
	}
	return e
}

// DatabaseChanged records the vulnerability database in force.
func DatabaseChanged(digest string, newest time.Time) *Event {
	e := newEvent(ClassEntity, activityUpdate, "Update", "vulnerability_database_changed")
	e.Message = "Vulnerability database in force changed, newest entry of " + newest.UTC().Format(time.RFC3339)
	e.severity(severityInfo)
	e.Entity = &Entity{Name: "vulnerabilities", UID: digest, Type: "vulnerability_database"}
	e.Unmapped.NewDigest = digest
	return e
}

// SignersChanged records a namespace's new signer policy, by digest.
func SignersChanged(o Origin, namespace, digest string) *Event {
	e := newEvent(ClassEntity, activityUpdate, "Update", "signers_changed")
	e.Message = "Signer policy of a namespace changed"
	e.severity(severityMedium)
	e.origin(o)
	e.Entity = &Entity{Name: namespace, UID: digest, Type: "namespace"}
	e.Unmapped.NewDigest = digest
	return e
}

// TrustChanged records a new version of trust.json, by digest.
func TrustChanged(o Origin, version int, digest string) *Event {
	e := newEvent(ClassEntity, activityUpdate, "Update", "trust_changed")
	e.Message = "Trust root changed"
	e.severity(severityHigh)
	e.origin(o)
	e.Entity = &Entity{Name: "trust.json", UID: digest, Type: "trust", Version: strconv.Itoa(version)}
	e.Unmapped.NewDigest = digest
	return e
}

// SigningRefused records a statement that a separate signer did not sign. role is
// approval, snapshot or sbom, reason from the signer's closed list.
func SigningRefused(registry, role, reason string) *Event {
	e := newEvent(ClassEntity, activityOther, "Sign", "signing_refused")
	e.Message = "A statement was not signed"
	e.severity(severityHigh)
	e.origin(Origin{})
	e.status(statusFailure)
	e.StatusCode = reason
	e.Entity = &Entity{Name: registry, UID: role, Type: "signer"}
	return e
}

// ScannersChanged records a reload: the modules that came into force and those
// that they replaced. What is in neither list stayed.
func ScannersChanged(o Origin, in, out []Scanner) *Event {
	e := scannersEvent(o, "scanners_changed", "Scanners reloaded")
	e.Unmapped.ScannersIn = in[:min(len(in), maxList)]
	e.Unmapped.ScannersOut = out[:min(len(out), maxList)]
	e.Unmapped.Truncated = len(in) > maxList || len(out) > maxList
	return e
}

// ConfigurationChanged records settings that a running process took over, by
// their keys.
func ConfigurationChanged(o Origin, settings []string) *Event {
	e := scannersEvent(o, "configuration_changed", "Configuration reloaded")
	e.Entity = &Entity{Name: "gateway", Type: "configuration"}
	e.Unmapped.Reasons = settings[:min(len(settings), maxList)]
	e.Unmapped.Truncated = len(settings) > maxList
	return e
}

// ScannersKept records a reload that failed, so that everything before it, the
// scanners among it, stays in force. reason is from a closed list:
// configuration, gateway, load, self_test, memory, audit, or why a module is
// not let in.
func ScannersKept(o Origin, reason string) *Event {
	e := scannersEvent(o, "scanners_kept", "Scanners not reloaded; those before stay in force")
	e.status(statusFailure)
	e.StatusCode = reason
	return e
}

// ScannersRefused records a start that a module prevented which is not let in,
// and why.
func ScannersRefused(o Origin, reason string) *Event {
	e := scannersEvent(o, "scanners_refused", "A scanner is not let in; nothing starts")
	e.status(statusFailure)
	e.StatusCode = reason
	return e
}

func scannersEvent(o Origin, eventCode, message string) *Event {
	e := newEvent(ClassEntity, activityUpdate, "Update", eventCode)
	e.Message = message
	e.severity(severityMedium)
	e.origin(o)
	e.Entity = &Entity{Name: "scanners", Type: "scanners"}
	return e
}

// Why a local server's process ended, reason of ServerEnded.
const (
	ServerExited    = "exited"     // by itself, or killed for breaking a limit
	ServerCrashLoop = "crash_loop" // again and again, soon after it was started
)

// ServerEnded records the end of a local server that nobody asked for. early is
// the number of such ends in a row soon after the start.
func ServerEnded(o Origin, alias, name, version, reason string, early int) *Event {
	e := newEvent(ClassEntity, activityDisable, "Disable", "server_ended")
	e.Message = "Local server ended by itself"
	e.origin(o)
	e.status(statusFailure)
	e.StatusCode = reason
	e.severity(severityLow)
	if reason == ServerCrashLoop {
		e.severity(severityMedium)
	}
	e.Entity = &Entity{Name: name, Version: version, Type: "server"}
	e.Unmapped.Alias, e.Unmapped.Ends = alias, early
	return e
}

// Why a server's strikes are on record, reason of Strikes.
const (
	StrikesReached  = "strikes"   // as many as the configured limit; once a window
	ServerSuspended = "suspended" // and it is called by nobody until Strikes.Until
)

// Strikes are a server's messages of late that were blocked.
type Strikes struct {
	Origin                         // of the exchange in which the last one came
	Alias, Server, Version, Reason string
	Strikes, Principals            int
	Until                          time.Time // zero unless suspended
}

// ServerStruck records that a server keeps saying what is blocked. It says
// nothing about the caller it names, who was only there.
func ServerStruck(s Strikes) *Event {
	e := newEvent(ClassEntity, activityUpdate, "Update", "server_struck")
	e.Message = "Much of what a server said was blocked"
	e.severity(severityMedium)
	if s.Reason == ServerSuspended {
		e.activity(activityDisable, "Disable")
		e.severity(severityHigh)
	}
	e.origin(s.Origin)
	e.StatusCode = s.Reason
	e.Entity = &Entity{Name: s.Server, Version: s.Version, Type: serverType}
	u := e.Unmapped
	u.Alias, u.Strikes, u.Principals = s.Alias, s.Strikes, s.Principals
	if !s.Until.IsZero() {
		u.Expires = s.Until.UnixMilli()
	}
	return e
}

// KeyIssued records a new API key: its public id, never token or hash.
func KeyIssued(o Origin, k identity.KeyRecord) *Event {
	e := keyEvent(o, k, activityEnable, "Enable", "key_issued", "API key issued")
	e.Unmapped.Expires = k.Expires.UnixMilli()
	return e
}

// KeyRevoked records a revoked API key.
func KeyRevoked(o Origin, k identity.KeyRecord) *Event {
	return keyEvent(o, k, activityDisable, "Disable", "key_revoked", "API key revoked")
}

// Refused records a credential that was right once: expired or revoked. err is
// what identity.Authenticate returned; it names the principal. Requests
// without a credential worth a record go to Log.Refusal instead.
func Refused(source string, err error) *Event {
	var denied *identity.DeniedError
	if !errors.As(err, &denied) {
		denied = &identity.DeniedError{Err: identity.ErrInvalid}
	}
	e := refusedEvent(refusalReason(denied.Err), endpointOf(source))
	e.severity(severityMedium)
	e.control(actionDenied, dispositionRevoked)
	e.tenant(denied.Caller.Tenant)
	if denied.Caller.Principal != "" {
		e.User = userOf(denied.Caller)
		e.Actor = &Actor{User: e.User}
	}
	return e
}

func refusalReason(err error) string {
	switch {
	case errors.Is(err, identity.ErrRevoked):
		return "key_revoked"
	case errors.Is(err, identity.ErrExpired):
		return "key_expired"
	default:
		return "credential_invalid"
	}
}

// refusedEvent is the common part of single and aggregated refusals.
func refusedEvent(reason string, from *Endpoint) *Event {
	e := newEvent(ClassAuth, activityLogon, "Logon", "refused")
	e.Message = "Credential refused"
	e.status(statusFailure)
	e.severity(severityLow)
	e.control(actionDenied, dispositionUnauth)
	e.StatusCode = reason
	e.AuthProtocolID, e.AuthProtocol = authProtocolOther, "API key"
	e.User = &User{Name: "unauthenticated", TypeID: 0, Type: "Unknown"}
	e.Service = &Named{Name: appName}
	e.SrcEndpoint = from
	return e
}

func keyEvent(o Origin, k identity.KeyRecord, activity int, name, eventCode, message string) *Event {
	e := newEvent(ClassEntity, activity, name, eventCode)
	e.Message = message
	e.severity(severityLow)
	e.origin(o)
	e.tenant(k.Tenant)
	e.Entity = &Entity{Name: k.Principal, UID: k.ID, Type: "api_key"}
	e.Unmapped.Roles = e.Unmapped.list(k.Roles)
	e.Unmapped.Namespaces = e.Unmapped.list(k.Namespaces)
	return e
}

func changeEvent(c Change, activity int, name, eventCode, message string, severity code) *Event {
	e := newEvent(ClassEntity, activity, name, eventCode)
	e.Message = message
	e.severity(severity)
	e.change(c)
	e.Entity = &Entity{Name: c.Server, UID: c.Digest, Type: serverType, Version: c.Version}
	return e
}

func (e *Event) change(c Change) {
	e.origin(c.Origin)
	if c.Tenant != "" {
		e.tenant(c.Tenant)
	}
	e.Metadata.CorrelationUID = c.ID
	if len(c.Reasons) > 0 {
		e.StatusCode = c.Reasons[0]
	}
	u := e.Unmapped
	u.State, u.Subject, u.Review = c.State, c.Subject, c.Review
	u.Reasons = u.list(c.Reasons)
}
