package overreach

import (
	"math/bits"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/plugins/swar"
)

const (
	maxSentence = 120 // words; a longer one is cut
	maxWord     = 48  // bytes beyond which a run is data
)

// Reader splits texts into sentences and reads each. It is room for one
// sentence, which texts use one after another; the zero value is ready.
type Reader struct {
	own   map[string]bool // names of the entry and its parameters
	words [maxSentence]token
	buf   [maxWord]byte
	paths bool // a word of the sentence may be part of a path
}

// Read calls yield with every sentence of the text that has a sign, in order,
// until yield returns false. own holds the names that are the entry's own, its
// parameters included, in lower case.
func (r *Reader) Read(text string, own map[string]bool, yield func(Sentence) bool) {
	r.own = own
	for i, n := 0, 0; ; {
		i, n = r.short(text, i, n)
		if n == maxSentence || n > 0 && i >= len(text) {
			if !r.sentence(text, n, yield) {
				return
			}
			n = 0
			continue
		}
		if i >= len(text) {
			return
		}
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
		}
		if letter(c) {
			end := r.run(text, i)
			r.token(&r.words[n], text, i, end)
			i, n = end, n+1
			continue
		}
		if n > 0 && stops(text, i, c) {
			if !r.sentence(text, n, yield) {
				return
			}
			n = 0
		}
		i += size
	}
}

// sentence yields the first n words, if they have a sign.
func (r *Reader) sentence(text string, n int, yield func(Sentence) bool) bool {
	s := Sentence{Start: int(r.words[0].start), End: int(r.words[n-1].end)}
	r.judge(&s, text, n)
	r.paths = false
	return s.Signs == 0 || yield(s)
}

// Most words are at most fifteen letters, lower case but perhaps for the first,
// between spaces. They are read without a branch for each letter: in a guest
// compiled by Go every branch that is taken is an indirect jump.

// short reads such words from text[i:] on, as long as there are some and the
// sentence, which has n words, has room. It returns where it stopped and how
// many words there are.
func (r *Reader) short(text string, i, n int) (int, int) {
	for n < maxSentence && i+longest+2 <= len(text) {
		from := i + int(spaces[text[i]])
		if from > 0 && marked[text[from-1]] {
			break
		}
		low := swar.Load(text, from)
		low |= uint64(lowered[byte(low)])
		size, high := lowerCase(low), uint64(0)
		if size == 8 {
			high = swar.Load(text, from+8)
			more := lowerCase(high)
			high &= lowBytes[more]
			size += more
		} else {
			low &= lowBytes[size]
		}
		end := from + size
		if size == 0 || size == longest {
			break
		}
		if e := endings[text[end]]; e != ends && (e != joins || text[end+1] > ' ') {
			break
		}
		t := &r.words[n]
		t.word, t.class = words.find(low, high)
		t.start, t.end, t.plain = int32(from), int32(end), true
		i = end
		n++
	}
	return i, n
}

// lowerCase counts the low bytes that are letters of lower case, up to eight.
func lowerCase(v uint64) int {
	below := v&^swar.Highs + swar.Ones*(0x80-'a') // the high bit is set from 'a' on
	above := v&^swar.Highs + swar.Ones*(0x80-'z'-1)
	return bits.TrailingZeros64((^below|above|v)&swar.Highs) / 8
}

// spaces is 1 for the byte that most gaps are.
var spaces = [256]uint8{' ': 1}

// lowered is the bit that a capital's lower-case letter has beside its own.
var lowered = func() (t [256]uint8) {
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = 'a' - 'A'
	}
	return t
}()

// lowBytes[n] has the bits of the low n bytes.
var lowBytes = func() (t [9]uint64) {
	for n := range t {
		t[n] = 1<<(8*n) - 1
	}
	return t
}()

// marked are the bytes before a word that have it read with care.
var marked = [256]bool{'`': true, '\'': true, '"': true, '.': true, '/': true, '_': true}

// What a byte behind letters says: that the word goes on or may, that it ends,
// that it ends if a space follows.
const (
	goesOn = iota
	ends
	joins
)

var endings = func() (t [256]uint8) {
	for c := range utf8.RuneSelf {
		if !alphanumeric[c] {
			t[c] = ends
		}
	}
	for _, c := range []byte("_-'@.:/") {
		t[c] = joins
	}
	return t
}()
