package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Errors of a Live set.
var (
	ErrSelfTest = errors.New("scanner self-test")
	ErrClosed   = errors.New("scanners closed")
)

// Live is the set of scanners in force. It can be swapped for another while
// messages are scanned: each gets its verdict from exactly one set, and the
// scanners of a set that was swapped out are closed when its last message is
// done. It is safe for concurrent use.
type Live struct {
	current  atomic.Pointer[generation] // nil once closed
	swapping sync.Mutex
	draining sync.WaitGroup
}

// NewLive puts a set in force. The Live set owns its scanners from then on.
func NewLive(set *Set) *Live {
	l := &Live{}
	l.install(set, 1, false)
	return l
}

func (l *Live) install(set *Set, number uint64, tested bool) {
	g := &generation{set: set, number: number, live: l}
	g.users.Store(1)
	g.tested.Store(tested)
	l.draining.Add(1)
	l.current.Store(g)
}

// acquire returns the generation in force, which stays open until its release;
// nil once the Live set is closed.
func (l *Live) acquire() *generation {
	for {
		g := l.current.Load()
		if g == nil || g.enter() {
			return g
		}
	}
}

// Scan is Set.Scan of the set in force.
func (l *Live) Scan(ctx context.Context, m *message.Message) Verdict {
	return l.ScanWith(ctx, m, ScanOptions{})
}

// ScanWith is Set.ScanWith of the set in force. A closed Live set has examined
// nothing, and blocks.
func (l *Live) ScanWith(ctx context.Context, m *message.Message, opts ScanOptions) Verdict {
	g := l.acquire()
	if g == nil {
		return Verdict{Action: ActionBlock, Findings: []Finding{}, Failures: []Failure{}, Unexamined: true}
	}
	defer g.release()
	return g.set.ScanWith(ctx, m, opts)
}

// Generation grows with every swap: a verdict that is remembered counts for one
// generation. 0 is a closed set.
func (l *Live) Generation() uint64 {
	if g := l.current.Load(); g != nil {
		return g.number
	}
	return 0
}

// Swap puts next in force once every scanner of it has passed its self-test and
// admit, if there is one, has heard which scanners come and go and agreed.
// Counters go on under a scanner's name, breakers under its digest. On an error
// the old set stays; either way the scanners of next are no longer the caller's.
func (l *Live) Swap(ctx context.Context, next *Set, admit func(in, out []ScannerRef) error) error {
	l.swapping.Lock()
	defer l.swapping.Unlock()
	old := l.current.Load()
	if old == nil {
		return errors.Join(ErrClosed, next.close(ctx))
	}
	if err := next.SelfTest(ctx); err != nil {
		return errors.Join(err, next.close(ctx))
	}
	if admit != nil {
		before, after := old.set.refs(), next.refs()
		if err := admit(without(after, before), without(before, after)); err != nil {
			return errors.Join(err, next.close(ctx))
		}
	}
	next.succeed(old.set)
	l.install(next, old.number+1, true)
	old.release()
	return nil
}

// Scanners names the scanners in force.
func (l *Live) Scanners() []ScannerRef {
	g := l.acquire()
	if g == nil {
		return nil
	}
	defer g.release()
	return g.set.refs()
}

// Health is Set.Health of the set in force, now.
func (l *Live) Health() []Health {
	g := l.acquire()
	if g == nil {
		return nil
	}
	defer g.release()
	return g.set.Health(time.Now())
}

// SelfTest is Set.SelfTest of the set in force.
func (l *Live) SelfTest(ctx context.Context) error {
	g := l.acquire()
	if g == nil {
		return ErrClosed
	}
	defer g.release()
	err := g.set.SelfTest(ctx)
	g.tested.Store(err == nil)
	return err
}

// Tested reports whether the set in force passed its last self-test.
func (l *Live) Tested() bool {
	g := l.current.Load()
	return g != nil && g.tested.Load()
}

// Close takes the set out of force and waits, as long as ctx lasts, until every
// scan has ended and every scanner is closed.
func (l *Live) Close(ctx context.Context) error {
	l.swapping.Lock()
	old := l.current.Swap(nil)
	l.swapping.Unlock()
	if old != nil {
		old.release()
	}
	done := make(chan struct{})
	go func() { l.draining.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// without lists what is in all and not in some.
func without(all, some []ScannerRef) []ScannerRef {
	return slices.DeleteFunc(slices.Clone(all), func(ref ScannerRef) bool { return slices.Contains(some, ref) })
}
