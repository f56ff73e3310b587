package textmodel

import (
	"unicode"
	"unicode/utf8"
)

// Token is one word of a text, or one ideograph.
type Token struct {
	Start, End int32  // UTF-8 byte range in the text
	Hash       uint32 // FNV-1a of the word in lower case
	Mark       Mark   // what stands before it
	Ends       bool   // of words with a part: a phrase may end with it
	Class      Class  // the parts that the word can play
	Before     Class  // of words with a part: those of the words before it, as far as phrases reach at least
}

// Mark describes the gap between a token and the one before it.
type Mark uint8

// Marks of the gap before a token.
const (
	MarkStart   Mark = 1 << iota // first word of a sentence or line
	MarkLine                     // first word of a line
	MarkOpen                     // preceded by an opening bracket, e.g. <important> or [system]
	MarkQuote                    // preceded by a quotation mark
	MarkHeading                  // preceded by a run such as ### or *** or |||
	MarkUpper                    // the word is written in capitals throughout
	MarkComma                    // preceded by a comma or dash
)

// phraseReach is how many words back the longest phrase looks.
const phraseReach = 12

// maxWord bounds the length in bytes of the words that are looked up: longer
// runs are data, not language.
const maxWord = 40

// fold is the lower-case form of the ASCII letters and digits, 0 for the rest.
var fold = func() (t [256]byte) {
	for c := range byte(utf8.RuneSelf) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			t[c] = c
		case 'A' <= c && c <= 'Z':
			t[c] = c + 'a' - 'A'
		}
	}
	return t
}()

// Tokenize splits text into at most limit tokens. A word is a run of letters
// and digits, an inner apostrophe included; an underscore or a change from
// lower to upper case ends it, so that names of tools read as words. The second
// result is the byte offset up to which the text was read.
func Tokenize(text string, limit int) ([]Token, int) {
	tokens := make([]Token, 0, min(limit, len(text)/5+4))
	z := newTokenizer(text, limit)
	for {
		var some [WindowWords]Token
		n := z.fill(some[:])
		tokens = append(tokens, some[:n]...)
		if n < len(some) {
			return tokens, z.at
		}
	}
}

// tokenizer reads the tokens of a text one after the other.
type tokenizer struct {
	text   string
	at     int // offset up to which the text was read
	limit  int // tokens that may still be read
	read   int // tokens that were read, but for those that fill is reading
	mark   Mark
	ends   int // tokens so far with which a phrase may end
	word   word
	before reach
}

func newTokenizer(text string, limit int) tokenizer {
	return tokenizer{text: text, limit: limit, mark: MarkStart | MarkLine}
}

// any reads a token into t, if there is one more, whatever stands there. n is
// how many fill has read before it.
func (z *tokenizer) any(t *Token, n int) bool {
	text, i, mark := z.text, z.at, z.mark
	run := 0 // length of the present run of the same heading character
	var last rune
	for ; i < len(text); i++ {
		c := text[i]
		if fold[c] != 0 {
			z.long(t, i, mark, n)
			return true
		}
		if c == ' ' {
			run, last = 0, ' '
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			if r, size = utf8.DecodeRuneInString(text[i:]); wordRune(r) {
				z.long(t, i, mark, n)
				return true
			}
		}
		mark, run = gap(mark, r, last, run)
		last = r
		i += size - 1
	}
	z.at = i
	return false
}

// long reads the token at text[i:], however long.
func (z *tokenizer) long(t *Token, i int, mark Mark, n int) {
	w := &z.word
	w.read(z.text, i)
	if w.capitals && w.end-i > 1 {
		mark |= MarkUpper
	}
	t.Start, t.End, t.Hash, t.Mark, t.Class = int32(i), int32(w.end), w.hash, mark, 0
	if w.n < maxWord {
		p := w.stem
		if w.digits {
			if p = disguised(w.buf[:w.n]); p != nil {
				t.Hash = p.hash
			} else if leet(w.buf[:w.n]) {
				t.Hash = hash(w.buf[:w.n])
			}
		}
		if p == nil {
			p = known.find(w.buf[:w.n], t.Hash)
		}
		if p != nil {
			z.meaning(t, p, n)
		}
	}
	z.at, z.mark = w.end, 0
}

// meaning gives a word the parts that it can play. n is how many fill has read
// before it.
func (z *tokenizer) meaning(t *Token, p *part, n int) {
	t.Class = p.class
	t.Before = z.before.add(z.read+n, p.class)
	t.Ends = p.alone || t.Before&p.needs != 0 || opens(t.Mark, p.class)
	if t.Ends {
		z.ends++
	}
}

// reach joins the classes of the words before a word, those of the last
// phraseReach at least: of its own block of eight and of the two before that.
type reach struct {
	number                  int // of the present block
	present, last, lastLast Class
}

const blockWords = 8

var _ = [2*blockWords - phraseReach]struct{}{} // two blocks reach far enough

// add returns the classes of the words before the one with this number, and
// adds its own. Words without a class need not be added.
func (r *reach) add(number int, c Class) (before Class) {
	if block := int(uint(number) / blockWords); block != r.number {
		switch block - r.number {
		case 1:
			r.lastLast, r.last = r.last, r.present
		case 2:
			r.lastLast, r.last = r.present, 0
		default:
			r.lastLast, r.last = 0, 0
		}
		r.number, r.present = block, 0
	}
	before = r.present | r.last | r.lastLast
	r.present |= c
	return before
}

// word is one word in lower case, cut at maxWord.
type word struct {
	buf      [64]byte // a power of two above maxWord, so that no index needs a check
	n        int      // bytes in buf
	end      int      // in the text
	hash     uint32
	capitals bool // no letter but capitals, and no digit
	digits   bool
	stem     *part // what a word with letters outside of ASCII means, if anything
}

// What the characters of a word are.
const (
	isLowerCase = 1 << iota
	isCapital
	isDigit
	isOther // outside of ASCII, and no capital
)

// kinds tells it for ASCII.
var kinds = func() (t [256]uint8) {
	for c := range t {
		switch {
		case 'a' <= c && c <= 'z':
			t[c] = isLowerCase
		case 'A' <= c && c <= 'Z':
			t[c] = isCapital
		case '0' <= c && c <= '9':
			t[c] = isDigit
		}
	}
	return t
}()

// inside is fold for a byte within a word: after a lower-case letter, the second
// row, a capital is no more part of it.
var inside = func() (t [2][256]byte) {
	t[0], t[1] = fold, fold
	clear(t[1]['A' : 'Z'+1])
	return t
}()

// read reads the word at text[i:]. The loop is for ASCII and all that most
// words need.
func (w *word) read(text string, i int) {
	h, end, kind := uint32(hashSeed), i, uint8(0)
	row, stop := &inside[0], min(len(text), i+maxWord)
	for ; end < stop; end++ {
		c := text[end]
		low := row[c]
		if low == 0 {
			break
		}
		k := kinds[c]
		row = &inside[k&isLowerCase]
		kind |= k
		w.buf[uint(end-i)%uint(len(w.buf))] = low
		h = (h ^ uint32(low)) * hashPrime
	}
	w.n, w.stem = end-i, nil
	if end == stop { // the rest of a long run of ASCII, which is not kept
		for ; end < len(text) && row[text[end]] != 0; end++ {
			k := kinds[text[end]]
			row = &inside[k&isLowerCase]
			kind |= k
		}
	}
	w.end, w.hash = end, h
	if end < len(text) && (text[end] >= utf8.RuneSelf || text[end] == '\'') {
		kind |= w.more(text, i)
	}
	w.capitals, w.digits = kind&^isCapital == 0, kind&isDigit != 0
}

// more goes on with a word at w.end, through any character, and returns what
// kinds of them it met.
func (w *word) more(text string, i int) (kind uint8) {
	n, h, end := w.n, w.hash, w.end
	var prev rune
	if end == i && w.glyphs(text, i) {
		return isOther
	}
	outside := false
	if end > i {
		prev = rune(text[end-1])
	}
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if r == '\'' || r == '’' {
			next, _ := utf8.DecodeRuneInString(text[end+size:])
			if prev == 0 || !unicode.IsLetter(next) {
				break
			}
			end += size // don't and don’t are one word: dont
			continue
		}
		if !wordRune(r) || end > i && (ideograph(r) || ideograph(prev)) || isUpper(r) && isLower(prev) {
			break
		}
		switch {
		case isUpper(r):
			kind |= isCapital
		case r < utf8.RuneSelf:
			kind |= kinds[r]
		default:
			kind |= isOther
		}
		lower := unicode.ToLower(r)
		if n+utf8.RuneLen(lower) <= maxWord {
			from := n
			n += utf8.EncodeRune(w.buf[n:], lower)
			for _, b := range w.buf[from:n] {
				h = (h ^ uint32(b)) * hashPrime
			}
			outside = outside || r >= utf8.RuneSelf
		}
		prev = r
		end += size
	}
	w.n, w.end, w.hash = n, end, h
	if outside {
		w.stem = stemOf(w.buf[:n])
	}
	return kind
}

// gap folds one non-word rune into the mark of the gap.
func gap(mark Mark, r, last rune, run int) (Mark, int) {
	switch r {
	case '\n', '\r':
		mark |= MarkLine | MarkStart
	case '.', '!', '?', ':', ';', '。', '！', '？', '：', '•':
		mark |= MarkStart
	case ',', '，', '—', '–':
		mark |= MarkComma
	case '<', '[', '{':
		mark |= MarkOpen | MarkStart
	case '"', '“', '”', '«', '`', '\'', '「':
		mark |= MarkQuote
	case '#', '*', '=', '|', '-', '~': // headings
		if r == last {
			if run++; run >= 2 {
				mark |= MarkHeading | MarkStart
			}
			return mark, run
		}
		return mark, 0
	}
	return mark, 0
}

// headings are the characters of which a run heads a line.
var headings = [256]bool{'#': true, '*': true, '=': true, '|': true, '-': true, '~': true}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || vowelSign(r)
}

// vowelSign reports the marks of Arabic, Hindi and the scripts beside it that are written
// within words.
func vowelSign(r rune) bool {
	return 0x0900 <= r && r < 0x0E80 && unicode.IsMark(r) || 0x064B <= r && r <= 0x0652
}

func ideograph(r rune) bool {
	return r >= 0x2E80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

func isUpper(r rune) bool {
	return 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf && unicode.IsUpper(r)
}

func isLower(r rune) bool {
	return 'a' <= r && r <= 'z' || r >= utf8.RuneSelf && unicode.IsLower(r)
}

// FNV-1a, 32 bits.
const (
	hashSeed  = 2166136261
	hashPrime = 16777619
)

func hash(b []byte) uint32 {
	h := uint32(hashSeed)
	for _, c := range b {
		h = (h ^ uint32(c)) * hashPrime
	}
	return h
}

// disguised finds the known word that is meant by one in which digits stand for
// letters, however many: 19n0r3, ru135.
func disguised(b []byte) *part {
	if len(b) < 3 || len(b) > maxWord {
		return nil
	}
	for _, one := range [...]byte{'i', 'l'} {
		letters := 0
		var plain [maxWord]byte
		for i, c := range b {
			switch {
			case c >= utf8.RuneSelf:
				return nil
			case c == '1':
				c = one
			case c <= '9':
				if c = digitLetters[c-'0']; c == 0 {
					return nil
				}
			default:
				letters++
			}
			plain[i] = c
		}
		if letters == 0 || letters == len(b) {
			return nil
		}
		if p := known.find(plain[:len(b)], hash(plain[:len(b)])); p != nil {
			return p
		}
	}
	return nil
}

// digitLetters are the letters that digits stand for, 0 for the ones that stand
// for none.
var digitLetters = [10]byte{'o', 'i', 0, 'e', 'a', 's', 0, 't', 'b', 'g'}

// leet rewrites digits that stand for letters (1gn0r3) in a word that is mostly
// letters and not a name with a number at its end (utf8, v2, sha256).
func leet(b []byte) bool {
	inner, letters := 0, 0
	for i, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			return false
		case 'a' <= c && c <= 'z':
			letters++
			if i > 0 && b[i-1] <= '9' {
				inner++
			}
		}
	}
	if len(b) < 4 || inner == 0 || letters*2 < len(b) || letters == len(b) {
		return false
	}
	for i, c := range b {
		if c <= '9' && digitLetters[c-'0'] != 0 && c != '8' {
			b[i] = digitLetters[c-'0']
		}
	}
	return true
}
