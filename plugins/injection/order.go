package main

import (
	"math/bits"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	"github.com/bartizan-mcp/bartizan/plugins/swar"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// A plain order to send something somewhere is in every mailbox. It is
// remembered with its destination: that a call then sends there says that
// somebody followed it.

const (
	markOrder   = "order"
	ruleOrdered = "injection.ordered" // remembers; the text asks that something be sent to a place it names
)

// orderReach is how far behind its verb an order may name its destination, and
// placeReach how far behind the preposition.
const (
	orderReach = 200
	placeReach = 60
)

// orderVerbs is how many of the manifest's patterns are verbs of orders. They come
// behind situations; what follows is there for the trigger alone.
const orderVerbs = 17

// markOrders remembers orders to send whose verbs the host found.
func markOrders(in *scanner.Input, out *scanner.Output) {
	segment, end := -1, 0
	for i := range in.Hits {
		h := &in.Hits[i]
		if h.Pattern < situations || h.Pattern >= situations+orderVerbs || h.Segment == segment && h.Start < end {
			continue
		}
		text := in.Segments[h.Segment].Text
		if !opensOrder(text[:h.Start]) {
			continue
		}
		if n := task(text[h.Start:h.End], text[h.End:min(len(text), h.End+orderReach)]); n > 0 {
			addSpan(out, ruleAddressed, markLike, h.Segment, text, h.Start, h.End+n)
			segment, end = h.Segment, h.End+n
			continue
		}
		if n := destination(text[h.End:min(len(text), h.End+orderReach)]); n > 0 {
			addSpan(out, ruleOrdered, markOrder, h.Segment, text, h.Start, h.End+n)
			segment, end = h.Segment, h.End+n
		}
	}
}

// task returns how far an order goes that names the tool to be called, or that
// is an item of somebody's list of what to do. 0: it is none.
func task(verb, rest string) int {
	switch strings.ToLower(verb) {
	case "call ", "invoke ":
		rest = strings.ToLower(rest)
		name, _, _ := strings.Cut(strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(rest, "the "), "tool "), "`'\""), " ")
		if strings.IndexByte(name, '_') <= 0 {
			return 0
		}
	case "todo:":
		rest = strings.ToLower(rest)
		verb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if !anyEnd("|"+verb, deeds[:]) {
			return 0
		}
	default:
		return 0
	}
	if i := strings.Index(rest, "\n\n"); i >= 0 {
		return i
	}
	return len(rest)
}

// deeds are what an item of a list has an agent do.
var deeds = [...]string{"|send", "|transfer", "|make", "|create", "|invite", "|share", "|change", "|update", "|book", "|reserve", "|email", "|e-mail", "|mail",
	"|forward", "|post", "|upload", "|add", "|set", "|pay", "|give", "|buy", "|order"}

// before are the words after which a verb is an order.
var before = [...]string{"please", "and", "then", "also", "first", "now", "must", "should", "to", "kindly", "just", "you", "instead", "finally",
	"und", "et", "y", "e", "en", "i", "ve", "bitte", "favor"}

// opensOrder reports that an order may begin behind this text: a sentence, a
// line or an item of a list does, or a word asks for one.
func opensOrder(text string) bool {
	end := len(text)
	for end > 0 && between[text[end-1]]&sets != 0 {
		end--
	}
	if end == 0 {
		return true
	}
	c := text[end-1]
	if end == len(text) && c != '\n' && c != 'n' { // inside a word; an escaped line end is a line end
		return false
	}
	if between[c]&closes != 0 || c == 'n' && end > 1 && text[end-2] == '\\' {
		return true
	}
	start := end
	for start > 0 && between[text[start-1]]&parts == 0 {
		if start--; end-start > maxBefore {
			return false
		}
	}
	word := strings.ToLower(text[start:end])
	for _, w := range before {
		if word == w {
			return true
		}
	}
	return false
}

// maxBefore is the length of the longest of these words, in the characters of
// any script whose lower case is ASCII.
const maxBefore = 3 * len("instead")

// What stands between a verb and what asks for it.
const (
	sets   = 1 << iota // may stand before the verb
	closes             // ends what was before
	parts              // parts words
)

var between = func() (t [256]uint8) {
	for mark, of := range map[uint8]string{sets: " \t\"'`*-", closes: ".!?:;,\n\r>)]}|", parts: " \n\t\"'>:"} {
		for i := range len(of) {
			t[of[i]] |= mark
		}
	}
	return t
}()

// destination returns where the destination of an order ends: the first address,
// URL or account that is close behind a "to", in the same sentence. 0: none.
func destination(text string) int {
	if !mayHold(text) {
		return 0
	}
	for i := 0; i < len(text); {
		for text[i] != ' ' && text[i] != '\n' {
			if i++; i == len(text) {
				return 0
			}
		}
		i++
		rest := text[i:]
		if strings.HasPrefix(rest, "\n") || endsSentence(text[:i-1]) {
			return 0
		}
		for _, to := range [...]string{"to ", "to: ", "at ", "into ", "on "} {
			if strings.HasPrefix(rest, to) {
				if n := place(rest[:min(len(rest), placeReach)]); n > 0 {
					return i + n
				}
			}
		}
	}
	return 0
}

func endsSentence(text string) bool {
	return text != "" && strings.IndexByte(".!?", text[len(text)-1]) >= 0
}

// place returns the end of the first word that is an address, a URL or an
// account, in a text that begins with a preposition.
func place(text string) int {
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && !aside[text[end]] {
			end++
		}
		if word := text[i:end]; isPlace(word) {
			return end
		}
		i = end + 1
	}
	return 0
}

// aside are the bytes that end a word of an address.
var aside = [256]bool{' ': true, '\n': true, '\t': true, '"': true, '\'': true, '`': true, '<': true, '>': true, '(': true, ')': true, ',': true, ';': true}

// mayHold reports that a word of a text may be a place: it has what one needs.
func mayHold(text string) bool {
	last := len(text) - 8
	if last < 0 {
		return true
	}
	for i, digits := 0, 0; ; i = min(i+8, last) {
		v := swar.Load(text, i)
		w := swar.Same(v|swar.Ones*0x20, 'w') // of three, two are in the same eight bytes
		digits += bits.OnesCount64(swar.Same(v&(swar.Ones*0xf0), '0'))
		if swar.Equal(v, '@')|swar.Equal(v, '/')|w&(w>>8) != 0 || digits >= placeDigits {
			return true
		}
		if i == last {
			return false
		}
	}
}

// placeDigits are as many as an account has.
const placeDigits = 8

func isPlace(word string) bool {
	digits, at := 0, false
	for i := range len(word) {
		switch c := word[i]; {
		case c >= '@':
			at = at || c == '@' && word[0] != '@'
		case '0' <= c && c <= '9':
			digits++
		case c == '.' && at, c == ':' && strings.HasPrefix(word[i:], "://"):
			return true
		}
	}
	return digits >= placeDigits || literal.HasPrefixFold(word, "www.")
}
