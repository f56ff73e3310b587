package normalise

import (
	"encoding/base64"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The reference is the normaliser written for the eye: each decoder walks the
// whole text and allocates as it likes. Views must give what it gives.

var referenceExtractors = []struct {
	name    string
	extract func(string) string
}{
	{"tag", referenceTag},
	{"variation", referenceVariation},
	{"html-comment", referenceComments},
	{"base64", referenceBase64},
	{"hex", referenceHex},
	{"rot13", referenceROT13},
}

func referenceViews(text string, lim Limits) (views []View, complete bool) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	room, full, seen := lim.Factor*len(text)+slack, false, map[string]bool{"": true, text: true}
	views = []View{{Text: text}}
	offer := func(v View) {
		switch {
		case seen[v.Text]:
		case len(v.Text) > room:
			full = true
		default:
			seen[v.Text] = true
			room -= len(v.Text)
			views = append(views, v)
		}
	}
	for depth, i, ends := 0, 0, 1; depth < lim.Depth; depth++ {
		for ; i < ends; i++ {
			v := views[i]
			if plain, decoders := referencePlain(v.Text); decoders != "" {
				offer(View{plain, chain(v.Provenance, decoders)})
			}
			for _, e := range referenceExtractors {
				if found := e.extract(v.Text); found != "" {
					offer(View{found, chain(v.Provenance, e.name)})
				}
			}
		}
		ends = len(views)
	}
	return views[1:], !full
}

// Text turns bytes that somebody encoded into text, dropping the zero bytes of
// UTF-16. ok is false where a model could not read them: less than 85 % is
// printable. Media reaches about a third.
func referenceText(b []byte) (text string, ok bool) {
	var out strings.Builder
	printable, total := 0, 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		if r == 0 {
			continue
		}
		total++
		if r != utf8.RuneError && (unicode.IsPrint(r) || unicode.IsSpace(r)) {
			printable++
		}
		out.WriteRune(r)
	}
	return out.String(), total >= minText && printable*100 >= total*85
}

// tagText decodes characters of the tag block (U+E0020..U+E007E), which are
// invisible copies of ASCII.
func referenceTag(s string) string {
	if !strings.Contains(s, "\xf3\xa0") { // all of them begin so in UTF-8
		return ""
	}
	var out strings.Builder
	for _, r := range s {
		if 0xE0020 <= r && r <= 0xE007E {
			out.WriteByte(byte(r - 0xE0000))
		}
	}
	return atLeast(out.String())
}

// variationText decodes bytes written as runs of variation selectors: 1 to 16
// are the bytes 0 to 15, 17 to 256 the others. One alone styles an emoji.
func referenceVariation(s string) string {
	if ascii(s) {
		return ""
	}
	var bytes []byte
	run := 0
	for _, r := range s {
		switch {
		case 0xFE00 <= r && r <= 0xFE0F:
			bytes = append(bytes, byte(r-0xFE00))
		case 0xE0100 <= r && r <= 0xE01EF:
			bytes = append(bytes, byte(r-0xE0100+16))
		default:
			if run < minText {
				bytes = bytes[:len(bytes)-run]
			}
			run = 0
			continue
		}
		run++
	}
	if text, ok := referenceText(bytes); ok {
		return text
	}
	return ""
}

// comments returns what stands in HTML comments; the last may be unclosed.
func referenceComments(s string) string {
	var found []string
	for {
		_, rest, ok := strings.Cut(s, "<!--")
		if !ok {
			return strings.Join(found, "\n")
		}
		var comment string
		comment, s, _ = strings.Cut(rest, "-->")
		if comment = strings.TrimSpace(comment); comment != "" {
			found = append(found, comment)
		}
	}
}

// base64Text decodes the runs that hold text, in either alphabet, padded or
// not, over line breaks.
func referenceBase64(s string) string {
	var found []string
	for at := 0; at < len(s); {
		run, end := referenceBase64Run(s, at)
		if text, ok := referenceDecodeRun(run); ok {
			found = append(found, text)
		}
		at = end
	}
	return strings.Join(found, "\n")
}

// base64Run returns the next run of the alphabet from at, without line breaks
// and with the standard alphabet, and where the search goes on.
func referenceBase64Run(s string, at int) (run []byte, end int) {
	start := at
	for start < len(s) && !base64Class[s[start]] {
		start++
	}
	end = start
	for end < len(s) && base64Class[s[end]] {
		end++
	}
	// Lines of an encoder are long, and as long as each other.
	for wrapped := end; wrapped-start >= 60; {
		next := wrapped
		for next < len(s) && (s[next] == '\r' || s[next] == '\n') {
			next++
		}
		if next == wrapped || next == len(s) || !base64Class[s[next]] {
			break
		}
		for wrapped = next; wrapped < len(s) && base64Class[s[wrapped]]; wrapped++ {
		}
		end = wrapped
	}
	if end-start < minRun {
		return nil, end
	}
	run = make([]byte, 0, end-start)
	for _, c := range []byte(s[start:end]) {
		switch c {
		case '-':
			c = '+'
		case '_':
			c = '/'
		case '\r', '\n':
			continue
		}
		run = append(run, c)
	}
	return run, end
}

// decodeRun tries every alignment: a path or a word may be glued to the front.
func referenceDecodeRun(run []byte) (string, bool) {
	for skip := 0; skip < 4 && len(run)-skip >= minRun; skip++ {
		body := run[skip:]
		if len(body)%4 == 1 {
			body = body[:len(body)-1]
		}
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(body)))
		n, err := base64.RawStdEncoding.Decode(out, body)
		if err != nil {
			continue
		}
		if text, ok := referenceText(out[:n]); ok {
			return text, true
		}
	}
	return "", false
}

// hexText decodes runs of hexadecimal pairs that hold text, plain or separated
// by one space, colon, comma or hyphen, or prefixed by 0x.
func referenceHex(s string) string {
	var found []string
	for at := 0; at+1 < len(s); {
		if hexValue(s[at]) < 0 {
			at++
			continue
		}
		bytes, end := referenceHexRun(s, at)
		if len(bytes) >= minRun/2 {
			if text, ok := referenceText(bytes); ok {
				found = append(found, text)
			}
		}
		at = max(end, at+1)
	}
	return strings.Join(found, "\n")
}

func referenceHexRun(s string, at int) (bytes []byte, end int) {
	for end = at; end+1 < len(s); {
		high, low := hexValue(s[end]), hexValue(s[end+1])
		switch {
		case high == 0 && s[end+1]|0x20 == 'x' && end+3 < len(s) && hexValue(s[end+2]) >= 0:
			end += 2
			continue
		case high < 0 || low < 0:
			return bytes, end
		}
		bytes = append(bytes, byte(high<<4|low))
		end += 2
		if end < len(s) && strings.IndexByte(" :,-", s[end]) >= 0 {
			end++
			if end < len(s) && s[end] == ' ' {
				end++
			}
		}
	}
	return bytes, end
}

// rot13Text rotates a text in which two such words occur.
func referenceROT13(s string) string {
	hits := 0
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' }) {
		if len(word) >= 3 && len(word) <= 12 && rot13Words[strings.ToLower(word)] {
			if hits++; hits == 2 {
				return strings.Map(referenceRotate, s)
			}
		}
	}
	return ""
}

func referenceRotate(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return 'a' + (r-'a'+13)%26
	case 'A' <= r && r <= 'Z':
		return 'A' + (r-'A'+13)%26
	}
	return r
}

// plainText replaces, in place, every character that is written in another way
// than a reader sees it, and names the decoders that had something to do.
func referencePlain(s string) (plain, decoders string) {
	apply := func(name, next string) {
		if next != s {
			s, decoders = next, chain(decoders, name)
		}
	}
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
	if !ascii(s) {
		apply("invisible", referenceStrip(s))
		apply("nfkc", norm.NFKC.String(s))
		apply("confusables", referenceConfusables(s))
	}
	return strings.ToValidUTF8(s, "\uFFFD"), decoders
}

// stripInvisible removes what takes no room on the screen: zero-width and
// bidirectional controls, soft hyphens, variation selectors, tags.
func referenceStrip(s string) string {
	return strings.Map(func(r rune) rune {
		if referenceInvisible(r) {
			return -1
		}
		return r
	}, s)
}

func referenceInvisible(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case 0xE0000 <= r && r <= 0xE0FFF: // tags and the rest of their plane
		return true
	}
	switch r {
	case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0: // grapheme joiner and fillers
		return true
	}
	return false
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
	plain, alike := 0, 0
	for _, r := range word {
		switch {
		case toLatin(r) != 0:
			alike++
		case isLatin(r):
			plain++
		case !unicode.Is(unicode.Latin, r):
			return word
		}
	}
	if alike == 0 || plain == 0 && (!inLatinText || alike < 3) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if to := toLatin(r); to != 0 {
			return rune(to)
		}
		return r
	}, word)
}
