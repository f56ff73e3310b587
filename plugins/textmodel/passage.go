package textmodel

import (
	"math/bits"

	"github.com/bartizan-mcp/bartizan/plugins/swar"
)

// minPassage is the length in bytes from which a sentence is a passage by
// itself; shorter ones are read with the next.
const minPassage = 24

// Passages calls yield with the byte range of every passage of a text, in
// order, until it returns false: sentences or lines, short ones together. What
// is made of short statements of which each may be the only one that matters,
// as documentation is, is better judged by passages than by windows.
func Passages(text string, yield func(start, end int) bool) {
	start := 0
	for {
		i := nextBreak(text, start+minPassage-1)
		if i < 0 {
			break
		}
		if !yield(start, i+1) {
			return
		}
		start = i + 1
	}
	if start < len(text) {
		yield(start, len(text))
	}
}

// PassageWindows calls yield with every window of every passage of a text whose
// tokens were read, until it returns false.
// They are what Passages and Windower.Read give together, but for offsets, which
// are those in the text, and for Before, which knows of earlier passages. A
// window is valid until yield returns.
func PassageWindows(text string, tokens []Token, yield func(window []Token) bool) {
	Passages(text, func(start, end int) bool {
		n := 0
		for n < len(tokens) && int(tokens[n].Start) < end {
			n++
		}
		if n == 0 {
			return true
		}
		first := tokens[0]
		tokens[0].Mark = first.Mark&MarkUpper | opening(text[start:first.Start])
		tokens[0].Ends = first.Class != 0
		more := true
		Windows(tokens[:n], func(window []Token) bool {
			more = yield(window)
			return more
		})
		tokens[0] = first
		tokens = tokens[n:]
		return more
	})
}

// opening is the mark of a gap with which a text begins.
func opening(gapped string) Mark {
	mark, run := MarkStart|MarkLine, 0
	var last rune
	for _, r := range gapped {
		if r == ' ' {
			run, last = 0, ' '
			continue
		}
		mark, run = gap(mark, r, last, run)
		last = r
	}
	return mark
}

// nextBreak returns the next place from i on where a passage may end, or -1.
// Letters and spaces are passed over eight at a time.
func nextBreak(text string, i int) int {
	for ; i+8 <= len(text); i += 8 {
		v := swar.Load(text, i)
		for m := (^v << 1) & swar.Highs &^ swar.Same(v, ' '); m != 0; m &= m - 1 { // letters have the bit below the highest
			if at := i + bits.TrailingZeros64(m)/8; isBreak(text, at) {
				return at
			}
		}
	}
	for ; i < len(text); i++ {
		if isBreak(text, i) {
			return i
		}
	}
	return -1
}

func isBreak(text string, i int) bool {
	b := breaks[text[i]]
	return b == breaksLine || b == breaksBeforeBlank && i+1 < len(text) && blanks[text[i+1]]
}

// breaks tells the bytes that may end a passage.
var breaks = [256]uint8{'\n': breaksLine, '.': breaksBeforeBlank, '!': breaksBeforeBlank, '?': breaksBeforeBlank, ';': breaksBeforeBlank, ':': breaksBeforeBlank}

const (
	breaksLine        = 1 + iota // wherever it stands
	breaksBeforeBlank            // where one of blanks follows
)

var blanks = [256]bool{' ': true, '\n': true, '\t': true, '\r': true, '<': true}
