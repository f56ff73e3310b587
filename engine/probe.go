package engine

import (
	"context"
	"fmt"

	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// Probe is an input that was not made from a message: conformance kits
// (sdk/tck) make it themselves, whatever is in it.
type Probe struct {
	Input []byte   // in the encoding of the scanner
	Texts []string // of its segments, which findings are held to
	// Limits of the answer that the input names; 0 takes the scanner's own.
	Findings, OutputBytes int
}

// Probe runs a scanner over one input as a scan does, and returns its answer and
// the fuel it used. The error is a [*sandbox.Fault], an [*AnswerError], or the
// end of ctx.
func (s *Scanner) Probe(ctx context.Context, p Probe) (a Answer, fuel int64, err error) {
	held := *s
	if p.Findings > 0 {
		held.opts.Limits.Findings = p.Findings
	}
	windows := make([]window, len(p.Texts))
	for i, text := range p.Texts {
		windows[i] = window{segment: i, text: text}
	}
	used, err := s.module.Call(ctx, p.Input, func(b []byte) (err error) {
		if p.OutputBytes > 0 && len(b) > p.OutputBytes {
			return &sandbox.Fault{
				Kind: sandbox.Output, Breach: sandbox.AnswerLong,
				Detail: fmt.Sprintf("an answer of %d bytes, where the input allows %d", len(b), p.OutputBytes),
			}
		}
		a, err = held.parseAnswer(b, windows)
		return err
	})
	return a, used.Fuel, err
}

// ProbeAlloc asks a scanner of form reactor for room of the given size, which
// [sandbox.Module.Alloc] describes.
func (s *Scanner) ProbeAlloc(ctx context.Context, size uint32) (sandbox.Room, error) {
	return s.module.Alloc(ctx, size)
}
