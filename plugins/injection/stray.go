package main

import (
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// A stray request is a sentence that asks its reader for something, stands on a
// line by itself, and has nothing to do with the text around it: a question
// between the rows of a table, a task in the middle of an invoice. Its words are
// those of any question; it is where it stands that gives it away.

// Bounds of the search.
const (
	minDocument = 100     // bytes of text in which a request can be out of place
	minLine     = 16      // bytes of a request
	maxLine     = 400     // bytes
	maxStray    = 4       // lines that are looked at closely; a text with more is a list of questions
	nearby      = 6 << 10 // bytes before and behind a line that it is compared with
)

// kind is what the first word of a line makes of it.
type kind uint8

const (
	asks    kind = 1 << iota // translate, summarise: something that a model does by itself
	shapes                   // include, replace: changes what is written, or a thing
	queries                  // what, how
)

// openers are the first words of requests.
var openers = func() map[string]kind {
	m := make(map[string]kind, 256)
	for k, words := range map[kind]string{
		asks: "translate summarize summarise paraphrase explain describe compose draft calculate compute convert encode decode encrypt decrypt classify compare analyze analyse evaluate recommend " +
			"suggest brainstorm outline define identify write rewrite tell give list provide create generate develop design make plan find name determine estimate rate predict research " +
			"investigate propose prepare solve answer reply respond discuss narrate recite sing imagine pretend act play recall render spell say state claim mention inform assist help teach break " +
			"schedule organize organise arrange",
		shapes: "include add insert integrate incorporate introduce modify enhance augment replace substitute rearrange scramble reorder jumble mix group combine use employ utilize leverage adopt blend weave merge fuse meld infuse inject interweave deploy absorb harmonize harmonise enlist seamlessly place put end begin start finish conclude " +
			"append prepend misspell promote advertise anagram reverse swap shift output print send email forward delete transfer book buy order pay visit go click open invite share post grant " +
			"cancel ask urge encourage advise remind let notify alert please ensure change update slip work fill embed execute run call search look get ignore",
		queries: "what whats how why who whos whom whose which where when can could would will do does did is are was should may",
	} {
		for _, w := range strings.Fields(words) {
			m[w] |= k
		}
	}
	return m
}()

// pointing are words that tie a sentence to the text around it or to the person
// for whom that was written.
var pointing = set("this these those here above below it its they them their he she his her we our us you your yours youre attached enclosed")

// filler are the words of requests that say nothing of what they are about.
var filler = set("about answer answers response reply sentence sentences word words letter letters number numbers between using would could should please there where which while their every " +
	"following other first second third explain describe example simple write after before without include include message provide process difference primary important people another")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// stray finds the first stray request of a text.
func stray(text string) (span textmodel.Span, found bool) {
	if len(text) < minDocument || strings.IndexByte(text, '\n') < 0 {
		return span, false
	}
	looked := 0
	previous := "" // the line before, as far as it is not empty
	for start := 0; start < len(text); {
		end := start + strings.IndexByte(text[start:], '\n')
		if end < start {
			end = len(text)
		}
		line := strings.TrimRight(text[start:end], " \t\r")
		if embeds(line, text[min(end+1, len(text)):]) && !found {
			span, found = textmodel.Span{Start: int32(start), End: int32(start + len(line))}, true
		}
		if k := request(line); k != 0 {
			if looked++; looked > maxStray {
				return span, false
			}
			at := textmodel.Span{Start: int32(start), End: int32(start + len(line))}
			if !found && (row(previous) && (row(following(text[min(end+1, len(text)):])) || start+len(line)+2 > len(text)) || previous == "" && row(following(text[min(end+1, len(text)):])) || !heading(previous) && foreign(text, start, end, k)) {
				span, found = at, true
			}
		}
		if line != "" {
			previous = line
		}
		start = end + 1
	}
	return span, found
}

// following is the next line of a text that is not empty.
func following(text string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(text, " \t\r\n"), "\n")
	return line
}

// heading reports a line that announces the one below.
func heading(line string) bool {
	return len(line) > 2 && (line[0] == '#' || line[0] == '=' || line[0] == 'h' && line[2] == '.' || line[len(line)-1] == ':')
}

// row reports a line of a table.
func row(line string) bool {
	return len(line) > 2 && (line[0] == '|' || strings.Count(line, " | ") > 2 || strings.Count(line, "\t") > 2)
}

// request reports a line that has the form of a request, by its first word and
// its end.
func request(line string) kind {
	if len(line) < minLine || len(line) > maxLine || line[0] < 'A' || line[0] > 'Z' {
		return 0
	}
	switch line[len(line)-1] {
	case '.', '?', '!', '"', '\'', ')', '%', '&':
	default:
		return 0
	}
	word, rest := first(line)
	k := openers[word]
	if word == "please" {
		word, _ = first(rest)
		k = openers[word]
	}
	if word == "in" && (strings.HasPrefix(rest, " your response") || strings.HasPrefix(rest, " your answer") || strings.HasPrefix(rest, " your reply")) {
		k = shapes
	}
	if k == queries && line[len(line)-1] != '?' || strings.Count(line, " ") < 3 {
		return 0
	}
	return k
}

// embeds reports an order to put the code that follows into what its reader
// writes.
func embeds(line, rest string) bool {
	if len(line) < minLine || len(line) > maxLine || line[len(line)-1] != ':' || !strings.HasPrefix(strings.TrimLeft(rest, " \r\n"), "```") {
		return false
	}
	if !one(line, "snippet", "excerpt", "segment", "fragment", "code block", "code section", "following lines", "lines below", "code below", "following code", "subsequent code", "next code", "code that follows",
		"subsequent lines", "next lines", "this code") || one(line, "mport ", " app", " page", " file", " project") {
		return false
	}
	return one(line, " your code", " your solution", " your implementation", " your program", " your script", " your answer", " your response", " your algorithm", " your function", " your module", " your final",
		" your elucidation", " your reply", " your output", "Your code", "Your solution", "Your script", "Your final", "Your program", "solution you", "code you", "answer you") ||
		one(line, "block", "snippet", "excerpt", "section", "segment", "fragment") && openers[firstWord(line)]&shapes != 0
}

func one(line string, of ...string) bool {
	for _, s := range of {
		if strings.Contains(line, s) {
			return true
		}
	}
	return false
}

func firstWord(line string) string {
	word, _ := first(line)
	return word
}

// first cuts the first word off, in lower case; "" if it is longer than any opener.
func first(line string) (word, rest string) {
	line = strings.TrimLeft(line, " ")
	var buf [16]byte
	n, i := 0, 0
	for ; i < len(line); i++ {
		c := line[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == '\'' {
			continue
		}
		if c < 'a' || c > 'z' {
			break
		}
		if n == len(buf) {
			return "", ""
		}
		buf[n] = c
		n++
	}
	return string(buf[:n]), line[i:]
}

// foreign reports that none of the words that a line is about occurs near it,
// and that it points at nothing there.
func foreign(text string, start, end int, k kind) bool {
	about := 0
	addressed := false
	spoken := unquoted(text[start:end])
	told := openers[firstWord(spoken)] != 0 && one(spoken, "he user", " users ", "he reader", " readers ", "he customer") // what it says of them is no pointing
	before, behind := text[max(0, start-nearby):start], text[end:min(len(text), end+nearby)]
	if len(before)+len(behind) < minDocument {
		return false
	}
	words(spoken, func(word []byte) bool {
		if len(word) == 3 && string(word) == "you" || len(word) >= 4 && len(word) <= 5 && (string(word) == "your" || string(word) == "yours") {
			addressed = true
		}
		return true
	})
	free := told || len(spoken) < end-start && strings.IndexByte(text[start:end], ':') >= 0 || words(spoken, func(word []byte) bool {
		return !pointing[string(word)] || k&(shapes|asks) != 0 && addressed && replies(text[start:end])
	})
	ok := free && words(text[start:end], func(word []byte) bool {
		if len(word) < 5 || filler[string(word)] || openers[string(word)] != 0 || pointing[string(word)] {
			return true
		}
		about++
		stem := word[:min(len(word), 6)]
		return !contains(before, stem) && !contains(behind, stem)
	})
	if replies(text[start:end]) {
		return ok
	}
	return ok && about >= 1 && (k != shapes || told)
}

// unquoted is a line without what it quotes: "How does one write 'thank you' in
// Greek?" speaks to nobody.
func unquoted(line string) string {
	for _, quote := range [...]string{" '", ` "`} {
		from := strings.Index(line, quote)
		to := strings.LastIndexByte(line, quote[1])
		if from >= 0 && to > from+2 {
			return line[:from] + line[to+1:]
		}
	}
	return line
}

// replies reports that a line speaks of the answer that its reader gives.
func replies(line string) bool {
	for _, s := range [...]string{"your answer", "your reply", "your response", "your message", "the answer", "the reply", "the response"} {
		if strings.Contains(line, s) {
			return true
		}
	}
	return false
}

// words calls yield with each word of ASCII letters in lower case until it
// returns false, and reports whether it never did. Words are cut at 16 letters.
func words(text string, yield func(word []byte) bool) bool {
	var buf [16]byte
	n := 0
	for i := 0; i <= len(text); i++ {
		var c byte
		if i < len(text) {
			c = text[i] | 0x20
		}
		if 'a' <= c && c <= 'z' || i < len(text) && text[i] >= utf8.RuneSelf {
			if n < len(buf) {
				buf[n] = c
				n++
			}
			continue
		}
		if n > 0 && !yield(buf[:n]) {
			return false
		}
		n = 0
	}
	return true
}

// contains reports a word of the text that begins with stem, in any case.
func contains(text string, stem []byte) bool {
	for i := 0; i+len(stem) <= len(text); i++ {
		if text[i]|0x20 != stem[0] || i > 0 && (text[i-1]|0x20 >= 'a' && text[i-1]|0x20 <= 'z') {
			continue
		}
		j := 1
		for j < len(stem) && text[i+j]|0x20 == stem[j] {
			j++
		}
		if j == len(stem) {
			return true
		}
	}
	return false
}
