package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// SelfTest has every scanner examine a few harmless messages of each of its
// phases, whether they would trigger it or not. All must be answered; what is
// found does not matter. It says nothing about how a scanner behaves later.
func (s *Set) SelfTest(ctx context.Context) error {
	var errs []error
	for i := range s.scanners {
		for _, scanner := range append([]*Scanner{s.scanners[i]}, s.narrower[s.scanners[i]]...) {
			if err := s.selfTest(ctx, i, scanner); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

func (s *Set) selfTest(ctx context.Context, i int, scanner *Scanner) error {
	if scanner.shared { // its module is tested already
		return nil
	}
	for _, phase := range scanner.manifest.Phases {
		for _, m := range harmless(phase) {
			p := s.matcher.newPass(prepare(m))
			bound := asBound(scanner)
			r := bound.examine(ctx, p.prepared, p.summon(i, true))
			p.release()
			switch {
			case len(r.failures) > 0:
				f := r.failures[0]
				return fmt.Errorf("%w: %s on a harmless %s: %s", ErrSelfTest, scanner.manifest.Name, phase, f)
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case r.unexamined:
				return fmt.Errorf("%w: %s left part of a harmless %s unexamined", ErrSelfTest, scanner.manifest.Name, phase)
			}
		}
	}
	return nil
}

// harmless returns messages that nobody could object to: the least that there
// is, and one with several texts, scripts and an entry's usual parts.
func harmless(phase message.Phase) []*message.Message {
	least := &message.Message{Phase: phase, Server: "io.example/weather", Entry: "forecast"}
	usual := *least
	texts := []message.Segment{
		{Kind: message.KindText, Pointer: "/result/content/0/text", Text: "Sunny in Zürich, 21 °C. 明日は雨。"},
		{Kind: message.KindText, Pointer: "/result/content/1/text", Text: "Wind from the west, 12 km/h."},
	}
	switch phase {
	case message.PhaseListing:
		usual.Items = []message.Item{{Kind: "tool", Key: "forecast"}}
		texts = []message.Segment{
			{Kind: message.KindName, Pointer: "/tools/0/name", Text: "forecast", Fixed: true},
			{Kind: message.KindDescription, Pointer: "/tools/0/description", Text: "Tells the weather of the next days in a city, e.g. São Paulo."},
		}
	case message.PhaseRequest:
		texts = []message.Segment{
			{Kind: message.KindArgument, Pointer: "/params/arguments/city", Text: "Zürich"},
			{Kind: message.KindArgument, Pointer: "/params/arguments/days", Text: "3", Fixed: true},
		}
	}
	least.Segments = texts[:1]
	if phase == message.PhaseListing {
		least.Items = usual.Items
	}
	usual.Segments = texts
	for i := range usual.Segments {
		usual.Segments[i].Source = i
	}
	return []*message.Message{least, &usual}
}
