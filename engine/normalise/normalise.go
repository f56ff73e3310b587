// Package normalise decodes what a text hides from a reader but not from a
// model: invisible and look-alike characters, escapes, encodings, comments.
// Scanners see each view beside the text itself. The package knows text alone:
// no JSON-RPC, no MCP, no scanner.
//
// Every message passes through here and hardly any hides something, so each
// decoder first looks, without allocating, for what it would need, and costs
// time in proportion to the text whatever the text is.
package normalise

import (
	"strings"
	"unicode/utf8"
)

// Version changes whenever the views of some text change, since a verdict is a
// function of it.
const Version = "3"

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

// Views returns the decoded forms of a text that differ from it, shallow ones
// first. complete is false when there was no room for all of them, or when the
// deepest hide something still: part of what the text holds stays unseen then.
func Views(text string, lim Limits) (views []View, complete bool) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	w := work{text: text, room: lim.Factor*len(text) + slack}
	if lim.Depth > 0 {
		w.expand(View{Text: text})
	}
	i := 0
	for depth := 1; depth < lim.Depth; depth++ {
		for ends := len(w.views); i < ends; i++ {
			w.expand(w.views[i])
		}
	}
	w.room = 0 // what is found now is too deep
	for ; i < len(w.views) && !w.full; i++ {
		w.expand(w.views[i])
	}
	return w.views, !w.full
}

// work is the decoding of one text.
type work struct {
	text  string
	views []View
	room  int
	full  bool
	seen  map[string]bool
}

// expand adds what v decodes to. Characters are made plain in one step, since
// every order of the decoders would be a view of its own. The other decoders
// find hidden texts and return them without what is around them, or read the
// letters of the whole text in another way.
func (w *work) expand(v View) {
	look := lookAt(v.Text)
	if plain, decoders := plainText(v.Text, look); decoders != "" {
		w.offer(v, plain, decoders)
	}
	if look.traits&traitInvisible != 0 {
		w.offer(v, parted(v.Text), "invisible")
		w.offer(v, tagText(v.Text), "tag")
		w.offer(v, variationText(v.Text), "variation")
	}
	w.offer(v, comments(v.Text), "html-comment")
	w.offer(v, markdown(v.Text), "markdown")
	w.offer(v, base64Text(v.Text), "base64")
	w.offer(v, base32Text(v.Text), "base32")
	w.offer(v, hexText(v.Text), "hex")
	w.offer(v, numberText(v.Text), "codes")
	l := letteringsOf(v.Text)
	if l.apart {
		w.offer(v, together(v.Text), "spaced")
	}
	for c := cipher(1); l.ciphers>>c != 0; c++ {
		if l.ciphers>>c&1 != 0 {
			w.offer(v, c.undo(v.Text), c.name())
		}
	}
	if l.ciphers>>reversed&1 != 0 {
		w.offer(v, wordsBackwards(v.Text), reversed.name())
	}
}

// offer adds what the named decoders found in v, "" for nothing.
func (w *work) offer(v View, found, decoders string) {
	switch {
	case found == "" || found == w.text || w.seen[found]:
	case len(found) > w.room:
		w.full = true
	default:
		if w.seen == nil {
			w.seen = make(map[string]bool)
		}
		w.seen[found] = true
		w.room -= len(found)
		w.views = append(w.views, View{found, chain(v.Provenance, decoders)})
	}
}

func chain(outer, inner string) string {
	return strings.TrimPrefix(outer+">"+inner, ">")
}
