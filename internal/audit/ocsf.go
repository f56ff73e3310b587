package audit

// OCSF 1.8.0 classes in use (schema.ocsf.io, events/).
const (
	ClassEventLog     = 1008 // Event Log Activity: the log itself
	ClassCompliance   = 2003 // Compliance Finding: the review checklist
	ClassDetection    = 2004 // Detection Finding: scanner verdicts, drift, unsafe options
	ClassAuth         = 3002 // Authentication: refused credentials
	ClassEntity       = 3004 // Entity Management: the registry's state
	ClassAPI          = 6003 // API Activity: calls and listings
	activityOther     = 99
	activityCreate    = 1
	activityRead      = 2
	activityUpdate    = 3
	activityEnable    = 8
	activityDisable   = 9
	activityActivate  = 10
	activitySuspend   = 12
	activityResume    = 13
	activityLogon     = 1
	activityRotate    = 5
	activityStart     = 6
	activityStop      = 7
	authProtocolOther = 99
)

// A code is an OCSF *_id with its caption: readers that do not know the number
// show the word.
type code struct {
	id   int
	name string
}

var (
	severityInfo     = code{1, "Informational"}
	severityLow      = code{2, "Low"}
	severityMedium   = code{3, "Medium"}
	severityHigh     = code{4, "High"}
	severityCritical = code{5, "Critical"}

	statusUnknown = code{0, "Unknown"}
	statusSuccess = code{1, "Success"}
	statusFailure = code{2, "Failure"}
	statusPending = code{99, "Pending"}
	statusNew     = code{1, "New"} // findings only

	actionUnknown  = code{0, "Unknown"}
	actionAllowed  = code{1, "Allowed"}
	actionDenied   = code{2, "Denied"}
	actionObserved = code{3, "Observed"}
	actionModified = code{4, "Modified"}

	dispositionUnknown     = code{0, "Unknown"}
	dispositionAllowed     = code{1, "Allowed"}
	dispositionBlocked     = code{2, "Blocked"}
	dispositionQuarantined = code{3, "Quarantined"}
	dispositionCorrected   = code{11, "Corrected"}
	dispositionDetected    = code{15, "Detected"}
	dispositionLogged      = code{17, "Logged"}
	dispositionAlert       = code{19, "Alert"}
	dispositionRevoked     = code{24, "Access Revoked"}
	dispositionRejected    = code{25, "Rejected"}
	dispositionUnauth      = code{26, "Unauthorized"}
	dispositionError       = code{27, "Error"}
)

type class struct {
	uid, category      int
	name, categoryName string
	profiles           []string
}

var classes = map[int]class{
	ClassEventLog:   {ClassEventLog, 1, "Event Log Activity", "System Activity", nil},
	ClassCompliance: {ClassCompliance, 2, "Compliance Finding", "Findings", nil},
	ClassDetection:  {ClassDetection, 2, "Detection Finding", "Findings", []string{profileSecurityControl}},
	ClassAuth:       {ClassAuth, 3, "Authentication", "Identity & Access Management", []string{profileSecurityControl}},
	ClassEntity:     {ClassEntity, 3, "Entity Management", "Identity & Access Management", nil},
	ClassAPI:        {ClassAPI, 6, "API Activity", "Application Activity", []string{profileSecurityControl, profileAIOperation}},
}

const (
	profileSecurityControl = "security_control"
	profileAIOperation     = "ai_operation"
)
