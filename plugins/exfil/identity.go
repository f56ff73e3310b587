package main

import (
	_ "embed"
	"slices"
	"strings"
)

// identity is a number that a state gives people. It counts where it is announced
// and its check digits hold.
type identity struct {
	name  string
	words []string
	forms []string
	check func(string) bool
}

//go:embed identities.txt
var identityFile string

var identities = func() (all []identity) {
	lines(identityFile, func(fields []string) {
		id := identity{name: fields[0], check: checks[fields[1]], forms: strings.Split(fields[2], ",")}
		if id.check == nil {
			panic("exfil: check " + fields[1])
		}
		for _, word := range fields[3:] {
			id.words = append(id.words, strings.ReplaceAll(word, "_", " "))
		}
		all = append(all, id)
	})
	return all
}()

// documents are announced alone: their numbers have no check digits that are the
// same everywhere.
var documents = [...]string{"passport number", "passport no", "passport #", "passport is", "passport:", "passport id", "driver's license", "drivers license", "driver license",
	"driver’s license", "driving licence", "driving license", "driver's licence", "drivers licence", "license number is", "licence number is",
	"reisepassnummer", "führerscheinnummer", "numéro de passeport", "número de pasaporte"}

// announcer is what announces an identity, or a document where identity is less than 0.
type announcer struct {
	text     string
	identity int
}

// announcers are ordered by their first two bytes, in lower case.
var announcers = func() (all []announcer) {
	for i := range identities {
		for _, w := range identities[i].words {
			all = append(all, announcer{w, i})
		}
	}
	for _, w := range documents {
		all = append(all, announcer{w, -1})
	}
	for _, w := range [...]string{"iban"} {
		all = append(all, announcer{w, -2})
	}
	slices.SortStableFunc(all, func(a, b announcer) int { return int(pair(a.text)) - int(pair(b.text)) })
	return all
}()

// pair is the first two bytes of a text, whatever the case.
func pair(text string) uint16 { return uint16(text[0]|0x20)<<8 | uint16(text[1]|0x20) }

// identityReach is how far behind its announcement a number may begin.
const identityReach = 40

// identified finds a number that the words at text[i] announce.
func identified(text string, i int) *hit {
	if len(text)-i < 10 || i > 0 && alnum.has(text[i-1]) {
		return nil
	}
	first := pair(text[i:])
	at, _ := slices.BinarySearchFunc(announcers, first, func(a announcer, p uint16) int { return int(pair(a.text)) - int(p) })
	for ; at < len(announcers) && pair(announcers[at].text) == first; at++ {
		a := &announcers[at]
		after := i + len(a.text)
		if !fold(text[i:], a.text) || after < len(text) && alnum.has(text[after]) && alnum.has(text[after-1]) {
			continue
		}
		if h := a.number(text, after); h != nil {
			return h
		}
	}
	return nil
}

// number looks for what is announced among the words from text[i] on.
func (a *announcer) number(text string, i int) *hit {
	for j := i; j < len(text) && j-i <= identityReach; j++ {
		if !alnum.has(text[j]) || alnum.has(text[j-1]) || j-2 >= i && alnum.has(text[j-2]) && strings.IndexByte("-./", text[j-1]) >= 0 {
			continue
		}
		switch a.identity {
		case -1:
			if end := document(text, j); end > 0 {
				return &hit{rule: ruleDocument, confidence: 0.7, start: j, end: end, what: "document number"}
			}
		case -2:
			if h := iban(capitals(text[j:min(len(text), j+44)]), 0); h != nil {
				return &hit{rule: ruleIBAN, confidence: 0.9, start: j, end: j + h.end, what: "IBAN"}
			}
		default:
			id := &identities[a.identity]
			for _, form := range id.forms {
				if end := id.matches(text, j, form); end > 0 {
					if id.name == "us-ssn" {
						return &hit{rule: ruleSSN, confidence: 0.85, start: j, end: end, what: "social security number"}
					}
					return &hit{rule: ruleIdentity, confidence: 0.85, start: j, end: end, what: "national identity number"}
				}
			}
		}
	}
	return nil
}

// capitals makes capitals of the letters of ASCII.
func capitals(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}

// matches returns where a number of this form that begins at text[i] ends, 0 if
// there is none. Single separators may stand anywhere inside.
func (id *identity) matches(text string, i int, form string) int {
	var compact [20]byte
	n, j := 0, i
	for ; n < len(form) && j < len(text); j++ {
		c := text[j]
		want := form[n]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch {
		case want == 'd' && digits.has(c), want == 'a' && upperLetter(c), want == '*' && upperNum.has(c), want == c:
			compact[n] = c
			n++
		case n > 0 && strings.IndexByte(" -./(", c) >= 0 && alnum.has(text[j-1]):
		default:
			return 0
		}
	}
	if n < len(form) || j < len(text) && (alnum.has(text[j]) || text[j] == '-' && j+1 < len(text) && digits.has(text[j+1])) || !id.check(string(compact[:n])) {
		return 0
	}
	return j
}

// document returns where a document's number that begins at text[i] ends: five to
// twenty capitals and digits, four digits of them at the least.
func document(text string, i int) int {
	end, many := i, 0
	for end < len(text) && (upperNum.has(text[end]) || end > i && text[end] == '-' && end+1 < len(text) && alnum.has(text[end+1]) || lowNum.has(text[end])) {
		if digits.has(text[end]) {
			many++
		}
		end++
	}
	if n := end - i; n < 5 || n > 20 || many < 4 || many*2 < n || uuid(text[i:end]) || date(text[i:end]) {
		return 0
	}
	return end
}

// date reports a day as ISO 8601 writes it, or a year and a month.
func date(value string) bool {
	return len(value) >= 7 && len(value) <= 10 && onlyDigits(value[:4]) && value[4] == '-' && (value[:2] == "19" || value[:2] == "20") ||
		len(value) == 10 && value[2] == '-' && value[5] == '-'
}
