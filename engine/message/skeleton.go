package message

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/engine/normalise"
)

// skeleton is what two names that look alike have in common, without what
// separates words, at most maxContextNameCompare bytes.
type skeleton []byte

// skeletonOf makes the skeleton of a name in buf.
func skeletonOf(buf []byte, name string) skeleton {
	s := buf[:0]
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= utf8.RuneSelf || c < ' ' || c == 0x7f:
			return foldedSkeleton(buf, name)
		case len(s) == maxContextNameCompare:
			return s
		case c == '_' || c == '-' || c == '.' || c == ' ':
			continue
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		s = append(s, c)
	}
	return s
}

// foldedSkeleton is for names with controls, or letters outside of ASCII, some of
// which only look like others.
func foldedSkeleton(buf []byte, name string) skeleton {
	name = plain(name[:min(len(name), maxNameFolded)])
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	return append(buf[:0], name[:min(len(name), maxContextNameCompare)]...)
}

// maxNameFolded is more of a name than is compared, whatever its letters.
const maxNameFolded = 16 * maxContextNameCompare

// plain is a name as a reader sees it: without invisible characters, in Latin
// letters where others stand for them.
func plain(name string) string {
	views, _ := normalise.Views(name, normalise.Limits{Depth: 1, Factor: 4})
	for _, v := range views {
		if seen(v.Provenance) {
			return v.Text
		}
	}
	return name
}

// seen reports whether all decoders change only what characters look like.
func seen(provenance string) bool {
	for decoder := range strings.SplitSeq(provenance, ">") {
		switch decoder {
		case "invisible", "nfkc", "marks", "enclosed", "confusables":
		default:
			return false
		}
	}
	return true
}

// has is the set of bytes that occur, modulo 64.
func (s skeleton) has() (set uint64) {
	for _, c := range s {
		set |= 1 << (c % 64)
	}
	return set
}

// shelf holds the names that a message shows or calls in rows of one length,
// since the difference of lengths is a lower bound of a distance.
type shelf [maxContextNameCompare + 1]row

type row struct {
	names       []skeleton // sorted
	has         []uint64   // what each name has
	shared      []int      // bytes at the start of a name that it has in common with the one before
	some, every uint64     // what some name has, and what every one does
}

func newShelf(m *Message) *shelf {
	shelf := new(shelf)
	add := func(name string) {
		if name != "" {
			s := skeletonOf(nil, name)
			shelf[len(s)].names = append(shelf[len(s)].names, s)
		}
	}
	for _, it := range m.Items {
		add(it.Key)
	}
	add(m.Entry)
	for i := range shelf {
		shelf[i].sort()
	}
	return shelf
}

func (r *row) sort() {
	slices.SortFunc(r.names, func(a, b skeleton) int { return bytes.Compare(a, b) })
	r.names = slices.CompactFunc(r.names, func(a, b skeleton) bool { return bytes.Equal(a, b) })
	r.shared, r.has = make([]int, len(r.names)), make([]uint64, len(r.names))
	r.every = ^uint64(0)
	for i, name := range r.names {
		has := name.has()
		r.has[i] = has
		r.some |= has
		r.every &= has
		if i > 0 {
			for r.shared[i] < len(name) && name[r.shared[i]] == r.names[i-1][r.shared[i]] {
				r.shared[i]++
			}
		}
	}
}

// missing is a lower bound of the distance of two skeletons by what they have,
// or some and every one of many: a byte that only one of them has is an edit.
func missing(has, some, every uint64) int {
	return max(bits.OnesCount64(has&^some), bits.OnesCount64(every&^has))
}
