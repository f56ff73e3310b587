package message

import "math/bits"

// pattern is a skeleton to which the distances of others are measured:
// Levenshtein distances in bytes, a column of the matrix at a time in the bits
// of words (Myers, J. ACM 46(3), 1999, as Hyyrö 2001 writes it).
type pattern struct {
	name skeleton
	has  uint64
	buf  [maxContextNameCompare]byte

	ready bool
	at    [256]word // where each byte occurs in name

	// Columns 0 to filled are those of the name measured last: names that begin
	// alike have them in common.
	columns [maxContextNameCompare + 1]column
	filled  int
}

// word is a bit for each byte of the pattern.
type word struct{ low, high uint64 }

// column says how the distances of a column differ from each to the next, and
// what the last one is.
type column struct {
	more, less word
	last       int
}

func (p *pattern) set(name string) {
	if p.ready {
		for _, c := range p.name {
			p.at[c] = word{}
		}
		p.ready = false
	}
	p.name = skeletonOf(p.buf[:], name)
	p.has = p.name.has()
}

// prepare fills in what step needs. Most names are too far to get there.
func (p *pattern) prepare() {
	for i, c := range p.name {
		if i < 64 {
			p.at[c].low |= 1 << i
		} else {
			p.at[c].high |= 1 << (i - 64)
		}
	}
	p.columns[0] = column{more: word{^uint64(0), ^uint64(0)}, last: len(p.name)}
	p.ready = true
}

// nearest returns the distance of the nearest name on the shelf, or what is not
// less than far where none is nearer.
func (p *pattern) nearest(names *shelf, far int) int {
	best := min(far, maxContextNameCompare+1)
	for apart := 0; apart < best; apart++ {
		if length := len(p.name) + apart; length < len(names) {
			best = p.nearestOf(&names[length], best)
		}
		if length := len(p.name) - apart; length >= 0 {
			best = p.nearestOf(&names[length], best)
		}
	}
	return best
}

func (p *pattern) nearestOf(r *row, best int) int {
	if len(r.names) == 0 || missing(p.has, r.some, r.every) >= best {
		return best
	}
	if !p.ready {
		p.prepare()
	}
	p.filled = 0
	for i, name := range r.names {
		p.filled = min(p.filled, r.shared[i])
		if missing(p.has, r.has[i], r.has[i]) >= best {
			continue
		}
		// A byte changes the distance by one at most.
		for p.columns[p.filled].last-(len(name)-p.filled) < best {
			if p.filled == len(name) {
				best = p.columns[p.filled].last
				break
			}
			p.step(name[p.filled])
		}
	}
	return best
}

// step fills in one more column.
func (p *pattern) step(c byte) {
	from, to := &p.columns[p.filled], &p.columns[p.filled+1]
	p.filled++
	length := len(p.name)
	if length == 0 {
		to.last = from.last + 1
		return
	}
	more, less, equal := from.more, from.less, p.at[c]
	var sum, same, up, down word
	var carry uint64
	sum.low, carry = bits.Add64(equal.low&more.low, more.low, 0)
	sum.high, _ = bits.Add64(equal.high&more.high, more.high, carry)
	same.low = sum.low ^ more.low | equal.low | less.low
	same.high = sum.high ^ more.high | equal.high | less.high
	up.low, up.high = less.low|^(same.low|more.low), less.high|^(same.high|more.high)
	down.low, down.high = more.low&same.low, more.high&same.high
	if length <= 64 {
		to.last = from.last + int(up.low>>(length-1)&1) - int(down.low>>(length-1)&1)
	} else {
		to.last = from.last + int(up.high>>(length-65)&1) - int(down.high>>(length-65)&1)
	}
	up.low, up.high = up.low<<1|1, up.high<<1|up.low>>63
	down.low, down.high = down.low<<1, down.high<<1|down.low>>63
	to.more.low, to.more.high = down.low|^(same.low|up.low), down.high|^(same.high|up.high)
	to.less.low, to.less.high = up.low&same.low, up.high&same.high
}
