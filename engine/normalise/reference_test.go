package normalise

import (
	"encoding/base32"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The reference is the normaliser written for the eye: each decoder walks the
// whole text and allocates as it likes. Views must give what it gives.

var referenceExtractors = []struct {
	name    string
	extract func(string) string
}{
	{"invisible", referenceParted},
	{"tag", referenceTag},
	{"variation", referenceVariation},
	{"html-comment", referenceComments},
	{"markdown", referenceMarkdown},
	{"base64", referenceBase64},
	{"base32", referenceBase32},
	{"hex", referenceHex},
	{"codes", referenceCodes},
	{"spaced", referenceSpaced},
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
	for depth, i, ends := 0, 0, 1; depth <= lim.Depth; depth++ {
		if depth == lim.Depth {
			room = 0 // what is found here is too deep
		}
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
			for _, found := range referenceCiphers(v.Text) {
				offer(View{found.Text, chain(v.Provenance, found.Provenance)})
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

var (
	referenceLine     = regexp.MustCompile(`^([\r\n]*)([A-Za-z0-9+/_-]+)`)
	referenceCapitals = regexp.MustCompile(`[A-Z2-7]{24,}`)
	referenceNumbers  = regexp.MustCompile(`[0-9 ,;|/\-\t\r\n]{16,}`)
	referenceDigits   = regexp.MustCompile(`[0-9]+`)
	referenceLetters  = regexp.MustCompile(`[A-Za-z]+`)
	referenceWord     = regexp.MustCompile(`[\pL\p{Mn}\p{Me}]+`)
	referenceLatin    = regexp.MustCompile(`[A-Za-z\x{C0}-\x{24F}\x{1E00}-\x{1EFF}]+`)
	referenceRun      = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`)
	referencePart     = regexp.MustCompile(`[A-Za-z0-9]+`)
)

// referenceBase64 decodes the runs that hold text, in either alphabet, padded
// or not, over line breaks.
func referenceBase64(s string) string {
	var found []string
	whole := 0
	for at := 0; ; {
		run := referenceRun.FindStringIndex(s[at:])
		if run == nil {
			return strings.Join(found, "\n")
		}
		start, end := at+run[0], at+run[1]
		at = end
		if start >= whole {
			if lines := referenceLines(s[start:]); lines != s[start:end] {
				if text, ok := referenceDecodeRun(lines); ok {
					found, at = append(found, text), start+len(lines)
					continue
				}
				whole = start + len(lines)
			}
		}
		if text, ok := referenceDecodeRun(s[start:end]); ok {
			found = append(found, text)
			continue
		}
		for _, part := range referencePart.FindAllString(s[start:end], -1) {
			if text, ok := referenceDecodeRun(part); ok && len(part) >= 24 && len(part) < end-start && ofLetters(text) {
				found = append(found, text)
			}
		}
	}
}

// referenceLines is the run with which s begins, and the lines after it that are
// as long, the last of them or shorter, or any after a line of sixty.
func referenceLines(s string) string {
	first := referenceLine.FindString(s)
	all := first
	for {
		next := referenceLine.FindStringSubmatch(s[len(all):])
		if next == nil || next[1] == "" || len(first) < 60 && len(next[2]) > len(first) {
			return all
		}
		all += next[0]
		if len(first) < 60 && len(next[2]) < len(first) {
			return all
		}
	}
}

// referenceDecodeRun tries every alignment: a path or a word may be glued to
// the front.
func referenceDecodeRun(run string) (string, bool) {
	run = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "").Replace(run)
	for skip := 0; skip < 4 && len(run)-skip >= minRun; skip++ {
		body := run[skip:]
		if len(body)%4 == 1 {
			body = body[:len(body)-1]
		}
		out, err := base64.RawStdEncoding.DecodeString(body)
		if err != nil {
			continue
		}
		if text, ok := referenceText(out); ok {
			return text, true
		}
	}
	return "", false
}

// referenceBase32 decodes the runs that hold text.
func referenceBase32(s string) string {
	var found []string
	for _, run := range referenceCapitals.FindAllString(s, -1) {
		for ; len(run)%8 == 1 || len(run)%8 == 3 || len(run)%8 == 6; run = run[:len(run)-1] {
		}
		out, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(run)
		if text, ok := referenceText(out); ok {
			found = append(found, text)
		}
	}
	return strings.Join(found, "\n")
}

// referenceCodes decodes lists of character codes.
func referenceCodes(s string) string {
	var found []string
	for _, run := range referenceNumbers.FindAllString(s, -1) {
		var list []string
		flush := func() {
			if text := referenceSpell(list); text != "" {
				found = append(found, text)
			}
			list = nil
		}
		for _, digits := range referenceDigits.FindAllString(run, -1) {
			if len(digits) <= 8 {
				list = append(list, digits)
				continue
			}
			flush()
			if text := referenceBits(digits); text != "" {
				found = append(found, text)
			}
		}
		flush()
	}
	return strings.Join(found, "\n")
}

func referenceBits(digits string) string {
	if strings.Trim(digits, "01") != "" || len(digits)%8 != 0 || len(digits) < 64 {
		return ""
	}
	var out []byte
	for ; digits != ""; digits = digits[8:] {
		b, _ := strconv.ParseUint(digits[:8], 2, 8)
		out = append(out, byte(b))
	}
	text, ok := referenceText(out)
	if !ok {
		return ""
	}
	return text
}

func referenceSpell(list []string) string {
	for _, base := range []int{2, 10, 8} {
		if base == 2 && len(list) < 8 || base != 2 && len(list) < 12 {
			continue
		}
		letters, spaces, rest := 0, 0, 0
		var out strings.Builder
		for _, digits := range list {
			code, err := strconv.ParseInt(digits, base, 64)
			if err != nil || base == 2 && len(digits) < 7 {
				code = -1
			}
			switch {
			case code == ' ':
				spaces++
			case 'a' <= code && code <= 'z' || 'A' <= code && code <= 'Z':
				letters++
			default:
				rest++
			}
			if code >= ' ' && code <= unicode.MaxRune || code == '\n' {
				out.WriteRune(rune(code))
			}
		}
		if letters > 0 && spaces > 0 && rest <= len(list)*15/100 {
			return out.String()
		}
	}
	return ""
}

// referenceApart looks in eight bytes, and only at the first letters that are
// one byte apart, or else two.
func referenceApart(s string, from int) bool {
	to := min(from+8, len(s))
	for gap := 1; gap <= 2; gap++ {
		for i := from; i+3+2*gap <= to; i++ {
			form := ""
			for _, c := range []byte(s[i : i+3+2*gap]) {
				if isLatin(rune(c)) {
					form += "a"
				} else {
					form += "."
				}
			}
			if form == "a.a.a" || form == "a..a..a" {
				between := s[i+1 : i+1+gap]
				return alone(s, i) && alone(s, i+2+2*gap) && between == s[i+2+gap:i+2+2*gap] &&
					(gap == 1 && strings.Contains(" .-_*|/~,+\n\t", between) || between == ")(" || between == "][")
			}
		}
	}
	return false
}

var referenceGap = regexp.MustCompile(`^[ .\-_*|/~,+\n\t()\[\]]+$`)

// referenceSpaced joins letters that stand apart, and makes a space of what is
// between two words of them.
func referenceSpaced(s string) string {
	isLetter := func(i int) bool { return i >= 0 && i < len(s) && isLatin(rune(s[i])) }
	inWord := func(i int) bool {
		return isLetter(i) || i >= 0 && i < len(s) && (s[i] >= 0x80 || '0' <= s[i] && s[i] <= '9')
	}
	var out strings.Builder
	spelt, near, last := 0, false, -1
	for i := 0; i < len(s); {
		if !isLetter(i) || inWord(i-1) || inWord(i+1) {
			i++
			continue
		}
		word, end, gap := s[i:i+1], i+1, ""
		for _, g := range []string{" ", ".", "-", "_", "*", "|", "/", "~", ",", "+", "\n", "\t", ")(", "]["} {
			if strings.HasPrefix(s[end:], g) {
				gap = g
			}
		}
		for n := len(gap); n > 0 && strings.HasPrefix(s[end:], gap) && isLetter(end+n) && !inWord(end+n+1) && !inWord(end+n-1); end += n + 1 {
			word += s[end+n : end+n+1]
		}
		if len(word) >= 2 {
			if len(word) >= 4 {
				spelt += len(word)
			}
			if len(word) > 15 {
				word = divided(word)
			}
			switch between := s[max(last, 0):i]; {
			case last < 0:
			case referenceGap.MatchString(between):
				out.WriteString(" ")
			case len(between) > 80:
				out.WriteString("\n")
			default:
				out.WriteString(between)
			}
			out.WriteString(word)
			last = end
		}
		i = end
	}
	for i := 0; i < len(s); i += 8 { // worth a look only where eight bytes have three letters apart
		near = near || referenceApart(s, i)
	}
	if spelt < 10 || !near {
		return ""
	}
	return out.String()
}

// referenceCiphers deciphers a text in which two words betray the cipher.
func referenceCiphers(s string) (found []View) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' })
	count := func(undo func(string) string, more ...string) (n int) {
		for _, w := range words {
			if w = undo(strings.ToLower(w)); keywords[w] || slices.Contains(more, w) {
				n++
			}
		}
		return n
	}
	for shift := rune(1); shift <= 25; shift++ {
		undo := func(s string) string { return strings.Map(func(r rune) rune { return referenceShift(r, 26-shift) }, s) }
		switch {
		case shift == 13 && count(undo, commonWords...) >= 2:
			found = append(found, View{undo(s), "rot13"})
		case count(undo) >= 2:
			found = append(found, View{undo(s), "caesar"})
		}
	}
	mirror := func(s string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z':
				return 'a' + 'z' - r
			case 'A' <= r && r <= 'Z':
				return 'A' + 'Z' - r
			}
			return r
		}, s)
	}
	if count(mirror) >= 2 {
		found = append(found, View{mirror(s), "atbash"})
	}
	reverse := func(s string) string {
		r := []rune(s)
		slices.Reverse(r)
		return string(r)
	}
	if count(reverse) >= 2 {
		found = append(found, View{reverse(s), "reversed"},
			View{referenceLetters.ReplaceAllStringFunc(s, reverse), "reversed"})
	}
	return found
}

var (
	referenceLink  = regexp.MustCompile(`^[ \t\r\n]*(<[^>\n\[\]]*>?|[^\x00- )\[\]<][^\x00- )\[\]]*|)`)
	referenceTitle = regexp.MustCompile(`^[ \t\r\n]+(?:"([^"]*)"|'([^']*)'|\(([^)]*)\))`)
	referenceLabel = regexp.MustCompile(`^ *\[[^\]\n]*\]$`)
)

// referenceMarkdown returns the titles of links, and their targets if they are
// made of words.
func referenceMarkdown(s string) string {
	var found []string
	for at := 0; at < len(s); at++ {
		if at == 0 || s[at-1] != ']' {
			continue
		}
		line := s[strings.LastIndexByte(s[:at], '\n')+1 : at]
		if s[at] != '(' && (s[at] != ':' || !referenceLabel.MatchString(line)) {
			continue
		}
		target := referenceLink.FindStringSubmatchIndex(s[at+1:])
		if text := strings.Trim(s[at+1+target[2]:at+1+target[3]], "<>"); strings.Count(text, " ")+strings.Count(text, "+")+strings.Count(text, "%20") >= 2 {
			found = append(found, strings.NewReplacer("+", " ", "%20", " ").Replace(text))
		}
		at += 1 + target[3]
		if title := referenceTitle.FindStringSubmatch(s[at:]); title != nil {
			if text := strings.TrimSpace(title[1] + title[2] + title[3]); len(text) >= minText {
				found = append(found, text)
			}
			at += len(title[0]) - 1
		}
		at-- // what ends a target may begin the next
	}
	return strings.Join(found, "\n")
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
	line := 0
	for end = at; end+1 < len(s); {
		high, low := hexValue(s[end]), hexValue(s[end+1])
		switch {
		case strings.Contains("0x 0X U+ u+", s[end:end+2]) && s[end+1] != ' ' && s[end] != ' ' && end+3 < len(s) && hexValue(s[end+2]) >= 0:
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
		if rest := s[end:]; len(bytes)-line >= 8 && (strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, "\r\n")) {
			end += strings.IndexByte(rest, '\n') + 1
			line = len(bytes)
		}
	}
	return bytes, end
}

func referenceRotate(r rune) rune { return referenceShift(r, 13) }

func referenceShift(r, by rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return 'a' + (r-'a'+by)%26
	case 'A' <= r && r <= 'Z':
		return 'A' + (r-'A'+by)%26
	}
	return r
}
