package rulepack

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

//go:embed guest.wat
var guest string

// kinds by their numbers in the flat encoding (sdk/abi/ABI.md).
var kinds = []string{
	message.KindOther, message.KindName, message.KindTitle, message.KindDescription, message.KindInstructions, message.KindParameter,
	message.KindSchemaTitle, message.KindSchemaDescription, message.KindSchemaValue, message.KindAnnotation, message.KindMeta,
	message.KindURI, message.KindArgument, message.KindArgumentName, message.KindText, message.KindStructured, message.KindError,
	message.KindMIME, message.KindServerInfo,
}

// Layout of the guest's memory. Every table is 8-aligned.
const (
	base = 1024 // addresses and numbers of what follows:

	// 0 first use of each pattern, and one more; u32 each
	// 4 uses: rule, part, edges; u32 each
	// 8 rules, of ruleBytes
	// 12 number of patterns
	// 16 room for the answer
	// 20 room for the findings before they go there
	// 24 room for the input, to the end
	header = 32

	ruleBytes = 96
	useBytes  = 12
	partBytes = 8 // start and end of what was seen last

	answerBytes   = 64<<10 + 16
	findingsBytes = 256 * 56
	inputBytes    = 2 << 20 // nearly every input; for others the memory grows
)

// Module assembles the pack's module, without its manifest. Same pack, same
// bytes.
func (p *Pack) Module() ([]byte, error) {
	tables, pages := p.tables()
	var text strings.Builder
	text.WriteString(guest)
	fmt.Fprintf(&text, "(memory (export \"memory\") %d)\n(data (i32.const %d) \"", pages, base)
	for _, b := range tables {
		fmt.Fprintf(&text, `\%02x`, b)
	}
	text.WriteString("\")\n")
	return wat.Assemble(text.String())
}

// tables are what guest.wat reads, and the pages of its memory.
func (p *Pack) tables() (tables []byte, pages int) {
	b := make([]byte, header)
	place := func(word, n int) (at int) { // room of n bytes, whose address goes to a word of the header
		b = append(b, make([]byte, -len(b)&7)...)
		at = len(b)
		b = append(b, make([]byte, n)...)
		put(b, word, base+at)
		return at
	}
	total := 0
	for _, uses := range p.uses {
		total += len(uses)
	}
	first := place(0, 4*(len(p.uses)+1))
	list := place(4, useBytes*total)
	rules := place(8, ruleBytes*len(p.Rules))
	put(b, 12, len(p.patterns))

	n := 0
	for i, uses := range p.uses {
		put(b, first+4*i, n)
		for _, u := range uses {
			put(b, list+useBytes*n, u.rule)
			put(b, list+useBytes*n+4, u.part)
			put(b, list+useBytes*n+8, int(u.edges))
			n++
		}
	}
	put(b, first+4*len(p.uses), n)
	for i := range p.Rules {
		b = p.Rules[i].append(b, rules+ruleBytes*i, p.Phases)
	}

	end := base + len(b) + (-len(b) & 7)
	put(b, 16, end)
	put(b, 20, end+answerBytes)
	put(b, 24, end+answerBytes+findingsBytes)
	return b, (end+answerBytes+findingsBytes+inputBytes)>>16 + 1
}

// append writes a rule at a place and appends what it refers to.
func (r *Rule) append(b []byte, at int, phases []message.Phase) []byte {
	str := func(offset int, s string) {
		put(b, at+offset, base+len(b))
		put(b, at+offset+4, len(s))
		b = append(b, s...)
	}
	str(0, r.ID)
	if r.Replacement != nil {
		str(12, *r.Replacement)
		put(b, at+36, 1)
	}
	str(24, r.Mark)
	mask := uint32(math.MaxUint32)
	if len(r.Kinds) > 0 {
		mask = 0
		for _, kind := range r.Kinds {
			mask |= 1 << slices.Index(kinds, kind)
		}
	}
	put(b, at+40, int(mask))
	if r.Phases != nil {
		phases = r.Phases
	}
	mask = 0
	for _, phase := range phases {
		mask |= 2 << slices.Index(allPhases, phase) // numbered from 1
	}
	put(b, at+44, int(mask))
	put(b, at+52, math.MaxUint32) // in no text yet
	put(b, at+68, max(1, len(r.All)))
	put(b, at+72, r.Within)
	binary.LittleEndian.PutUint64(b[at+88:], math.Float64bits(*r.Confidence))
	b = append(b, make([]byte, -len(b)&7)...)
	put(b, at+76, base+len(b))
	return append(b, make([]byte, partBytes*max(1, len(r.All)))...)
}

func put(b []byte, at, value int) { binary.LittleEndian.PutUint32(b[at:], uint32(value)) }
