package audit

// Drift is an entry that is no longer what was approved.
type Drift struct {
	Tenant    string
	Server    string
	Version   string
	Alias     string
	Approval  string // digest of the approval bundle
	Kind      string // tool, prompt, template, resource, instructions, capabilities
	Key       string
	Reason    string // closed list: changed, new, duplicate, unreadable; many: more than are told of one by one
	Pointers  []string
	OldDigest string // behavioural digest as approved, "" for an added entry
	NewDigest string // as observed
}

// ChecklistItem is one answered item of a review.
type ChecklistItem struct {
	Code   string
	Name   string // the item's question in short, host-owned
	Status string // pass, warning, fail; "" = unanswered
}

// DriftFound records an entry that drifted and is now held.
func DriftFound(d Drift) *Event {
	e := findingEvent("drift_found", "Entry differs from what was approved", "drift")
	e.origin(Origin{})
	e.tenant(d.Tenant)
	e.severity(severityHigh)
	e.control(actionDenied, dispositionQuarantined)
	e.IsAlert = true
	e.StatusCode = d.Reason
	e.Resources = []Resource{server(d.Server, d.Version), entry(d.Kind, d.Key)}
	u := e.Unmapped
	u.Alias, u.Approval, u.OldDigest, u.NewDigest = d.Alias, d.Approval, d.OldDigest, d.NewDigest
	u.lists(nil, d.Pointers)
	return e
}

// VerdictReached records a verdict above allow, or any scanner failure, on a
// message of a call.
func VerdictReached(c Call, v Verdict) *Event {
	e := verdictEvent("verdict_reached", v)
	e.origin(c.Origin)
	e.Metadata.CorrelationUID = c.ID
	e.Resources = []Resource{server(c.Server, c.Version)}
	if c.Entry != "" {
		e.Resources = append(e.Resources, entry(c.Kind, c.Entry))
	}
	e.Unmapped.Alias, e.Unmapped.Approval = c.Alias, c.Approval
	return e
}

// ListingScanned records the verdict on the listing of a publication.
func ListingScanned(c Change, v Verdict) *Event {
	e := verdictEvent("listing_scanned", v)
	e.change(c)
	e.Resources = []Resource{server(c.Server, c.Version)}
	return e
}

// UnsafeUsed records that a check was weakened on purpose. option is the flag
// or setting, name what it was used for ("" = everything).
func UnsafeUsed(o Origin, option, name string) *Event {
	e := findingEvent("unsafe_used", "A check was weakened by an operator", "configuration")
	e.origin(o)
	e.severity(severityHigh)
	e.control(actionObserved, dispositionAlert)
	e.IsAlert = true
	e.StatusCode = "unsafe"
	e.Unmapped.Option = option
	if name != "" {
		e.Resources = []Resource{server(name, "")}
	}
	return e
}

// SnapshotRefused records a snapshot that was not accepted, or the last one
// having expired. reason is from a closed list (expired, grace, rollback,
// signature …), sequence that of the snapshot in question.
func SnapshotRefused(tenant, reason string, sequence uint64) *Event {
	e := findingEvent("snapshot_refused", "Approval snapshot is not usable", "trust")
	e.origin(Origin{})
	e.tenant(tenant)
	e.severity(severityHigh)
	e.control(actionDenied, dispositionRejected)
	e.IsAlert = true
	e.StatusCode = reason
	e.Unmapped.Sequence = sequence
	return e
}

// ChecklistCompleted records the answers of a review as they stand.
func ChecklistCompleted(c Change, items []ChecklistItem) *Event {
	e := newEvent(ClassCompliance, activityCreate, "Create", "checklist_completed")
	e.status(statusNew)
	e.Message = "Checklist answered"
	e.FindingInfo = &FindingInfo{Title: e.Message, Types: []string{"review"}}
	e.change(c)
	e.Resources = []Resource{server(c.Server, c.Version)}
	all := checkPass
	checks := make([]Check, 0, len(items))
	for _, item := range items {
		status := checkOf(item.Status)
		checks = append(checks, Check{Name: item.Name, UID: item.Code, StatusID: status.id, Status: status.name})
		if rank(status) > rank(all) {
			all = status
		}
	}
	e.Compliance = &Compliance{
		Standards: []string{"Bartizan review checklist"}, Control: "admission",
		StatusID: all.id, Status: all.name, Checks: checks[:min(len(checks), maxList)],
	}
	e.Unmapped.Truncated = e.Unmapped.Truncated || len(checks) > maxList
	return e
}

var (
	checkUnknown = code{0, "Unknown"}
	checkPass    = code{1, "Pass"}
	checkWarning = code{2, "Warning"}
	checkFail    = code{3, "Fail"}
)

func checkOf(status string) code {
	switch status {
	case "pass":
		return checkPass
	case "warning":
		return checkWarning
	case "fail":
		return checkFail
	default:
		return checkUnknown
	}
}

// rank orders check statuses: unanswered is worse than passed, and better than
// anything that was found.
func rank(c code) int {
	switch c {
	case checkPass:
		return 0
	case checkUnknown:
		return 1
	default:
		return c.id
	}
}

func findingEvent(eventCode, title, kind string) *Event {
	e := newEvent(ClassDetection, activityCreate, "Create", eventCode)
	e.status(statusNew)
	e.Message = title
	e.FindingInfo = &FindingInfo{Title: title, Types: []string{kind}}
	return e
}

func verdictEvent(eventCode string, v Verdict) *Event {
	e := findingEvent(eventCode, "Scanners reached a verdict", "scan")
	e.Unmapped.verdict(&v)
	e.severity(worst(e.Unmapped.Findings, severityInfo))
	switch {
	case v.Action == "block":
		e.control(actionDenied, dispositionBlocked)
		e.IsAlert = true
	case v.Action == "redact":
		e.control(actionModified, dispositionCorrected)
	case v.Action == "flag":
		e.control(actionObserved, dispositionDetected)
	default:
		e.control(actionAllowed, dispositionLogged)
	}
	if len(v.Failures) > 0 {
		e.severity(worst(e.Unmapped.Findings, severityMedium))
		e.StatusCode = "scanner_failure"
	}
	return e
}
