package flow

import (
	"encoding/binary"
	"math/bits"
)

// minWindow is the least window: shorter spans are known as a term alone.
const minWindow = 8

// sizes is a set of window sizes, bit n for n bytes.
type sizes uint32

// maxText bounds a marked span: beyond, its beginning is remembered.
const maxText = 16 << 10

// Bounds of the tags of one span, and from which length on it is sampled.
const (
	maxTerms   = 96
	maxWindows = 384
	allWindows = 128
	least      = 8 // positions of which one is kept, at the densest
)

// reader makes tags of texts. It is not safe for concurrent use.
type reader struct {
	hasher
	whole, term folded
	room        [blockSize]byte
	order       []uint64
}

// tagsOf are the tags that a span is known by, and the size of their windows.
// A span too short for any window is known as a whole.
func (r *reader) tagsOf(s string) (tags []tag, size int) {
	if len(s) > maxText {
		s = s[:maxText]
	}
	add := func(start, end int) {
		if t, ok := r.termOf(s, start, end); ok && len(tags) < maxTerms {
			tags = append(tags, t)
		}
	}
	add(0, len(s))
	tokens(s, func(start, end int) {
		if from, host, ok := names(s[start:end]); ok {
			add(start+from, end)
			if host > 0 {
				add(start+from, start+host)
			}
		}
	})
	phrases(s, add)
	r.whole.fold(s, 0)
	n := len(r.whole.text)
	switch {
	case n < minWindow:
		return tags, 0
	case n < blockSize:
		return append(tags, r.piece(domainShort, r.whole.text, r.room[:])), n
	}
	return r.sampled(tags), blockSize
}

// sampled appends the tags of windows: of a short span all, of a longer one the
// least of each run of them (winnowing: Schleimer, Wilkerson, Aiken 2003), so
// that a copy of a window and a run more is always known.
func (r *reader) sampled(tags []tag) []tag {
	text := r.whole.text
	n := len(text) - blockSize + 1
	window := func(i int) tag { return r.block(text[i:i+blockSize], r.room[:]) }
	if len(text) <= allWindows {
		for i := range n {
			tags = append(tags, window(i))
		}
		return tags
	}
	run := max(least, 2*n/maxWindows)
	r.order = r.order[:0]
	for i := range n {
		r.order = append(r.order, orderOf(text[i:i+blockSize]))
	}
	last := -1
	for i := 0; i+run <= n; i++ {
		if last >= i && r.order[i+run-1] > r.order[last] {
			continue
		}
		if last >= i {
			last = i + run - 1
		} else {
			last = i
			for j := i + 1; j < i+run; j++ {
				if r.order[j] <= r.order[last] {
					last = j
				}
			}
		}
		tags = append(tags, window(last))
	}
	return tags
}

// orderOf says which windows are kept. It is without a key, so that the same
// texts give the same hits in every process, and is kept nowhere.
func orderOf(window []byte) uint64 {
	const odd = 0x9E3779B97F4A7C15
	a, b := binary.LittleEndian.Uint64(window), binary.LittleEndian.Uint64(window[8:])
	h, l := bits.Mul64(a^odd, b+odd)
	return (h ^ l) * odd
}

// termOf is the tag of s[start:end] as a term.
func (r *reader) termOf(s string, start, end int) (tag, bool) {
	if end-start > 4*maxTerm {
		return 0, false
	}
	r.term.fold(s[start:end], start)
	if n := len(r.term.text); n < minTerm || n > maxTerm {
		return 0, false
	}
	return r.piece(domainTerm, r.term.text, r.room[:]), true
}

// wipe leaves nothing of the texts that were read.
func (r *reader) wipe() {
	r.whole.wipe()
	r.term.wipe()
	clear(r.room[:])
	clear(r.order[:cap(r.order)])
}

// own calls found with every piece that a mark made of a part of the text may
// have, the author being the owner: quotations and names in it, too.
func (r *reader) own(s string, of sizes, found func(t tag, start, end int)) {
	r.each(s, of, found)
	phrases(s, func(start, end int) {
		if t, ok := r.termOf(s, start, end); ok {
			found(t, start, end)
		}
	})
}

// each calls found with every piece of a text that a mark may be known by,
// windows of these sizes among them.
func (r *reader) each(s string, of sizes, found func(t tag, start, end int)) {
	term := func(start, end int) {
		if t, ok := r.termOf(s, start, end); ok {
			found(t, int(r.term.from[0]), int(r.term.to[len(r.term.to)-1]))
		}
	}
	term(0, len(s))
	tokens(s, func(start, end int) {
		if from, host, ok := names(s[start:end]); ok {
			term(start+from, end)
			if host > 0 {
				term(start+from, start+host)
			}
		}
	})
	if of == 0 {
		return
	}
	r.whole.fold(s, 0)
	f := &r.whole
	for ; of != 0; of &= of - 1 {
		n := bits.TrailingZeros32(uint32(of))
		for i := 0; i+n <= len(f.text); i++ {
			piece := f.text[i : i+n]
			if n == blockSize {
				found(r.block(piece, r.room[:]), int(f.from[i]), int(f.to[i+n-1]))
			} else {
				found(r.piece(domainShort, piece, r.room[:]), int(f.from[i]), int(f.to[i+n-1]))
			}
		}
	}
}
