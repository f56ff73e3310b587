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
func plainText(s string, look look) (plain, decoders string) {
	if text := quotedPrintable(s); text != s {
		s, decoders = text, "quoted-printable"
	}
	if text := unescape(s, '%', percent); text != s {
		s, decoders = text, chain(decoders, "percent")
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
	if decoders != "" {
		look = lookAt(s)
	}
	traits := look.traits
	if look.controls || traits&traitInvisible != 0 {
		s, decoders = stripInvisible(s), chain(decoders, "invisible")
	}
	if traits == 0 {
		return s, decoders
	}
	apply := func(name, text string) {
		if text != s {
			s, decoders, traits = text, chain(decoders, name), foreignTraits(text)
		}
	}
	if traits&traitUnsettled != 0 {
		apply("nfkc", norm.NFKC.String(s))
	}
	if traits&traitMark != 0 {
		apply("marks", stripMarks(s))
	}
	if traits&traitAccent != 0 {
		apply("marks", stripAccents(s))
	}
	if traits&traitEnclosed != 0 {
		apply("enclosed", openEnclosed(s))
	}
	if traits&traitLookalike != 0 {
		apply("confusables", foldConfusables(s))
	}
	return s, decoders
}

// look is what the characters of a text are.
type look struct {
	controls bool  // some are controls of ASCII and no white space
	traits   trait // of those outside of ASCII
}

func lookAt(s string) (l look) {
	isASCII, controls := survey(s)
	if l.controls = controls; !isASCII {
		l.traits = foreignTraits(s)
	}
	return l
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
