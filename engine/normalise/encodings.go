package normalise

import (
	"encoding/base64"
	"strings"
)

// minRun is the shortest run of an encoding's alphabet that is decoded: 16
// characters of base64 are 12 bytes, which are text by chance once in 10^4
// runs of random ones, and hardly ever in words.
const minRun = 16

// base64Text decodes the runs that hold text, in either alphabet, padded or
// not, over line breaks.
func base64Text(s string) string {
	var found []string
	for at := 0; at < len(s); {
		run, end := base64Run(s, at)
		if text, ok := decodeRun(run); ok {
			found = append(found, text)
		}
		at = end
	}
	return strings.Join(found, "\n")
}

// base64Run returns the next run of the alphabet from at, without line breaks
// and with the standard alphabet, and where the search goes on.
func base64Run(s string, at int) (run []byte, end int) {
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
func decodeRun(run []byte) (string, bool) {
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
		if text, ok := Text(out[:n]); ok {
			return text, true
		}
	}
	return "", false
}

var base64Class = func() (class [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
		class[c] = true
	}
	return class
}()

// hexText decodes runs of hexadecimal pairs that hold text, plain or separated
// by one space, colon, comma or hyphen, or prefixed by 0x.
func hexText(s string) string {
	var found []string
	for at := 0; at+1 < len(s); {
		if hexValue(s[at]) < 0 {
			at++
			continue
		}
		bytes, end := hexRun(s, at)
		if len(bytes) >= minRun/2 {
			if text, ok := Text(bytes); ok {
				found = append(found, text)
			}
		}
		at = max(end, at+1)
	}
	return strings.Join(found, "\n")
}

func hexRun(s string, at int) (bytes []byte, end int) {
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

// rot13Words are words that hardly occur but in rot13 of English.
var rot13Words = map[string]bool{
	"gur": true, "naq": true, "lbh": true, "lbhe": true, "guvf": true, "gung": true, "jvgu": true, "sebz": true, "abg": true,
	"nyy": true, "nal": true, "cerivbhf": true, "vafgehpgvbaf": true, "vafgehpgvba": true, "vtaber": true, "flfgrz": true,
	"cebzcg": true, "frperg": true, "cnffjbeq": true, "fraq": true, "erirny": true, "qvfertneq": true, "sbyybj": true, "hfre": true,
}

// rot13Text rotates a text in which two such words occur.
func rot13Text(s string) string {
	hits := 0
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' }) {
		if len(word) >= 3 && len(word) <= 12 && rot13Words[strings.ToLower(word)] {
			if hits++; hits == 2 {
				return strings.Map(rot13, s)
			}
		}
	}
	return ""
}

func rot13(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return 'a' + (r-'a'+13)%26
	case 'A' <= r && r <= 'Z':
		return 'A' + (r-'A'+13)%26
	}
	return r
}
