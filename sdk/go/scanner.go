// Package scanner is what a Bartizan scanner written in Go is built on.
//
// A scanner is an ordinary `package main` with an empty func main. It registers
// its functions from an init function:
//
//	func init() { scanner.Handle(nil, scan) }
//
//	func scan(in *scanner.Input) *scanner.Output {
//		out := scanner.NewOutput()
//		for i, s := range in.Segments {
//			if at := strings.Index(s.Text, "BEGIN RSA PRIVATE KEY"); at >= 0 {
//				out.Add(scanner.Finding{Rule: "keys.rsa", Confidence: 1, Segment: i, Start: at, End: at + 21})
//			}
//		}
//		return out
//	}
//
// Compiled with GOOS=wasip1 GOARCH=wasm -buildmode=c-shared it is a module of
// the scanner ABI (sdk/abi/ABI.md); compiled natively it is a package whose
// functions, and the whole ABI path through [Exec], run under go test.
//
// The package imports nothing outside the standard library, and must not: what
// it imports is what every author downloads.
package scanner

import "errors"

// Input is one message, or one window of a long one, to be examined.
type Input struct {
	Phase    string         // listing, request, result, prompt or resource
	Server   string         // name of the MCP server
	Entry    string         // tool, prompt or resource the message concerns; "" for a whole listing
	Caller   string         // class of the caller: user, agent, service or ""
	Segments []Segment      // every text in the message
	Hits     []Hit          // where the manifest's patterns match
	Flow     []FlowHit      // what earlier messages left behind in this one
	Context  []ContextEntry // entries of other servers that the same model sees
	Limits   Limits
}

// Segment is one text of a message.
type Segment struct {
	Kind       string // what the text is: description, argument, text ... (sdk/abi/ABI.md)
	Item       int    // which entry of a listing it belongs to; 0 elsewhere
	Pointer    string // JSON Pointer (RFC 6901) of the text in the message
	Text       string // always valid UTF-8
	Provenance string // "" as sent; otherwise how the host decoded it, such as "base64"
}

// Hit is a match of one of the manifest's patterns.
type Hit struct {
	Pattern    int // index into the manifest's patterns
	Segment    int // index into Input.Segments
	Start, End int // byte range in the segment's text
}

// FlowHit is a marked span of an earlier message that occurs in this one.
type FlowHit struct {
	Mark       string
	Segment    int // index into Input.Segments
	Start, End int // byte range in the segment's text
	Origin     Origin
	Age        int // seconds since it was marked
}

// Origin is where a marked span came from.
type Origin struct{ Server, Entry string }

// ContextEntry is an entry of another server.
type ContextEntry struct {
	Server, Kind, Name, Title, Description string
	Parameters                             []string
}

// Limits are the bounds of the answer; zero means unknown.
type Limits struct {
	Findings    int // number of findings
	OutputBytes int // bytes of the encoded answer
}

// Finding is one thing found in one segment.
type Finding struct {
	Rule        string  // a rule of the manifest
	Severity    string  // info, low, medium, high, critical; "" takes the rule's own
	Confidence  float64 // 0..1
	Segment     int     // index into Input.Segments
	Start, End  int     // byte range in the segment's text, on UTF-8 boundaries
	Message     string  // for the reviewer; "" takes the rule's description
	Replacement *string // text that makes the segment harmless in place of the range
	Mark        string  // remember the range as this: secret, personal, instruction ... (sdk/abi/ABI.md)
}

// Range is a part of a segment that was not examined.
type Range struct{ Segment, Start, End int }

// Output is a scanner's answer. With Unexamined ranges it is partial. So it
// becomes when it has more findings than the limits of the input allow, or is
// longer: those that fit are sent.
type Output struct {
	Findings   []Finding
	Unexamined []Range
}

// NewOutput returns the answer that says: examined, nothing found.
func NewOutput() *Output { return &Output{} }

// Add appends a finding.
func (o *Output) Add(f Finding) { o.Findings = append(o.Findings, f) }

// Skip says that a range was not examined.
func (o *Output) Skip(segment, start, end int) {
	o.Unexamined = append(o.Unexamined, Range{segment, start, end})
}

var handler struct {
	init func(config []byte) error
	scan func(*Input) *Output
}

// Handle registers the scanner's functions. init may be nil; it receives the
// operator's configuration, empty if there is none, and an error from it stops
// every scan. scan returning nil, and a panic in either, is a fault.
func Handle(init func(config []byte) error, scan func(*Input) *Output) {
	handler.init, handler.scan = init, scan
}

var (
	// ErrNoHandler means that Handle was not called from an init function.
	ErrNoHandler = errors.New("scanner: no handler registered")
	// ErrNoAnswer means that the scan function returned nil.
	ErrNoAnswer = errors.New("scanner: nil answer")
)

// PanicError is a panic in the author's code.
type PanicError struct{ Value any }

func (e *PanicError) Error() string {
	switch v := e.Value.(type) {
	case error:
		return "scanner: panic: " + v.Error()
	case string:
		return "scanner: panic: " + v
	}
	return "scanner: panic"
}

// Configure runs the registered init function, as the host does once before the scan.
func Configure(config []byte) (err error) {
	defer recovered(&err)
	if handler.init == nil {
		return nil
	}
	return handler.init(config)
}

// Exec runs the registered scan function on an encoded input and returns the
// output in the same encoding: the path that the host takes, for tests. The
// strings that the scan function gets share the memory of input.
func Exec(input []byte) (output []byte, err error) { return exec(new(Input), input, nil) }

// exec decodes into in and appends the answer to dst, both used again. It may
// return memory that is not to be written to.
func exec(in *Input, input, dst []byte) (output []byte, err error) {
	defer recovered(&err)
	if handler.scan == nil {
		return nil, ErrNoHandler
	}
	if err := in.decode(input); err != nil {
		return nil, err
	}
	out := handler.scan(in)
	if out == nil {
		return nil, ErrNoAnswer
	}
	if isFlat(input) && len(out.Findings)+len(out.Unexamined) == 0 {
		return cleanFlat, nil
	}
	return out.fit(dst, isFlat(input), in.Limits), nil
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = &PanicError{r}
	}
}
