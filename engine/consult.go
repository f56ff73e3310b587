package engine

import (
	"context"
	"time"
)

// consult makes the calls that a message asks of one scanner, unless its
// breaker is open for the message's principal, and counts what became of it.
func (s *Set) consult(ctx context.Context, count *counts, b *binding, p *prepared, calls []summons, opts ScanOptions) (r report) {
	scanner, principal := b.scanner, opts.Principal
	if !b.whole.failureDenies() {
		principal = "" // skipped messages would pass: three failures must not be the way around a scanner
	}
	leave, refused := s.breaker.enter(scanner, principal, opts.Now)
	if refused != nil {
		count.skipped.Add(1)
		return report{failures: []Failure{*refused}}
	}
	began, ended, kind := time.Now(), outcomeUnknown, FailureKind("")
	defer func() { // whatever happens: a trial that is never settled keeps the circuit open
		took := time.Since(began)
		now := opts.Now.Add(took)
		if s.breaker.leave(leave, scanner, ended, kind, now) {
			count.openings.Add(1)
		}
		count.add(r, took, now)
	}()
	r = b.examine(ctx, p, calls)
	switch {
	case len(r.failures) > 0:
		ended, kind = outcomeFailure, r.failures[0].Kind
	case ctx.Err() == nil:
		ended = outcomeAnswer
	}
	return r
}
