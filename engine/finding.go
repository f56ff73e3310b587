package engine

// Severity is how bad a finding is, as the scanner's manifest and the finding say.
type Severity string

// Severities, rising.
const (
	SeverityInfo     Severity = "info"
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

var severities = []Severity{SeverityInfo, SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}

func (s Severity) rank() int {
	switch s {
	case SeverityInfo:
		return 1
	case SeverityLow:
		return 2
	case SeverityMedium:
		return 3
	case SeverityHigh:
		return 4
	case SeverityCritical:
		return 5
	}
	return 0
}

// Valid reports whether s is one of the severities.
func (s Severity) Valid() bool { return s.rank() > 0 }

// AtLeast reports whether s is as severe as min.
func (s Severity) AtLeast(min Severity) bool { return s.rank() >= min.rank() }

// Action is what follows from a finding or a verdict.
type Action string

// Actions, rising. A verdict is never log: findings of that tier leave it at allow.
const (
	ActionAllow  Action = "allow"
	ActionLog    Action = "log"
	ActionFlag   Action = "flag"
	ActionRedact Action = "redact"
	ActionBlock  Action = "block"
)

func (a Action) rank() int {
	switch a {
	case ActionAllow:
		return 0
	case ActionLog:
		return 1
	case ActionFlag:
		return 2
	case ActionRedact:
		return 3
	}
	return 4 // block, and anything unknown
}

// Less reports whether a is milder than b.
func (a Action) Less(b Action) bool { return a.rank() < b.rank() }

// Finding is one thing that a scanner found.
type Finding struct {
	Scanner     string   `json:"scanner,omitempty"`
	Rule        string   `json:"rule"`
	Family      string   `json:"family"` // injection, exfil, poisoning, shadowing or integrity
	Severity    Severity `json:"severity"`
	Confidence  float64  `json:"confidence"` // 0..1
	Action      Action   `json:"action"`
	Pointer     string   `json:"pointer"`              // JSON Pointer in the message
	Start       int      `json:"start,omitzero"`       // byte range in the decoded string
	End         int      `json:"end,omitzero"`         // at Pointer, on UTF-8 boundaries
	Message     string   `json:"message"`              // written by the scanner: not for clients
	Taxonomy    []string `json:"taxonomy"`             // OWASP and MITRE ATLAS ids
	Replacement *string  `json:"replacement,omitzero"` // set when Action is redact
	Provenance  string   `json:"provenance,omitempty"` // decoded view it was found in
	Item        int      `json:"item,omitzero"`        // index into the message's Items
	Leaf        string   `json:"leaf,omitempty"`       // leaf digest at Pointer, as waivers name it
}

// milder reports whether less follows from f than from g.
func (f Finding) milder(g Finding) bool {
	return f.Action.Less(g.Action) || f.Action == g.Action && f.Severity.rank() < g.Severity.rank()
}
