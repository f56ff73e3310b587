// Package normalise decodes what a text hides from a reader but not from a
// model: invisible and look-alike characters, escapes, encodings, comments.
// Scanners see each view beside the text itself. The package knows text alone:
// no JSON-RPC, no MCP, no scanner.
package normalise

import "strings"

// Version changes whenever the views of some text change, since a verdict is a
// function of it.
const Version = "1"

// View is one decoded form of a text.
type View struct {
	Text       string // valid UTF-8
	Provenance string // decoders in the order applied: "percent>base64"
}

// Limits bound the work on one text.
type Limits struct {
	Depth  int // decodings applied one after another
	Factor int // total bytes of views per byte of text, and slack for short ones
}

// DefaultLimits follow CONTRACTS §3.
var DefaultLimits = Limits{Depth: 3, Factor: 4}

// slack is room for the views of short texts, which can grow more than by the
// factor: one ligature becomes a sentence.
const slack = 256

// extractors find hidden texts and return them without what is around them.
var extractors = []struct {
	name    string
	extract func(string) string
}{
	{"tag", tagText},
	{"variation", variationText},
	{"html-comment", comments},
	{"base64", base64Text},
	{"hex", hexText},
	{"rot13", rot13Text},
}

// Views returns the decoded forms of a text that differ from it, shallow ones
// first. complete is false when there was no room for all of them: part of what
// the text holds stays unseen then.
func Views(text string, lim Limits) (views []View, complete bool) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	w := work{room: lim.Factor*len(text) + slack}
	w.views = []View{{Text: text}} // first in the queue, not a view
	ends := 1                      // of the depth in progress
	for depth, i := 0, 0; depth < lim.Depth; depth++ {
		for ; i < ends; i++ {
			w.expand(w.views[i])
		}
		ends = len(w.views)
	}
	return w.views[1:], !w.full
}

// work is the decoding of one text.
type work struct {
	views []View
	room  int
	full  bool
	seen  map[string]bool
}

// expand adds what v decodes to. Characters are made plain in one step, since
// every order of the decoders would be a view of its own.
func (w *work) expand(v View) {
	if plain, decoders := plainText(v.Text); decoders != "" {
		w.offer(View{plain, chain(v.Provenance, decoders)})
	}
	for _, e := range extractors {
		if found := e.extract(v.Text); found != "" {
			w.offer(View{found, chain(v.Provenance, e.name)})
		}
	}
}

func (w *work) offer(v View) {
	switch {
	case v.Text == "" || v.Text == w.views[0].Text || w.seen[v.Text]:
	case len(v.Text) > w.room:
		w.full = true
	default:
		if w.seen == nil {
			w.seen = make(map[string]bool)
		}
		w.seen[v.Text] = true
		w.room -= len(v.Text)
		w.views = append(w.views, v)
	}
}

func chain(outer, inner string) string {
	return strings.TrimPrefix(outer+">"+inner, ">")
}
