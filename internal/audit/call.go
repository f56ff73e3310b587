package audit

import "time"

// Call is one MCP message on its way through the gateway: what identifies it,
// nothing of what it says.
type Call struct {
	Origin
	ID       string // NewID(); shared by all events of this call
	Method   string // "tools/call"
	Kind     string // "tool", "prompt", "resource", "template", or "" where no entry is named
	Entry    string // its name or URI
	Server   string // reverse-DNS name
	Version  string
	Alias    string
	Protocol string // MCP protocol version
	Approval string // digest of the approval bundle
	ReadOnly bool   // approved as read-only
	Request  Payload
}

// Verdict is what the scanners said.
type Verdict struct {
	Phase      string // listing, request, result, prompt, resource
	Action     string // allow, flag, redact, block
	Findings   []Finding
	Failures   []Failure
	Unexamined bool
	Flow       []FlowHit
}

// FlowHit is where a scanner was told that something of an earlier message
// stands, and where that came from. What it is is not in it.
type FlowHit struct {
	Mark       string `json:"mark"` // secret, personal, instruction ...
	Pointer    string `json:"pointer"`
	Provenance string `json:"provenance,omitzero"`
	Start      int    `json:"start"`
	End        int    `json:"end"`
	Server     string `json:"server"`
	Entry      string `json:"entry"`
	Age        int    `json:"age"` // seconds
}

// Result is how a call ended.
type Result string

const (
	Answered Result = "answered" // the upstream's answer reached the client untouched
	Redacted Result = "redacted" // it reached the client with spans replaced
	Blocked  Result = "blocked"  // Bartizan said no
	Failed   Result = "failed"   // the upstream or the transport failed
	Unknown  Result = "unknown"  // nobody can say: the process or the log failed in between
)

// Outcome is the end of a call.
type Outcome struct {
	Result   Result
	Reason   string   // closed list; "" where Answered
	Rules    []string // default: those of the findings
	Pointers []string // default: those of the findings
	Verdict  *Verdict
	Code     int // JSON-RPC error code of the answer, 0 = none
	Response Payload
	Elapsed  time.Duration
}

// Refusal is why a call ended before its intent was recorded.
type Refusal struct {
	Reason   string // closed list
	Rules    []string
	Pointers []string
	Verdict  *Verdict
	Code     int // JSON-RPC error code of the answer
}

const (
	stageIntent  = "intent"
	stageOutcome = "outcome"
)

// Reasons that this package itself gives for an unknown outcome.
const (
	ReasonOrphaned = "orphaned"          // the process ended between intent and outcome
	ReasonUnlogged = "audit_unavailable" // the outcome could not be recorded when it came
)

// CallIntent is recorded before a call goes upstream.
func CallIntent(c Call) *Event {
	e := callEvent(c, "call_intent")
	e.Message = "Call sent upstream"
	e.status(statusPending)
	e.control(actionAllowed, dispositionAllowed)
	e.Unmapped.Stage = stageIntent
	return e
}

// CallOutcome is recorded after the answer came and before the client gets it.
// For calls approved as read-only it is the only record.
func CallOutcome(c Call, o Outcome) *Event {
	e := callEvent(c, "call_outcome")
	e.Unmapped.Stage = stageOutcome
	e.end(o)
	return e
}

// CallRefused records a call that never went upstream.
func CallRefused(c Call, r Refusal) *Event {
	e := callEvent(c, "call_refused")
	e.end(Outcome{
		Result: Blocked, Reason: r.Reason, Rules: r.Rules, Pointers: r.Pointers, Verdict: r.Verdict, Code: r.Code,
	})
	e.Unmapped.Response = nil
	e.Message = "Call refused before it went upstream"
	return e
}

// ListingServed records a listing that was handed to a client.
func ListingServed(c Call, n Counts) *Event {
	e := callEvent(c, "listing_served")
	e.activity(activityRead, "Read")
	e.Message = "Listing served"
	e.control(actionAllowed, dispositionAllowed)
	if n.Hidden > 0 {
		e.control(actionModified, dispositionCorrected)
	}
	e.Unmapped.Listing = &n
	return e
}

func callEvent(c Call, eventCode string) *Event {
	e := newEvent(ClassAPI, activityOther, "Call", eventCode)
	if c.ReadOnly || c.Kind == "prompt" || c.Kind == "resource" || c.Kind == "template" {
		e.activity(activityRead, "Read")
	}
	e.origin(c.Origin)
	e.Metadata.CorrelationUID = c.ID
	svc := &Named{Name: c.Server, UID: c.Alias, Version: c.Version}
	e.API = &API{Operation: c.Method, Service: svc, Version: c.Protocol, Request: &APIRequest{UID: c.ID}}
	e.MessageContext = &MessageContext{AIRoleID: 3, AIRole: "Tool", Service: svc}
	e.Resources = []Resource{server(c.Server, c.Version)}
	if c.Entry != "" {
		e.Resources = append(e.Resources, entry(c.Kind, c.Entry))
	}
	e.Unmapped.Alias, e.Unmapped.Approval = c.Alias, c.Approval
	if c.Request != (Payload{}) {
		e.Unmapped.Request = &c.Request
	}
	return e
}

func (e *Event) activity(id int, name string) {
	e.ActivityID, e.ActivityName, e.TypeUID = id, name, e.ClassUID*100+id
}

// end turns a call event into its outcome.
func (e *Event) end(o Outcome) {
	u := e.Unmapped
	u.Result = o.Result
	u.lists(o.Rules, o.Pointers)
	u.verdict(o.Verdict)
	e.StatusCode = o.Reason
	e.Duration = o.Elapsed.Milliseconds()
	if o.Code != 0 {
		e.API.Response = &APIResponse{Code: o.Code}
	}
	if o.Response != (Payload{}) {
		u.Response = &o.Response
	}
	switch o.Result {
	case Answered:
		e.Message = "Call answered"
		e.severity(worst(u.Findings, severityInfo))
		e.control(actionAllowed, dispositionAllowed)
	case Redacted:
		e.Message = "Call answered, spans redacted"
		e.severity(worst(u.Findings, severityLow))
		e.control(actionModified, dispositionCorrected)
	case Blocked:
		e.Message = "Call blocked"
		e.status(statusFailure)
		e.severity(worst(u.Findings, severityMedium))
		e.control(actionDenied, dispositionBlocked)
	case Failed:
		e.Message = "Call failed upstream"
		e.status(statusFailure)
		e.severity(severityLow)
		e.control(actionAllowed, dispositionError)
	default:
		u.Result = Unknown
		e.Message = "Outcome of the call is unknown"
		e.status(statusUnknown)
		e.severity(severityMedium)
		e.control(actionUnknown, dispositionUnknown)
	}
}

// unknownOutcome closes an intent that nobody else will close.
func unknownOutcome(intent *Event, reason string) *Event {
	e := *intent
	u := *intent.Unmapped
	u.Stage = stageOutcome
	e.Unmapped = &u
	if intent.API != nil {
		api := *intent.API
		e.API = &api
	}
	e.Metadata.UID, e.Metadata.EventCode = "", "call_outcome"
	e.Time = 0
	e.end(Outcome{Result: Unknown, Reason: reason})
	return &e
}
