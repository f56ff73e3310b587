package tck

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/engine"
)

// layouts hands over one message in every way in which it can be written, each
// of which must get the same answer.
func (k *kit) layouts() {
	in, want, ok := k.reference()
	if !ok {
		k.skipAll("the message that is varied gets no answer", "layout.order", "layout.escapes", "layout.shared", "layout.nothing")
		return
	}
	if k.flat() {
		k.skip("layout.escapes", "the encoding is flat")
		k.variant("layout.order", "tables after strings, with gaps between", in, in.flat(layout{turned: true}), want)
		k.variant("layout.shared", "strings written once", in, in.flat(layout{shared: true}), want)
		for _, nothing := range []uint32{1, 1 << 31, 1<<32 - 1} {
			k.variant("layout.nothing", "offset "+strconv.FormatUint(uint64(nothing), 10)+" of nothing", in, in.flat(layout{nothing: nothing}), want)
		}
		return
	}
	k.skip("layout.shared", "the encoding is json")
	k.skip("layout.nothing", "the encoding is json")
	k.variant("layout.order", "members from the last to the first", in, reordered(in.json()), want)
	k.variant("layout.escapes", "escapes and white space", in, escaped(in.json()), want)
}

// later hands over what a later version of the ABI may add.
func (k *kit) later() {
	in, want, ok := k.reference()
	if !ok {
		k.skipAll("the message that is varied gets no answer", "forward.header", "forward.records", "forward.members", "forward.kinds")
		return
	}
	if k.flat() {
		k.skip("forward.members", "the encoding is flat")
		k.variant("forward.header", "a header of 96 bytes", in, in.flat(layout{header: 8}), want)
		k.variant("forward.header", "a header of 128 bytes", in, in.flat(layout{header: 40}), want)
		k.variant("forward.records", "records with 8 bytes more", in, in.flat(layout{record: 8}), want)
		k.variant("forward.records", "records with 4 bytes more", in, in.flat(layout{record: 4}), want)
	} else {
		k.skip("forward.header", "the encoding is json")
		k.skip("forward.records", "the encoding is json")
		k.variant("forward.members", "members of a later version", in, extended(in.json()), want)
	}
	caller := *in
	caller.Caller = later
	k.try("forward.kinds", "a caller of a later version", &caller, k.encode(&caller))
	kinds := *in
	kinds.Segments = nil
	for _, kind := range []string{"other", later} {
		kinds.Segments = append([]segment(nil), in.Segments...)
		for i := range kinds.Segments {
			kinds.Segments[i].Kind = kind
		}
		a, ok := k.try("forward.kinds", "texts of kind "+kind, &kinds, k.encode(&kinds))
		switch {
		case !ok:
			return
		case kind == later:
			k.equal("forward.kinds", "texts of kind "+later+" for other", want, a)
		}
		want = a
	}
}

// reference is a message with something of everything, and its answer. Where
// one of its parts failed before, that is what is wrong with it.
func (k *kit) reference() (*input, engine.Answer, bool) {
	in := usual(k.phase(), k.seeds()...)
	in.Segments = append(in.Segments, in.Segments[0], segment{"text", 0, "", "", ""})
	in.Segments[1].Provenance = "percent>base64"
	k.find(in)
	in.Flow = []flowHit{{"secret", 0, 0, 6, origin{"io.example/mail", "read"}, 90}}
	in.Context = []entry{
		{"io.example/mail", "tool", "send", "Send — é", "Sends mail.", []string{"to", "body"}},
		{"io.example/mail", "prompt", "p", "", "", nil},
	}
	if k.report.OK() {
		a, ok := k.try("scan.repeat", "planted texts with hits, flow and context", in, k.encode(in))
		return in, a, ok
	}
	a, ok := k.ask(in)
	return in, a, ok
}

func (k *kit) variant(id, what string, in *input, encoded []byte, want engine.Answer) {
	if got, ok := k.try(id, what, in, encoded); ok {
		k.equal(id, what, want, got)
	}
}

// fill returns a text of exactly n bytes made of the given one.
func fill(with string, n int) string {
	s := strings.Repeat(with, n/len(with)+1)[:n]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + strings.Repeat(".", n-len(s))
}

// at returns a text of n bytes that has seed where it is asked for, if there is room.
func at(seed string, n, where int) string {
	if where < 0 || where+len(seed) > n {
		return fill("a ", n)
	}
	return fill("a ", where) + seed + fill(" a", n-where-len(seed))
}

func decimal(n int) string   { return strconv.Itoa(n) }
func quoted(s string) string { return strconv.QuoteToASCII(s) }
