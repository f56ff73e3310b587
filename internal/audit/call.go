package audit

import (
	"time"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// Origin is who acts, and from where. The zero Caller is Bartizan itself.
type Origin struct {
	Caller identity.Caller
	Source string // "ip:port" or "ip" of the connection; "" where there is none
}

// Call is one MCP message on its way through the gateway.
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
	Phase      string
	Action     string // allow, flag, redact, block
	Findings   []Finding
	Failures   []Failure
	Unexamined bool
}

// Result is how a call ended.
type Result string

const (
	Answered Result = "answered" // the upstream's answer reached the client untouched
	Redacted Result = "redacted" // it reached the client with spans replaced
	Blocked  Result = "blocked"  // Bartizan said no
	Failed   Result = "failed"   // the upstream or the transport failed
	Unknown  Result = "unknown"  // the process ended in between
)

// Outcome is the end of a call.
type Outcome struct {
	Result   Result
	Reason   string // closed list; required unless Answered
	Rules    []string
	Pointers []string
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

// CallIntent is recorded before a call goes upstream.
func CallIntent(c Call) *Event { return nil }

// CallOutcome is recorded after the answer came and before the client gets it.
func CallOutcome(c Call, o Outcome) *Event { return nil }

// CallRefused records a call that never went upstream.
func CallRefused(c Call, r Refusal) *Event { return nil }

// ListingServed records a listing that was handed to a client.
func ListingServed(c Call, n Counts) *Event { return nil }
