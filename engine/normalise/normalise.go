// Package normalise decodes what a text hides from a reader but not from a
// model: invisible and look-alike characters, encodings, comments. Each view is
// scanned beside the text itself. The package knows text alone: no JSON-RPC, no
// MCP, no scanner.
package normalise

// Version changes whenever the views of some text change, since a verdict is a
// function of it.
const Version = "1"

// View is one decoded form of a text.
type View struct {
	Text       string // valid UTF-8
	Provenance string // decoders from the outside in, such as "percent>base64"
}

// Limits bound the work on one text.
type Limits struct {
	Depth  int // decoders applied one after another
	Factor int // total bytes of views per byte of text
}

// DefaultLimits follow CONTRACTS §3.
var DefaultLimits = Limits{Depth: 3, Factor: 4}

// Views returns the decoded forms of a text that differ from it. complete is
// false when there was no room for all of them: part of the text stays unseen.
func Views(text string, lim Limits) (views []View, complete bool) { return nil, true }
