package normalise

import (
	"html"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// plainText replaces, in place, every character that is written in another way
// than a reader sees it, and names the decoders that had something to do, ""
// for none.
func plainText(s string, isASCII bool) (plain, decoders string) {
	if text := unescape(s, '%', percent); text != s {
		s, decoders = text, "percent"
	}
	if text := unescape(s, '\\', backslash); text != s {
		name := "escape"
		if isJSON(s) {
			name = "json"
		}
		s, decoders = text, chain(decoders, name)
	}
	if mayHaveEntities(s) {
		if text := html.UnescapeString(s); text != s {
			s, decoders = text, chain(decoders, "entity")
		}
	}
	if isASCII && (decoders == "" || ascii(s)) {
		return s, decoders
	}
	traits := foreignTraits(s)
	if traits&traitInvisible != 0 {
		s, decoders = stripInvisible(s), chain(decoders, "invisible")
	}
	if traits&traitUnsettled != 0 {
		if text := norm.NFKC.String(s); text != s {
			s, decoders, traits = text, chain(decoders, "nfkc"), foreignTraits(text)
		}
	}
	if traits&traitLookalike != 0 {
		if text := foldConfusables(s); text != s {
			s, decoders = text, chain(decoders, "confusables")
		}
	}
	return s, decoders
}

func isJSON(s string) bool {
	t := strings.TrimLeft(s, " \t\r\n")
	return t != "" && (t[0] == '{' || t[0] == '[') && jsontext.Value(s).IsValid()
}

// mayHaveEntities reports whether something after an ampersand could be a
// character reference: they begin with a letter or #.
func mayHaveEntities(s string) bool {
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 || i+1 == len(s) {
			return false
		}
		s = s[i+1:]
		if s[0] == '#' || isLatin(rune(s[0])) {
			return true
		}
	}
}
