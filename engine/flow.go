package engine

import (
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/engine/normalise"
)

// Bounds of what passes between messages.
const (
	maxFlow  = 256 // hits that go with one call of a scanner
	maxMarks = 64  // spans that are remembered of one message
)

// FlowHit is a span that a scanner marked in an earlier message and that was
// found in this one. It is part of what the scanners were given, so that it
// belongs to the record of a verdict; the text is not in it.
type FlowHit struct {
	Mark       string `json:"mark"`
	Pointer    string `json:"pointer"`
	Provenance string `json:"provenance,omitzero"` // of the decoded view that it was found in
	Start      int    `json:"start"`               // byte range in that view, or in the text as sent
	End        int    `json:"end"`
	Server     string `json:"server"` // where the span came from
	Entry      string `json:"entry"`
	Age        int    `json:"age"` // seconds since
}

// lookUp finds in a message what was marked in earlier ones. Only what a client
// sends is searched: there alone can something be carried to another server.
func (p *prepared) lookUp(opts ScanOptions) {
	if p.message.Phase != message.PhaseRequest || opts.Flow.Quiet(opts.Now) {
		return
	}
	to := flow.Origin{Server: p.message.Server, Entry: p.message.Entry}
	var found []flow.Hit
	for i, batch := range p.batches {
		for segment, w := range batch {
			found = opts.Flow.Find(found[:0], opts.Now, to, w.text)
			for _, h := range found {
				p.addFlow(i, segment, h)
			}
		}
	}
}

func (p *prepared) addFlow(batch, segment int, h flow.Hit) {
	if p.flow == nil {
		p.flow = make([][]flowHit, len(p.batches))
	}
	if len(p.flow[batch]) == maxFlow {
		return
	}
	p.flow[batch] = append(p.flow[batch], flowHit{
		mark: h.Kind, segment: segment, start: h.Start, end: h.End,
		server: h.Origin.Server, entry: h.Origin.Entry, age: int(h.Age / time.Second),
	})
}

// flowOf are the hits of a batch.
func (p *prepared) flowOf(batch int) []flowHit {
	if p.flow == nil {
		return nil
	}
	return p.flow[batch]
}

// flowHits is what lookUp found, for the record.
func (p *prepared) flowHits() []FlowHit {
	var all []FlowHit
	for i, hits := range p.flow {
		for _, h := range hits {
			w := p.batches[i][h.segment]
			s := &p.message.Segments[w.segment]
			all = append(all, FlowHit{
				Mark: h.mark, Pointer: s.Pointer, Provenance: s.Provenance, Start: w.offset + h.start, End: w.offset + h.end,
				Server: h.server, Entry: h.entry, Age: h.age,
			})
		}
	}
	return all
}

// marked is a finding whose span is to be remembered.
type marked struct {
	Finding
	mark, text string
}

// remember keeps what scanners marked in a message that passes as it is. What is
// blocked reaches no model that could carry it anywhere, and what is redacted is
// examined again as it will. The worst goes first where there is too much.
func remember(m *message.Message, found []marked, v Action, opts ScanOptions) {
	if len(found) == 0 || !v.Less(ActionRedact) {
		return
	}
	found = slices.DeleteFunc(found, func(f marked) bool { return waived(f.Finding, opts) })
	slices.SortStableFunc(found, func(a, b marked) int { return b.Severity.rank() - a.Severity.rank() })
	var marks []flow.Mark
	add := func(kind, text string) {
		if len(marks) < maxMarks {
			marks = append(marks, flow.Mark{Kind: kind, Origin: flow.Origin{Server: m.Server, Entry: m.Entry}, Text: text})
		}
	}
	for _, f := range found {
		add(f.mark, f.text)
		if f.Provenance == "" { // a call may carry what the model read out of it
			views, _ := normalise.Views(f.text, normalise.DefaultLimits)
			for _, view := range views {
				add(f.mark, view.Text)
			}
		}
	}
	var known []string
	for i := range opts.Known {
		known = append(known, opts.Known[i].Text)
	}
	opts.Flow.Knowing(known...).Remember(opts.Now, marks...)
}
