package main

import "strings"

// Around a word for a model, in bytes.
const (
	leadReach = 90
	tailReach = 110
)

// wordAround widens a place to the whole word, with what is joined to it by
// hyphens.
func wordAround(text string, start, end int) (int, int) {
	for start < end && text[start] <= ' ' {
		start++
	}
	for start < end && strings.IndexByte(" \n\t:,", text[end-1]) >= 0 {
		end--
	}
	for start > 0 && end-start < 40 && joined(text[start-1]) {
		start--
	}
	for end < len(text) && end-start < 60 && joined(text[end]) {
		end++
	}
	return start, end
}

func joined(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '@' || c == '_' || '0' <= c && c <= '9'
}

// What ends a clause before a word for a model.
const (
	opening   = 1 << iota // always
	stop                  // before a space
	separator             // with another character behind it
	sentence              // behind the word
)

var ends = func() (t [256]uint8) {
	for mark, of := range map[uint8]string{opening: "\n([<>\"*#|{}", stop: ".!?;:", separator: "-\\,", sentence: ".!?\n"} {
		for i := range len(of) {
			t[of[i]] |= mark
		}
	}
	return t
}()

// commaReach is how far before the word a comma sets it apart, in bytes.
const commaReach = 24

// clauseBefore is the clause before a place, in lower case and without what
// decorates it, and whether something opens it: a line, a sentence, a bracket.
func clauseBefore(low *lowercase, start int) (lead string, opened bool) {
	text := low.text
	from := max(0, start-leadReach)
	opened = from == 0
	for i := start - 1; i >= from; i-- {
		if ends[text[i]]&(opening|stop|separator) == 0 {
			continue
		}
		if n := cut(text[i:start]); n > 0 {
			from, opened = i+n, true
			break
		}
	}
	to := start
	for from < to && decorates(text[from]) {
		from++
	}
	for from < to && decorates(text[to-1]) {
		to--
	}
	if to < start && text[to] == ' ' {
		return low.of(from, to+1), opened
	}
	return low.of(from, to) + " ", opened
}

// cut is how many bytes at the beginning of a text set the rest apart, if any.
func cut(text string) int {
	c, next := text[0], byte(0)
	if len(text) > 1 {
		next = text[1]
	}
	switch {
	case ends[c]&opening != 0,
		ends[c]&stop != 0 && (next == ' ' || next == '\t' || next == '\''):
		return 1
	case c == '-' && next == '-', c == '\\' && next == 'n', c == ',' && next == ' ' && len(text) < commaReach:
		return 2
	}
	return 0
}

func decorates(c byte) bool {
	return c == ' ' || c == '-' || c == '_' || c == '\'' || c == '`' || c == '\t'
}

// sentenceOf is a text up to the end of its sentence.
func sentenceOf(text string) string {
	for i := range len(text) {
		if ends[text[i]]&sentence != 0 {
			return text[:i]
		}
	}
	return text
}

// clauseStart is where the sentence begins that holds a place.
func clauseStart(text string, at int) int {
	from := max(0, at-leadReach)
	for i := at - 1; i >= from; i-- {
		if c := text[i]; c == '\n' || c == '<' || c == '>' || c == '|' || (c == '.' || c == '!' || c == '?') && text[i+1] == ' ' {
			return i + 1
		}
	}
	return from
}

func has(text string, a, b byte) bool {
	return strings.IndexByte(text, a) >= 0 || strings.IndexByte(text, b) >= 0
}
