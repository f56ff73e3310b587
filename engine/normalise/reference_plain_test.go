package normalise

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plainText replaces, in place, every character that is written in another way
// than a reader sees it, and names the decoders that had something to do.
func referencePlain(s string) (plain, decoders string) {
	apply := func(name, next string) {
		if next != s {
			s, decoders = next, chain(decoders, name)
		}
	}
	apply("quoted-printable", referenceQuotedPrintable(s))
	if strings.IndexByte(s, '%') >= 0 {
		apply("percent", referenceUnescape(s, '%', referencePercent))
	}
	if strings.IndexByte(s, '\\') >= 0 {
		name := "escape"
		if isJSON(s) {
			name = "json"
		}
		apply(name, referenceUnescape(s, '\\', referenceBackslash))
	}
	if strings.IndexByte(s, '&') >= 0 {
		apply("entity", html.UnescapeString(s))
	}
	apply("invisible", referenceStrip(s))
	apply("nfkc", norm.NFKC.String(s))
	apply("marks", referenceMarks(s))
	apply("marks", referenceAccents(s))
	apply("enclosed", referenceEnclosed(s))
	apply("confusables", referenceConfusables(s))
	return strings.ToValidUTF8(s, "\uFFFD"), decoders
}

var (
	referenceSoft = regexp.MustCompile(`[A-Za-z]=\r?\n[A-Za-z]`)
	referenceByte = regexp.MustCompile(`=(\r?\n|[0-9A-Fa-f]{2})`)
	referenceANSI = regexp.MustCompile(`\x1b\[[ -?]*[@-~]|\x1b\][^\x00-\x08\x0e-\x1f\x7f]*(\x07|\x1b\\)`)
)

// referenceQuotedPrintable decodes a text that is quoted-printable beyond doubt.
func referenceQuotedPrintable(s string) string {
	all := referenceByte.FindAllStringIndex(s, -1)
	adjacent, capitals, soft := 0, 0, 0
	for i, at := range all {
		code := s[at[0]+1 : at[1]]
		if i+1 < len(all) && all[i+1][0] == at[1] && strings.Trim(code, "\r\n") != "" {
			if next := s[all[i+1][0]+1 : all[i+1][1]]; next != "00" && strings.Trim(next, "\r\n") != "" {
				adjacent++
			}
		}
		if strings.ContainsAny(code, "ABCDEF") {
			capitals++
		}
		if at[0] > 0 && at[1] < len(s) && referenceSoft.MatchString(s[at[0]-1:at[1]+1]) {
			soft++
		}
	}
	if adjacent < 3 && capitals < 4 && soft < 2 {
		return s
	}
	return strings.ToValidUTF8(referenceByte.ReplaceAllStringFunc(s, func(e string) string {
		if strings.HasSuffix(e, "\n") {
			return ""
		}
		b, _ := strconv.ParseUint(e[1:], 16, 8)
		return string([]byte{byte(b)})
	}), "\uFFFD")
}

// referenceMarks takes the marks off Latin words that have some by themselves.
func referenceMarks(s string) string {
	return referenceWord.ReplaceAllStringFunc(s, func(word string) string {
		first, _ := utf8.DecodeRuneInString(word)
		if !unicode.Is(unicode.Latin, first) || strings.IndexFunc(word, referenceMark) < 0 {
			return word
		}
		return strings.Map(func(r rune) rune {
			if referenceMark(r) {
				return -1
			}
			return r
		}, norm.NFD.String(word))
	})
}

func referenceMark(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me) }

// referenceAccents makes plain the letters of a text in which two keywords have
// accents.
func referenceAccents(s string) string {
	words := 0
	for _, word := range referenceLatin.FindAllString(s, -1) {
		for _, word := range strings.FieldsFunc(word, func(r rune) bool { return !isLatin(r) && bare(r) == 0 }) {
			if plain := referenceBare(word); plain != word && keywords[strings.ToLower(plain)] {
				words++
			}
		}
	}
	if words < 2 {
		return s
	}
	return referenceBare(s)
}

func referenceBare(s string) string {
	return strings.Map(func(r rune) rune {
		if plain := bare(r); plain != 0 {
			return rune(plain)
		}
		return r
	}, s)
}

// referenceEnclosed opens circles, squares and flags, where there are many.
func referenceEnclosed(s string) string {
	n := 0
	opened := strings.Map(func(r rune) rune {
		if letter := enclosed(r); letter != 0 {
			n++
			return rune(letter)
		}
		return r
	}, s)
	if n < 8 {
		return s
	}
	return opened
}

// referenceParted puts spaces where only invisible characters part words.
func referenceParted(s string) string {
	places := 0
	var out strings.Builder
	runes := []rune(s)
	letter := func(i int) bool { return i >= 0 && i < len(runes) && isLatin(runes[i]) }
	for i := 0; i < len(runes); {
		end, hyphens := i, 0
		for end < len(runes) && runes[end] >= 0x80 && referenceInvisible(runes[end]) {
			if runes[end] == 0xAD {
				hyphens++
			}
			end++
		}
		switch {
		case end == i:
			out.WriteRune(runes[i])
			end++
		case hyphens < end-i && letter(i-1) && letter(i-2) && letter(end) && letter(end+1):
			places++
			out.WriteByte(' ')
		}
		i = end
	}
	if places < 3 {
		return ""
	}
	return out.String()
}

// referenceStrip removes what takes no room on the screen: zero-width and
// bidirectional controls, soft hyphens, variation selectors, tags.
func referenceStrip(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && (r < '\t' || r > '\r') || r == 0x7f || referenceInvisible(r) {
			return -1
		}
		return r
	}, referenceANSI.ReplaceAllString(s, ""))
}

// referenceInvisible is what Unicode says shows nothing: the format characters
// and what is ignored by default (UAX 44), with the controls beyond ASCII, but
// for the next line.
func referenceInvisible(r rune) bool {
	if r <= unicode.MaxASCII || r == 0x85 {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// TestInvisible holds the characters that are taken for invisible to Unicode's
// properties.
func TestInvisible(t *testing.T) {
	for r := rune(unicode.MaxASCII) + 1; r <= unicode.MaxRune; r++ {
		if got, want := invisible(r), referenceInvisible(r); got != want {
			t.Errorf("%U: %v, want %v", r, got, want)
		}
	}
}

// unescape replaces the sequences that begin with mark and that decode
// understands. decode gets what follows the mark and returns how much it used.
func referenceUnescape(s string, mark byte, decode func(rest string, out *strings.Builder) int) string {
	var out strings.Builder
	changed := false
	for {
		i := strings.IndexByte(s, mark)
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		used := decode(s[i+1:], &out)
		if used == 0 {
			out.WriteByte(mark)
		} else {
			changed = true
		}
		s = s[i+1+used:]
	}
	out.WriteString(s)
	if !changed {
		return out.String() // equal to s as it came
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

// percent decodes %41 of RFC 3986 and %u0041 of old scripts.
func referencePercent(rest string, out *strings.Builder) int {
	if r, ok := hexRune(rest, 2); ok {
		out.WriteByte(byte(r))
		return 2
	}
	if strings.HasPrefix(rest, "u") {
		if r, ok := hexRune(rest[1:], 4); ok {
			out.WriteRune(r)
			return 5
		}
	}
	return 0
}

// backslash decodes the escapes that JSON, C, JavaScript and Python share.
func referenceBackslash(rest string, out *strings.Builder) int {
	if rest == "" {
		return 0
	}
	switch rest[0] {
	case '0', '1', '2', '3':
		if len(rest) < 3 {
			return 0
		}
		b, err := strconv.ParseUint(rest[:3], 8, 8)
		if err != nil || strings.Contains(rest[:3], "_") {
			return 0
		}
		out.WriteByte(byte(b))
		return 3
	case '"', '\\', '/', '\'':
		out.WriteByte(rest[0])
		return 1
	case 'n', 'r', 't', 'f', 'v', 'b':
		out.WriteByte(' ')
		return 1
	case 'x':
		if r, ok := hexRune(rest[1:], 2); ok {
			out.WriteByte(byte(r))
			return 3
		}
	case 'u':
		return referenceUnicodeEscape(rest, out)
	case 'U':
		if r, ok := hexRune(rest[1:], 8); ok {
			out.WriteRune(r)
			return 9
		}
	}
	return 0
}

// unicodeEscape decodes u0041, u{41} and surrogate pairs.
func referenceUnicodeEscape(rest string, out *strings.Builder) int {
	if strings.HasPrefix(rest, "u{") {
		if end := strings.IndexByte(rest, '}'); 3 <= end && end <= 8 {
			if r, ok := hexRune(rest[2:], end-2); ok {
				out.WriteRune(r)
				return end + 1
			}
		}
		return 0
	}
	r, ok := hexRune(rest[1:], 4)
	if !ok {
		return 0
	}
	if 0xD800 <= r && r < 0xDC00 && len(rest) >= 11 && rest[5:7] == `\u` {
		if low, ok := hexRune(rest[7:], 4); ok && 0xDC00 <= low && low < 0xE000 {
			out.WriteRune((r-0xD800)<<10 + (low - 0xDC00) + 0x10000)
			return 11
		}
	}
	out.WriteRune(r)
	return 5
}

// foldConfusables makes Latin the words that only look so: words that mix
// Latin with letters drawn like it, and in a mostly Latin text those made of
// such letters alone. Words of another script nearly always have a letter that
// is drawn like none of Latin, and stay.
func referenceConfusables(s string) string {
	mostlyLatin := referenceMostlyLatin(s)
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(s)
		}
		out.WriteString(referenceFoldWord(s[:end], mostlyLatin))
		next := strings.IndexFunc(s[end:], unicode.IsLetter)
		if next < 0 {
			next = len(s) - end
		}
		out.WriteString(s[end : end+next])
		s = s[end+next:]
	}
	return out.String()
}

func referenceMostlyLatin(s string) bool {
	latin, other := 0, 0
	for _, r := range s {
		switch {
		case isLatin(r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	return latin > other
}

// foldWord folds a word whole or not at all.
func referenceFoldWord(word string, inLatinText bool) string {
	plain, alike, loose := 0, 0, 0
	for _, r := range word {
		switch {
		case toLatin(r) != 0:
			alike++
		case isLatin(r):
			plain++
		case toLatinLoosely(r) != 0:
			loose++
		case !unicode.Is(unicode.Latin, r):
			return word
		}
	}
	if alike+loose == 0 || plain == 0 && (!inLatinText || alike < 3 || loose > 0) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if to := toLatin(r); to != 0 {
			return rune(to)
		}
		if to := toLatinLoosely(r); to != 0 && plain > 0 {
			return rune(to)
		}
		return r
	}, word)
}
