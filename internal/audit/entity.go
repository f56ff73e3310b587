package audit

import "github.com/bartizan-mcp/bartizan/internal/identity"

// Change is something that the registry did to a server version.
type Change struct {
	Origin
	Tenant  string // "" = the caller's
	Server  string
	Version string
	Digest  string   // of the artifact or server.json
	Subject string   // review subject digest
	Review  string   // review id
	State   string   // the state after the change
	Reasons []string // closed list
	ID      string   // correlation id; "" = the event's own
}

// Published records a publication, whatever state it got.
func Published(c Change) *Event { return nil }

// Quarantined records a version taken out of circulation.
func Quarantined(c Change) *Event { return nil }

// Released records a version let out of quarantine.
func Released(c Change) *Event { return nil }

// Superseded records an approved version that a newer one replaced.
func Superseded(c Change) *Event { return nil }

// ItemAnswered records a reviewer's answer to one checklist item.
func ItemAnswered(c Change, item ChecklistItem) *Event { return nil }

// Voted records a reviewer's vote.
func Voted(c Change, v Vote) *Event { return nil }

// Waived records an accepted finding.
func Waived(c Change, w Waiver) *Event { return nil }

// Approved records a signed approval; digest is that of its bundle.
func Approved(c Change, digest string) *Event { return nil }

// Rejected records the end of a review without approval.
func Rejected(c Change) *Event { return nil }

// SignersChanged records a namespace's new signer policy.
func SignersChanged(o Origin, namespace, digest string) *Event { return nil }

// TrustChanged records a new version of trust.json.
func TrustChanged(o Origin, version int, digest string) *Event { return nil }

// KeyIssued records a new API key.
func KeyIssued(o Origin, k identity.KeyRecord) *Event { return nil }

// KeyRevoked records a revoked API key.
func KeyRevoked(o Origin, k identity.KeyRecord) *Event { return nil }

// Refused records a credential that was right once: expired or revoked. err is
// what identity.Authenticate returned. Unauthenticated refusals go to
// Log.Refusal instead.
func Refused(o Origin, err error) *Event { return nil }
