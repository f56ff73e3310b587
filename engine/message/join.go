package message

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// ProvenanceJoin is the provenance of a joined text, and begins that of its
// decoded views.
const ProvenanceJoin = "join"

// Join is what neighbouring texts say together: a model reads one after the
// other what was sent in parts, and whoever receives them may put them together.
type Join struct {
	Pointer string // of what holds the parts
	Text    string
	Parts   []Part
}

// Part is what a join has of one segment.
type Part struct {
	Segment int // index into Message.Segments
	At      int // in the joined text
	From    int // in the segment's text
	Size    int
}

// Bounds of a join.
const (
	minJoined   = 12      // bytes
	minWords    = 3       // of texts with spaces, or in lower case
	maxPieces   = 16      // of a token
	minPiece    = 3       // bytes of a piece of a token
	maxPiece    = 128     // bytes of it
	maxPart     = 1 << 10 // bytes of a text that is joined whole; of a longer one the ends are
	partEnd     = 512
	maxJoinText = 1 << 20 // bytes of all joins of a message; what is beyond stands alone
)

// Joins returns the joins of a message: the items of an array, the texts of its
// items, members that are numbered, and the arguments of a request.
func Joins(m *Message) []Join {
	j := joiner{m: m, room: maxJoinText}
	for _, c := range [...]*chain{{text: false}, {text: true}} {
		for i := range m.Segments {
			s := &m.Segments[i]
			if s.Fixed || s.Provenance != "" || (s.Kind == KindText) != c.text {
				continue
			}
			if c.length > 0 {
				if holder, ok := j.related(&m.Segments[c.last], s); ok && (c.length == 1 || holder == c.holder) {
					c.holder, c.last = holder, i
					c.length++
					continue
				}
				j.join(c)
			}
			c.first, c.last, c.length = i, i, 1
		}
		j.join(c)
	}
	return j.joins
}

// chain is a row of segments that belong together.
type chain struct {
	text                bool // of kind text, and else of none such
	first, last, length int
	holder              string
}

type joiner struct {
	m     *Message
	joins []Join
	room  int
}

// related reports whether two texts that follow each other are parts of one
// thing, and returns its pointer.
func (j *joiner) related(a, b *Segment) (holder string, ok bool) {
	i, k := strings.LastIndexByte(a.Pointer, '/'), strings.LastIndexByte(b.Pointer, '/')
	if i < 0 || k < 0 || a.Kind != b.Kind || a.Item != b.Item {
		return "", false
	}
	if i == k && a.Pointer[:i] == b.Pointer[:i] {
		before, after := a.Pointer[i+1:], b.Pointer[i+1:]
		return a.Pointer[:i], isIndex(before) && isIndex(after) || numbered(before, after) ||
			j.m.Phase == PhaseRequest && a.Kind == KindArgument
	}
	// The same member of items of an array.
	same := 0
	for same < len(a.Pointer) && same < len(b.Pointer) && a.Pointer[same] == b.Pointer[same] {
		same++
	}
	start := strings.LastIndexByte(a.Pointer[:same], '/') + 1
	before, rest, found := strings.Cut(a.Pointer[start:], "/")
	after, other, _ := strings.Cut(b.Pointer[start:], "/")
	return a.Pointer[:max(start-1, 0)], found && start > 0 && rest == other && a.Kind == KindText && isIndex(before) && isIndex(after)
}

func isIndex(token string) bool {
	return token != "" && strings.Trim(token, "0123456789") == ""
}

// numbered reports whether names differ in a number or a letter alone: part1 and
// part2, a and b.
func numbered(a, b string) bool {
	if len(a) == 1 && len(b) == 1 {
		return true
	}
	const digits = "0123456789"
	stem := strings.TrimRight(a, digits)
	return stem != "" && stem != a && stem == strings.TrimRight(b, digits)
}

// join adds what a chain says, if it can be more than its parts say.
func (j *joiner) join(c *chain) {
	if c.length < 2 {
		return
	}
	form := formOf(j, c)
	switch {
	case form.bytes < minJoined || form.bytes > j.room:
		return
	case !form.spaced && j.m.Segments[c.first].Kind == KindSchemaValue:
		return // the words of an enumeration are alternatives
	case form.sentence && form.words >= minWords:
		j.build(c, " ")
	case !form.sentence && form.pieces && c.length <= maxPieces:
		j.build(c, "")
	}
}

// form is what the parts of a chain are.
type form struct {
	bytes, words int
	spaced       bool // some have spaces
	sentence     bool // of words; else of pieces of a token
	pieces       bool // each can be one, and some is no number
}

func formOf(j *joiner, c *chain) form {
	f := form{pieces: true}
	words, numbers := true, true
	for s := range j.parts(c) {
		text := j.m.Segments[s].Text
		f.bytes += min(len(text), maxPart)
		spaces := strings.Count(text, " ") + strings.Count(text, "\n")
		f.words += spaces + 1
		f.spaced = f.spaced || spaces > 0
		words = words && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz.,:;!?'") == "" || spaces > 0
		numbers = numbers && strings.Trim(text, "0123456789.:-+,") == ""
		f.pieces = f.pieces && len(text) >= minPiece && len(text) <= maxPiece && !strings.ContainsAny(text, " \n\t@") &&
			!strings.Contains(text, "://") && text[0] != '/'
	}
	f.sentence = f.spaced || words || capitalised(j, c)
	f.pieces = f.pieces && !numbers
	return f
}

// capitalised reports whether the parts are words of which some have a capital.
func capitalised(j *joiner, c *chain) bool {
	for s := range j.parts(c) {
		text := j.m.Segments[s].Text
		_, size := utf8.DecodeRuneInString(text)
		if strings.Trim(text[size:], "abcdefghijklmnopqrstuvwxyz.,:;!?'") != "" {
			return false
		}
	}
	return true
}

// parts yields the segments of a chain.
func (j *joiner) parts(c *chain) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := c.first; i <= c.last; i++ {
			s := &j.m.Segments[i]
			if !s.Fixed && s.Provenance == "" && (s.Kind == KindText) == c.text && !yield(i) {
				return
			}
		}
	}
}

// build puts the parts together. Of a long part its end is joined with what
// follows, and its beginning with what came before.
func (j *joiner) build(c *chain, between string) {
	var text strings.Builder
	var parts []Part
	flush := func() {
		if len(parts) > 1 {
			j.joins = append(j.joins, Join{Pointer: c.holder, Text: text.String(), Parts: slices.Clone(parts)})
			j.room -= text.Len()
		}
		text.Reset()
		parts = parts[:0]
	}
	add := func(segment, from, to int) {
		if len(parts) > 0 {
			text.WriteString(between)
		}
		parts = append(parts, Part{Segment: segment, At: text.Len(), From: from, Size: to - from})
		text.WriteString(j.m.Segments[segment].Text[from:to])
	}
	for i := range j.parts(c) {
		s := j.m.Segments[i].Text
		if len(s) <= maxPart {
			add(i, 0, len(s))
			continue
		}
		if len(parts) > 0 {
			add(i, 0, runeStart(s, partEnd))
		}
		flush()
		add(i, runeStart(s, len(s)-partEnd), len(s))
	}
	flush()
}

// runeStart returns the start of the character that byte i belongs to.
func runeStart(text string, i int) int {
	for i > 0 && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}
