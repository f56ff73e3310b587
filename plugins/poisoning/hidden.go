package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// hidden reports text that a person who reads the listing does not see, whatever
// it says: comments, what a terminal does not show, what stands outside of view.
func hidden(v *verdicts, s *scanner.Segment) {
	switch {
	case s.Provenance != "" && within(s.Provenance, "html-comment") && strings.Count(strings.TrimSpace(s.Text), " ") >= fewWords:
		v.add(ruleHidden, "", 0.8, textmodel.Span{End: int32(len(s.Text))})
	case s.Provenance == "":
		if i := strings.Index(s.Text, "\x1b["); i >= 0 {
			v.add(ruleHidden, "", 0.8, textmodel.Span{Start: int32(i), End: int32(i + 2)})
		}
		if start, end := pushed(s.Text); end > 0 {
			v.add(ruleHidden, "", 0.6, textmodel.Span{Start: int32(start), End: int32(end)})
		}
	}
}

const (
	fewWords = 2  // spaces in a comment from which it says something
	wide     = 80 // columns of blanks that push a text out of view
	tall     = 12 // empty lines that do
)

// pushed finds a text behind a gap that no layout needs, and returns the gap.
func pushed(text string) (start, end int) {
	if !gaps(text) {
		return 0, 0
	}
	blanks, lines, from := 0, 0, 0
	for i := range len(text) {
		switch text[i] {
		case ' ', '\t':
			blanks++
		case '\n':
			lines++
			blanks = 0
		case '\r':
		default:
			if i > 0 && (blanks >= wide || lines > tall) && from > 0 {
				return from, i
			}
			blanks, lines, from = 0, 0, i+1
		}
	}
	return 0, 0
}

// gaps reports a run of blanks and line ends that is as long as such a gap is at
// the least. It holds one place of every few.
func gaps(text string) bool {
	for i := tall; i < len(text); i += tall + 1 {
		if !blank[text[i]] {
			continue
		}
		from, to := i, i+1
		for from > 0 && blank[text[from-1]] {
			from--
		}
		for to < len(text) && blank[text[to]] {
			to++
		}
		if to-from > tall {
			return true
		}
	}
	return false
}

var blank = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}
