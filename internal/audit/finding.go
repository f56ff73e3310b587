package audit

// Drift is an entry that is no longer what was approved.
type Drift struct {
	Tenant    string
	Server    string
	Version   string
	Alias     string
	Approval  string
	Kind      string // tool, prompt, template, resource, instructions, capabilities
	Key       string
	Reason    string // changed, new, duplicate …
	Pointers  []string
	OldDigest string
	NewDigest string
}

// DriftFound records an entry that drifted and is now held.
func DriftFound(d Drift) *Event { return nil }

// VerdictReached records a verdict above allow, or any scanner failure, on a
// message of a call.
func VerdictReached(c Call, v Verdict) *Event { return nil }

// ListingScanned records the verdict on the listing of a publication.
func ListingScanned(c Change, v Verdict) *Event { return nil }

// UnsafeUsed records that a check was weakened on purpose. option is the flag
// or setting, server what it was used for ("" = all).
func UnsafeUsed(o Origin, option, server string) *Event { return nil }

// SnapshotRefused records a snapshot that was not accepted, or one that
// expired; reason is from a closed list (expired, grace, rollback, signature …).
func SnapshotRefused(tenant, reason string, sequence uint64) *Event { return nil }

// ChecklistCompleted records the automatic answers of a review.
func ChecklistCompleted(c Change, items []ChecklistItem) *Event { return nil }

// ChecklistItem is one answered item.
type ChecklistItem struct {
	Code   string
	Name   string
	Status string // pass, fail, warning, "" = unanswered
}
