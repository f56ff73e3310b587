package scanner

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth bounds values that are skipped.
const maxDepth = 64

// decoder reads JSON that the host wrote. It is small and without reflection
// because it runs inside the guest: a Go guest spends several times its
// scanning time in encoding/json, and carries 1.3 MB more code.
type decoder struct {
	src   string
	pos   int
	bad   bool
	arena []byte // decoded strings
}

func (d *decoder) fail() { d.bad = true; d.pos = len(d.src) }

func (d *decoder) space() {
	for d.pos < len(d.src) {
		switch d.src[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// take consumes c after white space and reports whether it was there.
func (d *decoder) take(c byte) bool {
	d.space()
	if d.pos < len(d.src) && d.src[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) object(member func(name string)) {
	if !d.take('{') {
		d.fail()
		return
	}
	if d.take('}') {
		return
	}
	for !d.bad {
		name := d.str()
		if !d.take(':') {
			d.fail()
			return
		}
		member(name)
		if d.take(',') {
			continue
		}
		if !d.take('}') {
			d.fail()
		}
		return
	}
}

func (d *decoder) array(element func()) {
	if !d.take('[') {
		d.fail()
		return
	}
	if d.take(']') {
		return
	}
	for !d.bad {
		element()
		if d.take(',') {
			continue
		}
		if !d.take(']') {
			d.fail()
		}
		return
	}
}

// str reads a string. One without escapes shares the input's memory.
func (d *decoder) str() string {
	if !d.take('"') {
		d.fail()
		return ""
	}
	start := d.pos
	if d.plain() == '"' {
		return d.src[start : d.pos-1]
	}
	return d.escaped(start)
}

// plain moves past the next quote or backslash and returns it; 0 at the end.
// It reads eight bytes at a time: inside a guest every turn of a loop costs a
// look at the deadline.
func (d *decoder) plain() byte {
	for d.pos+8 <= len(d.src) {
		if n := special(d.src[d.pos : d.pos+8]); n < 8 {
			d.pos += n + 1
			return d.src[d.pos-1]
		}
		d.pos += 8
	}
	for d.pos < len(d.src) {
		c := d.src[d.pos]
		d.pos++
		if c == '"' || c == '\\' {
			return c
		}
	}
	d.fail()
	return 0
}

// special returns the index of the first quote or backslash in eight bytes, 8
// if there is none: the usual test for a zero byte, exact for the first one.
func special(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, slash := w^ones*'"', w^ones*'\\'
	return bits.TrailingZeros64(((quote-ones)&^quote|(slash-ones)&^slash)&highs) / 8
}

// escaped goes on with a string whose first escape was just found. A decoded
// string is never longer than its encoding, so that one arena as long as the
// input holds all of them and is written once.
func (d *decoder) escaped(start int) string {
	if d.arena == nil {
		d.arena = make([]byte, 0, len(d.src)-start)
	}
	from := len(d.arena)
	for !d.bad {
		d.arena = append(d.arena, d.src[start:d.pos-1]...)
		if d.src[d.pos-1] == '"' {
			return unsafe.String(unsafe.SliceData(d.arena[from:]), len(d.arena)-from)
		}
		if d.pos == len(d.src) {
			break
		}
		c := d.src[d.pos]
		d.pos++
		if plain := escapes[c]; plain != 0 {
			d.arena = append(d.arena, plain)
		} else if r, ok := d.unicode(c); ok {
			d.arena = utf8.AppendRune(d.arena, r)
		} else {
			break
		}
		start = d.pos
		d.plain()
	}
	d.fail()
	return ""
}

// escapes are the characters that a backslash and a letter stand for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unicode decodes what follows \u, or two of them for a surrogate pair.
func (d *decoder) unicode(c byte) (r rune, ok bool) {
	if c != 'u' {
		return 0, false
	}
	if r = d.hex4(); utf16.IsSurrogate(r) {
		if !strings.HasPrefix(d.src[d.pos:], `\u`) {
			return 0, false
		}
		d.pos += 2
		if r = utf16.DecodeRune(r, d.hex4()); r == utf8.RuneError {
			return 0, false
		}
	}
	return r, !d.bad
}

func (d *decoder) hex4() (r rune) {
	if len(d.src)-d.pos < 4 {
		d.fail()
		return 0
	}
	for _, c := range []byte(d.src[d.pos : d.pos+4]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			d.fail()
			return 0
		}
	}
	d.pos += 4
	return r
}

// integer reads a whole number of at most nine digits: every number of the
// input schema is an index or a limit.
func (d *decoder) integer() int {
	d.space()
	negative := d.take('-')
	n, start := 0, d.pos
	for d.pos < len(d.src) && '0' <= d.src[d.pos] && d.src[d.pos] <= '9' {
		n = n*10 + int(d.src[d.pos]-'0')
		if d.pos++; d.pos-start > 9 {
			d.fail()
			return 0
		}
	}
	if d.pos == start {
		d.fail()
	}
	if negative {
		return -n
	}
	return n
}

// skip passes over a value that this version does not know.
func (d *decoder) skip(depth int) {
	d.space()
	if depth > maxDepth || d.pos == len(d.src) {
		d.fail()
		return
	}
	switch d.src[d.pos] {
	case '{':
		d.object(func(string) { d.skip(depth + 1) })
	case '[':
		d.array(func() { d.skip(depth + 1) })
	case '"':
		d.str()
	default: // number, true, false, null
		start := d.pos
		for d.pos < len(d.src) && strings.IndexByte(",]} \t\r\n", d.src[d.pos]) < 0 {
			d.pos++
		}
		if d.pos == start {
			d.fail()
		}
	}
}
