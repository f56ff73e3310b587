package engine

import (
	"sync"

	"github.com/bartizan-mcp/bartizan/engine/match"
)

// Bounds of the hits of one call and of one text.
const (
	maxHits       = 4096 // handed to a scanner
	maxWindowHits = 8192 // of all scanners in one text; beyond, each is served alone

	keptBatches = 4 // whose buffers serve another pass
)

// pass is one message as the patterns of a set see it: every batch is read once
// for all scanners, when the first of them asks.
type pass struct {
	*prepared
	matcher *matcher
	batches []batchPass
	raw     []match.Hit
	calls   []summons
}

// batchPass is what one batch holds.
type batchPass struct {
	facts facts
	hits  [][]hit // by scanner
	cut   []bool  // by scanner: there are more
	done  bool
}

// summons is a call that a scanner is due, for one batch.
type summons struct {
	batch []window
	hits  []hit
	flow  []flowHit
}

var passes = sync.Pool{New: func() any { return new(pass) }}

// newPass returns a pass that is the caller's until release.
func (m *matcher) newPass(p *prepared) *pass {
	s := passes.Get().(*pass)
	s.prepared, s.matcher = p, m
	for len(s.batches) < len(p.batches) {
		s.batches = append(s.batches, batchPass{})
	}
	return s
}

// release makes the buffers of a pass free for another.
func (p *pass) release() {
	for i := range p.prepared.batches {
		b := &p.batches[i]
		b.done, b.facts = false, facts{}
		for j := range b.hits {
			b.hits[j], b.cut[j] = b.hits[j][:0], false
		}
	}
	if len(p.batches) > keptBatches {
		clear(p.batches[keptBatches:])
		p.batches = p.batches[:keptBatches]
	}
	clear(p.calls)
	p.prepared, p.matcher, p.calls = nil, nil, p.calls[:0]
	passes.Put(p)
}

// summon returns the calls that a scanner is due, until the next summon: for
// every batch, or for those that its trigger asks for.
func (p *pass) summon(scanner int, always bool) []summons {
	c := &p.matcher.scanners[scanner]
	clear(p.calls)
	p.calls = p.calls[:0]
	for i, batch := range p.prepared.batches {
		s := summons{batch: batch, flow: p.flowOf(i)}
		if c.patterns == 0 && !c.triggered {
			p.calls = append(p.calls, s)
			continue
		}
		b := p.read(i)
		s.hits = b.hits[scanner]
		if always || !c.triggered || c.due(b, scanner) {
			p.calls = append(p.calls, s)
		}
	}
	return p.calls
}

// due evaluates a trigger over a batch. Where hits were cut some are missing
// that the condition may ask for.
func (c *call) due(b *batchPass, scanner int) bool {
	hits := b.hits[scanner]
	if c.condition.op == ifHit {
		return len(hits) > 0
	}
	return b.cut[scanner] || c.condition.holds(&b.facts, seenIn(hits, c.patterns))
}

// read matches a batch, once.
func (p *pass) read(i int) *batchPass {
	b := &p.batches[i]
	if b.done {
		return b
	}
	b.done = true
	for len(b.hits) < len(p.matcher.scanners) {
		b.hits, b.cut = append(b.hits, nil), append(b.cut, false)
	}
	batch := p.prepared.batches[i]
	if p.matcher.asksMore {
		b.facts = factsOf(p.prepared, batch)
		b.facts.flow = len(p.flowOf(i)) > 0
	}
	for segment, w := range batch {
		for g := range p.matcher.groups {
			p.match(b, &p.matcher.groups[g], segment, w.text)
		}
	}
	return b
}

// match reads one text. A text that is full of hits is read again for each
// scanner, so that the patterns of one never crowd out those of another.
func (p *pass) match(b *batchPass, g *patternGroup, segment int, text string) {
	var complete bool
	p.raw, complete = g.automaton.Append(p.raw[:0], text, maxWindowHits)
	if complete {
		for _, h := range p.raw {
			for _, o := range g.owners[h.Pattern] {
				b.add(o, segment, h)
			}
		}
		return
	}
	for scanner, wanted := range g.wanted {
		p.raw, complete = g.automaton.AppendOnly(p.raw[:0], text, maxHits, wanted)
		for _, h := range p.raw {
			for _, o := range g.owners[h.Pattern] {
				if o.scanner == scanner {
					b.add(o, segment, h)
				}
			}
		}
		b.cut[scanner] = b.cut[scanner] || !complete
	}
}

func (b *batchPass) add(o owner, segment int, h match.Hit) {
	if len(b.hits[o.scanner]) == maxHits {
		b.cut[o.scanner] = true
		return
	}
	b.hits[o.scanner] = append(b.hits[o.scanner], hit{o.pattern, segment, int(h.Start), int(h.End)})
}
