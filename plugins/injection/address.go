package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// How a text speaks to a model, in lower case. What only speaks about one, as
// half of all pages do by now, is none of this.

// greetings stand before the word for whoever is spoken to.
var greetings = newEndings("dear ", "hey ", "hi ", "hello ", "attention ", "note to ", "note for ", "message to ", "message for ", "instruction to ",
	"instructions to ", "instruction for ", "instructions for ", "notice to ", "notice for ", "to the ", "for the ", "to all ", "to any ", "to every ", "for all ",
	"for any ", "for every ", "to ai ", "for ai ", "note to ai ", "if you are an ", "if you are a ", "if you're an ", "as an ", "addressed to ", "this is for ", "all ", "every ", "any ",
	"an den ", "an die ", "für den ", "für die ", "hinweis: der ", "lieber ", "liebe ", "al ", "para el ", "para la ", "querido ", "à l'", "de l'", "pour l'", "cher ", "chère ", "all'", "per l'", "caro ")

// articles stand before the word where it is spoken about.
var articles = newEndings(" a ", " an ", " our ", " your ", " my ", " their ", " his ", " her ", " this ", " that ", " new ", " best ", " free ")

// modals tell the addressee to do something.
var modals = literal.New("must", "should", "shall", "has to", "have to", "is required", "are required", "needs to", "need to", "please", "is to ", "are to ", "will now", "muss", "soll", "debe", "doit", "deve", "überweist", "sendet")

// orders are words that tell somebody to do something.
var orders = literal.New("you must", "you have to", "you need to", "you should", "wants you", "asks you", "your task", "your user", "please", "first",
	"before", "do not", "don't", "instead", "ignore", "forget", "disregard", "required", "send", "forward", "upload", "transfer", "run ", "execute", "read ", "open ",
	"visit", "share", "invite", "delete", "reserve", "reservation", "book ", "change", "set ", "add ", "also ", "post ", "put ", "create", "copy ")

const (
	greetingReach = 24 // bytes before the word
	modalReach    = 90 // and behind it
	scriptReach   = 400
)

// addressed reports that text[start:end], a word for a model, is whom the text
// speaks to, and that an order follows.
func addressed(low *lowercase, start, end int) bool {
	text := low.text
	if hasThe(text[start:end]) {
		start += len("the ")
	}
	if start < end && text[start] >= 0x80 { // a word of another script is not told apart further
		return true
	}
	if !spokenTo(low, start, end) { // asked first, because it looks at little
		return false
	}
	after := low.of(end, min(len(text), end+addressFar))
	return (orders.In(after) || !ascii(after)) && !spokenBy(text, start, after)
}

// spokenTo reports that the words beside a word for a model speak to it.
func spokenTo(low *lowercase, start, end int) bool {
	before := undecorated(low.of(max(0, start-greetingReach), start))
	if len(before) < longestArticle {
		before = " " + before
	}
	if greetings.of(before) {
		return true
	}
	if articles.of(before) {
		return false
	}
	clause := low.of(end, min(len(low.text), end+modalReach))
	rest := clause
	for rest != "" && beside[rest[0]]&behind != 0 {
		rest = rest[1:]
	}
	if strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, ",") && opensLine(before) {
		return true
	}
	clause = sentenceOf(clause)
	return modals.In(clause) || strings.IndexByte(clause, ':') >= 0
}

// longestArticle is the length of the longest of articles.
const longestArticle = len(" their ")

// What may stand beside a word, before and behind it.
const (
	ahead  = 1 << iota // before
	behind             // after
)

var beside = func() (t [256]uint8) {
	for mark, of := range map[uint8]string{ahead: "*_\"'(<[", behind: "s*_\"')]>"} {
		for i := range len(of) {
			t[of[i]] |= mark
		}
	}
	return t
}()

// undecorated is a text without what decorates the word behind it.
func undecorated(text string) string {
	for text != "" && beside[text[len(text)-1]]&ahead != 0 {
		text = text[:len(text)-1]
	}
	return text
}

func hasThe(word string) bool { return len(word) > 4 && strings.EqualFold(word[:4], "the ") }

// spokenBy reports the label of a turn in a conversation that has other turns.
func spokenBy(text string, start int, after string) bool {
	if !strings.HasPrefix(after, ":") || start > 0 && text[start-1] != '\n' {
		return false
	}
	around := strings.ToLower(text[max(0, start-scriptReach):min(len(text), start+scriptReach)])
	return anyIn(around, []string{"customer:", "user:", "client:", "human:", "visitor:", "caller:", "kunde:", "student:", "guest:"})
}

func opensLine(before string) bool {
	before = strings.TrimRight(before, " \t")
	return before == "" || strings.IndexByte(".!?\n>-#:", before[len(before)-1]) >= 0
}

func anyIn(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// endings are the ends of a text, by their last byte but one: most end with a space.
type endings [256][]string

func newEndings(all ...string) *endings {
	var e endings
	for _, s := range all {
		e[s[len(s)-2]] = append(e[s[len(s)-2]], s)
	}
	return &e
}

// of reports that a text has one of the ends.
func (e *endings) of(text string) bool {
	return len(text) > 1 && anyEnd(text, e[text[len(text)-2]])
}

func anyEnd(text string, words []string) bool {
	for _, w := range words {
		if strings.HasSuffix(text, w) {
			return true
		}
	}
	return false
}
