// Package message turns raw MCP JSON into the texts that scanners examine.
//
// It knows the shapes of the protocol, so that a text can be named (a tool's
// description, an argument, an error), and trusts none of them: a string at a
// place that the protocol does not define is a segment all the same. It must
// know no transport, no scanner and no policy.
package message

// Phase says which traffic a message is.
type Phase string

// The phases of CONTRACTS §3.
const (
	PhaseListing  Phase = "listing"
	PhaseRequest  Phase = "request"
	PhaseResult   Phase = "result"
	PhasePrompt   Phase = "prompt"
	PhaseResource Phase = "resource"
)

// Valid reports whether p is one of the phases.
func (p Phase) Valid() bool {
	switch p {
	case PhaseListing, PhaseRequest, PhaseResult, PhasePrompt, PhaseResource:
		return true
	}
	return false
}

// Segment kinds.
const (
	KindName              = "name"
	KindTitle             = "title"
	KindDescription       = "description"
	KindInstructions      = "instructions"
	KindParameter         = "parameter"
	KindSchemaTitle       = "schema-title"
	KindSchemaDescription = "schema-description"
	KindSchemaValue       = "schema-value" // default, enum, examples, const, pattern
	KindAnnotation        = "annotation"
	KindMeta              = "meta"
	KindURI               = "uri"
	KindArgument          = "argument"
	KindArgumentName      = "argument-name"
	KindText              = "text"
	KindStructured        = "structured"
	KindError             = "error"
	KindMIME              = "mime"
	KindServerInfo        = "server-info"
	KindOther             = "other"
)

// Segment is one text of a message.
type Segment struct {
	Kind       string
	Item       int    // index into Message.Items; 0 where there are none
	Pointer    string // JSON Pointer (RFC 6901) from the root that the constructor names
	Text       string // decoded, valid UTF-8
	Provenance string // "" = as sent; else how it was decoded: "base64", "percent>base64"
	Source     int    // index of the segment a view was decoded from; its own when sent
	Fixed      bool   // a member name or a number: it cannot be redacted in place
}

// ContextEntry is an entry of another server that the same model sees.
type ContextEntry struct {
	Server      string   `json:"server"`
	Kind        string   `json:"kind"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Parameters  []string `json:"parameters"`
}

// Item is one entry of a listing. Kind is a fingerprint kind ("tool",
// "instructions" ...) or "server" for the server's own name and title.
type Item struct{ Kind, Key string }

// Binary is a base64 member whose bytes are no text. Scanners do not see it;
// whether it may pass is the policy of the server.
type Binary struct {
	Pointer  string
	MIMEType string // as the server declared it
	Bytes    int    // decoded
}

// Message is what scanners examine.
type Message struct {
	Phase    Phase
	Server   string
	Entry    string // tool or prompt name, resource URI
	Caller   string // user, agent, service or ""
	Segments []Segment
	Context  []ContextEntry
	Items    []Item // listings only
	Binaries []Binary
}
