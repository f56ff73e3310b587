package tck

import (
	"reflect"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine"
)

// phase is the one that is tried where the phase does not matter.
func (k *kit) phase() string { return string(k.manifest.Phases[0]) }

// clean hands over messages that nobody could object to, and reports whether
// they were answered.
func (k *kit) clean() bool {
	for _, texts := range [][]string{dull[:1], dull} {
		in := usual(k.phase(), texts...)
		a, ok := k.try("scan.clean", "a harmless message", in, k.encode(in))
		switch {
		case !ok:
			return false
		case a.Status != "complete":
			k.fail("scan.clean", "a harmless message: %s", a.Status)
		case len(a.Findings) > 0:
			k.fail("scan.clean", "a harmless message: a finding of rule %s", a.Findings[0].Rule)
		}
	}
	return true
}

// inputs hands over what messages can look like.
func (k *kit) inputs() {
	for _, p := range k.manifest.Phases {
		for _, texts := range [][]string{dull, k.seeds()} {
			in := usual(string(p), texts...)
			k.try("scan.phases", "a "+string(p), in, k.encode(in))
		}
	}
	none := usual(k.phase())
	none.Server, none.Entry, none.Caller = "", "", ""
	k.try("input.none", "a message without texts", none, k.encode(none))
	empty := usual(k.phase(), "", dull[0], "")
	k.try("input.empty", "empty texts", empty, k.encode(empty))
	k.unicode()
	k.sizes()
	k.many()
	k.kinds()
	k.hits()
	k.flow()
	k.context()
}

// scripts are characters of one to four bytes, marks that combine, and the least
// and the last of each length.
var scripts = []string{
	"\x00", "\x7f", "\u0080", "é", "\u07ff", "\u0800", "中", "\uffff", "\ufeff", "\U00010000", "😀", "\U0010ffff", "e\u0301", "\u202e", "👩‍👩‍👧",
}

// unicode surrounds planted texts with characters of several bytes, so that a
// range that is wrong by a byte cuts one.
func (k *kit) unicode() {
	for _, p := range k.manifest.Phases {
		for _, c := range scripts {
			texts := []string{c, strings.Repeat(c, 9)}
			for _, seed := range k.seeds() {
				texts = append(texts, c+seed+c, c+" "+seed+" "+c)
			}
			in := usual(string(p), texts...)
			k.try("input.unicode", "texts around "+quoted(c), in, k.encode(in))
		}
	}
}

// sizes are those of texts up to a window, around every power of two.
func (k *kit) sizes() {
	seed := k.seeds()[0]
	for n := 1; n <= window; n *= 2 {
		for _, size := range []int{n - 1, n, n + 1} {
			if size < 1 || size > window {
				continue
			}
			in := usual(k.phase(), fill("é ", size), at(seed, size, 0), at(seed, size, size-len(seed)))
			in.Segments = in.Segments[:1+2*min(size/len(seed), 1)]
			k.try("input.sizes", "texts of "+decimal(size)+" bytes", in, k.encode(in))
		}
	}
}

// Sizes of what one call gets, by ABI.md.
const (
	window       = 64 << 10
	callBytes    = 128 << 10
	listingBytes = 1 << 20
	segmentCost  = 64 // what a text counts beside itself and its pointer
)

// callSize is how much one call gets in a phase.
func callSize(phase string) int {
	if phase == "listing" {
		return listingBytes
	}
	return callBytes
}

// many hands over as many texts as fit into a call, then as much text.
func (k *kit) many() {
	for _, p := range k.manifest.Phases {
		seeds, short := k.seeds(), usual(string(p), "a").Segments[0]
		var texts []string
		for i := range callSize(string(p)) / (segmentCost + len(short.Pointer) + 6) {
			texts = append(texts, "a"+strings.Repeat("é", i%3))
		}
		in := usual(string(p), texts...)
		k.try("input.many", decimal(len(texts))+" texts", in, k.encode(in))

		texts = nil
		for i := range callSize(string(p))/window - 1 {
			texts = append(texts, at(seeds[i%len(seeds)], window, window/2))
		}
		in = usual(string(p), texts...)
		k.try("input.large", decimal(len(texts)*window)+" bytes of text", in, k.encode(in))
	}
}

func (k *kit) kinds() {
	in := usual(k.phase())
	for i, kind := range flatKinds {
		for _, provenance := range []string{"", "base64", "percent>base64", "join>hex"} {
			in.Segments = append(in.Segments, segment{kind, i, "/a~1b/" + kind, planted[i%len(planted)], provenance})
		}
	}
	k.try("input.kinds", "every kind of text", in, k.encode(in))
	for _, caller := range flatCallers {
		in := usual(k.phase(), planted...)
		in.Caller = caller
		k.try("input.caller", "caller "+quoted(caller), in, k.encode(in))
	}
}

// hits of every pattern of the manifest, as many as are handed over at most.
func (k *kit) hits() {
	if len(k.manifest.Patterns) == 0 {
		k.skip("input.hits", "the manifest has no patterns")
		return
	}
	in := usual(k.phase())
	for i, p := range k.manifest.Patterns[:min(len(k.manifest.Patterns), maxPatterns)] {
		text := "é " + sample(p)
		in.Segments = append(in.Segments, segment{Kind: "text", Pointer: "/p", Text: text})
		in.Hits = append(in.Hits, hit{Pattern: i, Segment: i, Start: 3, End: len(text)})
	}
	k.try("input.hits", "a hit of every pattern", in, k.encode(in))
	for i := 0; len(in.Hits) < mostHits; i++ {
		in.Hits = append(in.Hits, in.Hits[len(in.Hits)-1])
	}
	k.try("input.hits", decimal(len(in.Hits))+" hits", in, k.encode(in))
}

// Numbers that ABI.md names.
const (
	mostHits    = 4096
	mostFlow    = 256
	mostContext = 64
)

func (k *kit) flow() {
	in := usual(k.phase(), "é "+planted[0], planted[1])
	for i, mark := range []string{"secret", "personal", "instruction", "instruction-like", "a word of its own"} {
		in.Flow = append(in.Flow, flowHit{mark, i % 2, 3, 9, origin{"io.example/mail", "read"}, i * 100})
	}
	k.try("input.flow", "flow hits", in, k.encode(in))
	for len(in.Flow) < mostFlow {
		in.Flow = append(in.Flow, flowHit{"secret", 1, 0, len(planted[1]), origin{"", ""}, 1 << 20})
	}
	k.try("input.flow", decimal(mostFlow)+" flow hits", in, k.encode(in))
}

func (k *kit) context() {
	for _, p := range k.manifest.Phases {
		in := usual(string(p), dull...)
		for i := range mostContext {
			e := entry{"io.example/mail", "tool", "send" + decimal(i), "", planted[i%len(planted)], nil}
			if i%2 == 0 {
				e.Title, e.Parameters = "Send — é", []string{"to", "", "body" + decimal(i)}
			}
			in.Context = append(in.Context, e)
		}
		k.try("input.context", decimal(mostContext)+" entries of other servers", in, k.encode(in))
	}
}

// isolation asks twice, and again after other messages.
func (k *kit) isolation() {
	for _, p := range k.manifest.Phases {
		in := usual(string(p), k.seeds()...)
		first, ok := k.ask(in)
		if !ok {
			continue
		}
		second, _ := k.try("scan.repeat", "planted texts", in, k.encode(in))
		k.equal("scan.repeat", "the second time", first, second)
		for _, between := range []*input{usual(string(p), dull...), usual(string(p)), usual(string(p), strings.Repeat("AKIA ", 9999))} {
			k.ask(between)
		}
		third, _ := k.try("scan.isolated", "planted texts", in, k.encode(in))
		k.equal("scan.isolated", "after other messages", first, third)
	}
}

// ask is try where it does not matter what goes wrong.
func (k *kit) ask(in *input) (engine.Answer, bool) {
	a, _, err := k.probe(k.ctx, engine.Probe{Input: k.encode(in), Texts: in.texts()})
	return a, err == nil
}

// equal holds two answers to one message against each other.
func (k *kit) equal(id, what string, want, got engine.Answer) {
	if k.ctx.Err() != nil || reflect.DeepEqual(want, got) {
		return
	}
	k.fail(id, "%s: %s, before %s", what, summary(got), summary(want))
}

func summary(a engine.Answer) string {
	if a.Status == "" {
		return "no answer"
	}
	return a.Status + " with " + decimal(len(a.Findings)) + " findings"
}
