package flow

import (
	"unicode"
	"unicode/utf8"
)

// folded is a text without what a copy may lose or gain: letters in lower case
// and digits, nothing else, a byte each, those of scripts with thousands of
// letters two. It is for comparing and cannot be read back. Its buffers are used
// again.
type folded struct {
	text []byte
	from []int32 // where the character of each byte begins in the original
	to   []int32 // and ends
}

func (f *folded) reset() { f.text, f.from, f.to = f.text[:0], f.from[:0], f.to[:0] }

// wipe leaves nothing of the texts that were read.
func (f *folded) wipe() { clear(f.text[:cap(f.text)]) }

// fold reads s, which stands at offset in its text, in place of what was read before.
func (f *folded) fold(s string, offset int) {
	f.reset()
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			if alnum(c) {
				f.add(c, offset+i, offset+i+1)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			r = unicode.ToLower(r)
			if r >= manyLetters {
				f.add(byte(r>>8), offset+i, offset+i+n)
			}
			f.add(byte(r), offset+i, offset+i+n)
		}
		i += n
	}
}

// manyLetters is where the scripts of East Asia begin.
const manyLetters = 0x2E80

func (f *folded) add(c byte, from, to int) {
	f.text = append(f.text, c)
	f.from, f.to = append(f.from, int32(from)), append(f.to, int32(to))
}
