package scanner

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds values that are skipped.
const maxDepth = 64

// decoder reads JSON that the host wrote. It is small and without reflection
// because it runs inside the guest: a Go guest spends several times its
// scanning time in encoding/json, and carries 1.3 MB more code.
type decoder struct {
	src string
	pos int
	bad bool
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
	rest := d.src[d.pos:]
	end := strings.IndexByte(rest, '"')
	if end < 0 {
		d.fail()
		return ""
	}
	if strings.IndexByte(rest[:end], '\\') < 0 {
		d.pos += end + 1
		return rest[:end]
	}
	return d.escaped()
}

func (d *decoder) escaped() string {
	var b strings.Builder
	for {
		rest := d.src[d.pos:]
		n := strings.IndexAny(rest, `"\`)
		if n < 0 {
			d.fail()
			return ""
		}
		b.WriteString(rest[:n])
		d.pos += n + 1
		if rest[n] == '"' {
			return b.String()
		}
		if !d.escape(&b) {
			d.fail()
			return ""
		}
	}
}

// escape decodes what follows a backslash.
func (d *decoder) escape(b *strings.Builder) bool {
	if d.pos == len(d.src) {
		return false
	}
	c := d.src[d.pos]
	d.pos++
	switch c {
	case '"', '\\', '/':
		b.WriteByte(c)
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		r := d.hex4()
		if utf16.IsSurrogate(r) {
			if !strings.HasPrefix(d.src[d.pos:], `\u`) {
				return false
			}
			d.pos += 2
			if r = utf16.DecodeRune(r, d.hex4()); r == utf8.RuneError {
				return false
			}
		}
		b.WriteRune(r)
	default:
		return false
	}
	return !d.bad
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
