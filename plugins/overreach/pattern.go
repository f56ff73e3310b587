package overreach

import (
	"slices"
	"strings"
)

// A pattern is a turn of phrase: elements apart by spaces, each a choice of
// words and @classes of words apart by bars. ~3 between two elements lets up to
// three other words stand there. ^ before the first is the beginning of a
// sentence, ! that no negation stands in the few words before it.
type pattern struct {
	sign     Sign
	opening  bool
	positive bool
	elements []element
}

type element struct {
	need
	gap  int // words that may stand before it
	list []int16
}

// need is what a word must be for an element to match it: of one of the
// classes, or perhaps, by a bit for each of sixty-four, one of the words. Also
// what some words are, together.
type need struct {
	classes class
	words   uint64
}

// in reports that one of some words may be what is needed.
func (n *need) in(some *need) bool {
	return n.classes&some.classes|class(n.words&some.words) != 0
}

// bit stands for a word by its number.
func bit(word int16) uint64 { return 1 << (uint16(word) % 64) }

// nothing is a class that stands behind every word, the last one included:
// what a pattern needs that has no more elements.
const nothing class = 1 << 63

// start is a pattern, with what its second and third elements need.
type start struct {
	second, third need
	pattern       *pattern
}

func startOf(p *pattern) start {
	s := start{second: need{classes: nothing}, third: need{classes: nothing}, pattern: p}
	if len(p.elements) > 1 {
		s.second = p.elements[1].need
	}
	if len(p.elements) > 2 {
		s.third = p.elements[2].need
	}
	return s
}

// compile reads a pattern. The patterns are this package's own: a mistake in
// one is a mistake in the program.
func compile(d *dictionary, sign Sign, text string) pattern {
	p := pattern{sign: sign}
	text, p.opening = strings.CutPrefix(text, "^")
	text, p.positive = strings.CutPrefix(text, "!")
	gap := 0
	for _, field := range strings.Fields(text) {
		if n, ok := strings.CutPrefix(field, "~"); ok {
			gap = int(n[0] - '0')
			continue
		}
		e := element{gap: gap}
		gap = 0
		for _, choice := range strings.Split(field, "|") {
			if name, ok := strings.CutPrefix(choice, "@"); ok {
				c, known := classes[name]
				if !known {
					panic("overreach: no class " + name)
				}
				e.classes |= c
			} else {
				n := d.add(choice, 0)
				e.list, e.words = append(e.list, n), e.words|bit(n)
			}
		}
		p.elements = append(p.elements, e)
	}
	return p
}

func (e *element) matches(t *token) bool {
	if t.class&e.classes != 0 {
		return true
	}
	if t.word == 0 || e.words&bit(t.word) == 0 {
		return false
	}
	return slices.Contains(e.list, t.word)
}

// at reports whether the pattern begins with the word at i, which its first
// element matches.
func (p *pattern) at(sentence []token, i int) bool {
	return (i == 0 || !p.opening) && follows(p.elements[1:], sentence[i+1:]) && !(p.positive && negated(sentence[:i]))
}

// follows reports whether the elements occur in order from the first word on.
func follows(elements []element, words []token) bool {
	if len(elements) == 0 {
		return true
	}
	for i := 0; i <= elements[0].gap && i < len(words); i++ {
		if elements[0].matches(&words[i]) && follows(elements[1:], words[i+1:]) {
			return true
		}
	}
	return false
}

// negated reports a negation among the last of these words.
func negated(words []token) bool {
	for i := max(0, len(words)-8); i < len(words); i++ {
		if words[i].class&not != 0 {
			return true
		}
	}
	return false
}
