package engine

import (
	"context"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Cost is what one scanner's calls for one message cost. Reading the message,
// its decoded views and the patterns are shared by all scanners and no part of it.
type Cost struct {
	Due      bool // the trigger asks for the message; otherwise it costs nothing in operation
	Calls    int
	Call     time.Duration // input encoded and handed over, the guest's work, the answer read
	Reset    time.Duration // memory and globals put back
	Fuel     int64
	Memory   uint64 // bytes of linear memory that the guest had at most
	Findings int
}

// Measure makes the scanner's calls for a message, whether its trigger asks for
// them or not, until again returns false, the scanner fails or ctx ends.
func (s *Scanner) Measure(ctx context.Context, m *message.Message, again func(Cost) bool) (*Failure, error) {
	p := newMatcher([]*Scanner{s}).newPass(prepare(m))
	defer p.release()
	p.selectContext()
	due := len(p.summon(0, false)) > 0
	calls := p.summon(0, true)
	for {
		c := Cost{Due: due, Calls: len(calls)}
		for _, one := range calls {
			if err := s.measure(ctx, p.prepared, one, &c); err != nil {
				if f := failureOf(s.manifest.Name, err); f != nil {
					return f, nil
				}
				return nil, err
			}
		}
		if !again(c) {
			return nil, nil
		}
	}
}

func (s *Scanner) measure(ctx context.Context, p *prepared, one summons, c *Cost) error {
	began := time.Now()
	input := s.appendInput(nil, p, one.batch, particulars{limits: s.opts.Limits, hits: one.hits, flow: one.flow})
	c.Call += time.Since(began)
	spent, err := s.module.Measure(ctx, input, func(b []byte) error {
		a, err := s.parseAnswer(b, one.batch)
		c.Findings += len(a.Findings)
		return err
	})
	c.Call += spent.Call
	c.Reset += spent.Reset
	c.Fuel += spent.Fuel
	c.Memory = max(c.Memory, spent.Memory)
	return err
}
