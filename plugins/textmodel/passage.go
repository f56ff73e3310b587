package textmodel

// minPassage is the length in bytes from which a sentence is a passage by
// itself; shorter ones are read with the next.
const minPassage = 24

// Passages calls yield with the byte range of every passage of a text, in
// order, until it returns false: sentences or lines, short ones together. What
// is made of short statements of which each may be the only one that matters,
// as documentation is, is better judged by passages than by windows.
func Passages(text string, yield func(start, end int) bool) {
	start := 0
	for i := 0; i < len(text); i++ {
		b := breaks[text[i]]
		if b == 0 || b == breaksBeforeBlank && (i+1 == len(text) || !blanks[text[i+1]]) {
			continue
		}
		if i+1-start < minPassage {
			continue
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

// breaks tells the bytes that may end a passage.
var breaks = [256]uint8{'\n': breaksLine, '.': breaksBeforeBlank, '!': breaksBeforeBlank, '?': breaksBeforeBlank, ';': breaksBeforeBlank, ':': breaksBeforeBlank}

const (
	breaksLine        = 1 + iota // wherever it stands
	breaksBeforeBlank            // where one of blanks follows
)

var blanks = [256]bool{' ': true, '\n': true, '\t': true, '\r': true, '<': true}
