package overreach

import "strings"

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
	gap     int // words that may stand before it
	classes class
	words   []int16
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
				e.words = append(e.words, d.add(choice, 0))
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
	if t.word != 0 {
		for _, w := range e.words {
			if w == t.word {
				return true
			}
		}
	}
	return false
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
