package gateway

import "context"

// survive does a part of a request's work beside its own goroutine. A fault of
// ours there ends that part, and not the process with everybody's calls.
func (g *Gateway) survive(ctx context.Context, part func()) {
	defer func() {
		if fault := recover(); fault != nil {
			g.log.ErrorContext(ctx, "work beside a request panicked", "fault", fault)
		}
	}()
	part()
}
