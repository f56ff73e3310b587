package flow

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// mark is a span as it is remembered.
type mark struct {
	kind        string
	origin      Origin
	seen, until time.Time
	size        int // of its windows; 0 without
	tags        []tag
}

// mark makes what is remembered of a span, nil where nothing is.
func (r *reader) mark(of *Mark, known []string) *mark {
	tags, size := r.tagsOf(of.Text)
	slices.Sort(tags)
	tags = slices.Compact(tags)
	for _, text := range known {
		r.own(text, 1<<size&^1, func(t tag, _, _ int) {
			if i, ok := slices.BinarySearch(tags, t); ok {
				tags = slices.Delete(tags, i, i+1)
			}
		})
	}
	if len(tags) == 0 {
		return nil
	}
	return &mark{
		kind: short(of.Kind), origin: Origin{short(of.Origin.Server), short(of.Origin.Entry)},
		size: size, tags: slices.Clip(tags),
	}
}

// book is what is remembered of one owner.
type book struct {
	until atomic.Int64 // when the last of it has had its time

	mu     sync.RWMutex
	closed bool
	marks  []*mark // oldest first
	index  map[tag]*mark
	more   map[tag][]*mark // where a tag is of several
	sizes  sizes
	tags   int
}

func newBook() *book { return &book{index: map[tag]*mark{}} }

func (b *book) empty() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.marks) == 0
}

func (b *book) held() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.tags
}

// add remembers marks, a later one in place of the same of the same origin, and
// returns by how many tags the book grew; not where the book is closed.
func (b *book) add(now time.Time, marks []*mark, limit int) (change int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, false
	}
	before := b.tags
	b.remove(func(k *mark) bool {
		return !now.Before(k.until) || slices.ContainsFunc(marks, func(n *mark) bool {
			return n.kind == k.kind && n.origin == k.origin && slices.Equal(n.tags, k.tags)
		})
	})
	for _, k := range marks {
		b.marks = append(b.marks, k)
		b.enter(k)
	}
	b.thin(limit)
	b.settle()
	return b.tags - before, true
}

// maxShared bounds the marks that are found by one tag, beside the first.
const maxShared = 7

func (b *book) enter(k *mark) {
	b.tags += len(k.tags)
	for _, t := range k.tags {
		switch first := b.index[t]; {
		case first == nil:
			b.index[t] = k
		case first != k && len(b.more[t]) < maxShared:
			if b.more == nil {
				b.more = map[tag][]*mark{}
			}
			b.more[t] = append(b.more[t], k)
		}
	}
}

// thin forgets marks until no more than limit tags are left: of the server that
// holds most the oldest first, down to what the next one holds, so that what one
// server has written does not push out what was marked in another's words.
func (b *book) thin(limit int) {
	for b.tags > limit && len(b.marks) > 1 {
		held := map[string]int{}
		for _, k := range b.marks {
			held[k.origin.Server] += len(k.tags)
		}
		most, next := "", 0
		for server, n := range held {
			if n > held[most] || n == held[most] && server < most {
				most = server
			}
		}
		for server, n := range held {
			if server != most {
				next = max(next, n)
			}
		}
		over, removed := b.tags-limit, false
		b.remove(func(k *mark) bool {
			if k.origin.Server != most || over <= 0 || removed && held[most] <= next {
				return false
			}
			over, removed = over-len(k.tags), true
			held[most] -= len(k.tags)
			return true
		})
	}
}

// remove forgets the marks that gone reports, which it is asked oldest first.
func (b *book) remove(gone func(*mark) bool) {
	kept := b.marks[:0]
	var lost []*mark
	for _, k := range b.marks {
		if gone(k) {
			lost = append(lost, k)
		} else {
			kept = append(kept, k)
		}
	}
	clear(b.marks[len(kept):])
	b.marks = kept
	for _, k := range lost {
		for _, t := range k.tags {
			b.leave(t, k)
		}
		b.tags -= len(k.tags)
	}
}

// leave takes a mark out from under a tag.
func (b *book) leave(t tag, k *mark) {
	rest := b.more[t]
	if b.index[t] != k {
		rest = slices.DeleteFunc(rest, func(o *mark) bool { return o == k })
	} else if len(rest) > 0 {
		b.index[t], rest = rest[0], rest[1:]
	} else {
		delete(b.index, t)
	}
	if len(rest) > 0 {
		b.more[t] = rest
	} else {
		delete(b.more, t)
	}
}

// settle notes what follows from the marks that there are.
func (b *book) settle() {
	b.sizes = 0
	var until int64
	for _, k := range b.marks {
		b.sizes |= 1 << k.size &^ 1
		until = max(until, k.until.UnixNano())
	}
	b.until.Store(until)
}

// drop forgets the marks that gone reports and returns by how much the book
// grew, which is not above zero.
func (b *book) drop(gone func(*mark) bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.tags
	b.remove(gone)
	b.settle()
	return b.tags - before
}

func (b *book) shrink(limit int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.tags
	b.thin(limit)
	if len(b.marks) == 1 && b.tags > limit {
		b.remove(func(*mark) bool { return true })
	}
	b.settle()
	return b.tags - before
}

func (b *book) close() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.tags
	b.closed, b.marks, b.index, b.more, b.tags = true, nil, map[tag]*mark{}, nil, 0
	b.settle()
	return -before
}

// disown forgets the tags that occur in a text.
func (b *book) disown(r *reader, text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.tags
	r.own(text, b.sizes, func(t tag, _, _ int) {
		for k := b.index[t]; k != nil; k = b.index[t] {
			b.leave(t, k)
			k.tags = slices.DeleteFunc(k.tags, func(o tag) bool { return o == t })
			b.tags--
		}
	})
	b.remove(func(k *mark) bool { return len(k.tags) == 0 })
	b.settle()
	return b.tags - before
}

// find appends what of the marks is in a text.
func (b *book) find(dst []Hit, r *reader, now time.Time, to Origin, text string) []Hit {
	b.mu.RLock()
	defer b.mu.RUnlock()
	first := len(dst)
	var of []*mark // of the hits behind first
	note := func(k *mark, start, end int) {
		if !now.Before(k.until) || k.origin == to && !strings.HasPrefix(k.kind, Instruction) {
			return
		}
		for i := len(of) - 1; i >= 0; i-- { // windows overlap, and a term stands among them
			if h := &dst[first+i]; of[i] == k && start <= h.End && end >= h.Start {
				h.Start, h.End = min(h.Start, start), max(h.End, end)
				return
			}
		}
		if len(of) < maxHits {
			of = append(of, k)
			dst = append(dst, Hit{Kind: k.kind, Origin: k.origin, Age: now.Sub(k.seen), Start: start, End: end})
		}
	}
	r.each(text, b.sizes, func(t tag, start, end int) {
		if k := b.index[t]; k != nil {
			note(k, start, end)
			for _, k := range b.more[t] {
				note(k, start, end)
			}
		}
	})
	return dst
}
