package audit

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Refusal counts a request without valid credential under its reason (a
// closed list, host-owned) and the address prefix of its source, and returns
// the id under which the count will stand in the log. Whoever has no key must
// not be able to make the log grow with every request, so what is written is
// one event per (reason, prefix) and interval, of a bounded number of them.
func (l *Log) Refusal(_ context.Context, reason, source string) (id string) {
	return l.refusals.count(refusalKey{reason, prefixOf(source)}, l.opts.Now().UnixMilli(), l.opts.NewID)
}

// Flush writes the aggregated refusals now. If it fails they are kept for the
// next time.
func (l *Log) Flush(ctx context.Context) error {
	buckets := l.refusals.take()
	if len(buckets) == 0 {
		return nil
	}
	events := make([]*Event, 0, len(buckets))
	for _, b := range buckets {
		events = append(events, b.event())
	}
	if _, err := l.appendAll(ctx, events...); err != nil {
		l.refusals.putBack(buckets)
		return err
	}
	return nil
}

type refusalKey struct{ reason, prefix string }

// everythingElse is the key of refusals beyond the bound.
var everythingElse = refusalKey{reason: "other", prefix: "other"}

type bucket struct {
	key         refusalKey
	id          string
	first, last int64 // milliseconds
	count       int
}

func (b *bucket) event() *Event {
	e := refusedEvent(b.key.reason, &Endpoint{SvcName: b.key.prefix})
	e.Metadata.EventCode = "refusals"
	e.Message = "Requests without valid credential refused"
	e.Metadata.UID = b.id
	e.StartTime, e.EndTime, e.Count = b.first, b.last, b.count
	e.Unmapped.Prefix = b.key.prefix
	return e
}

// refusals aggregates; safe for concurrent use.
type refusals struct {
	mu      sync.Mutex
	max     int
	buckets map[refusalKey]*bucket
	order   []*bucket

	quit, stopped chan struct{}
	stopOnce      sync.Once
}

func newRefusals(max int) *refusals {
	return &refusals{max: max, buckets: map[refusalKey]*bucket{}, quit: make(chan struct{}), stopped: make(chan struct{})}
}

// every calls flush at the interval until stop.
func (r *refusals) every(interval time.Duration, flush func()) {
	go func() {
		defer close(r.stopped)
		t := time.NewTicker(interval)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				flush()
			case <-r.quit:
				return
			}
		}
	}()
}

func (r *refusals) stop() {
	r.stopOnce.Do(func() { close(r.quit) })
	<-r.stopped
}

func (r *refusals) count(k refusalKey, now int64, newID func() string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.at(k, now, newID)
	b.last = now
	b.count++
	return b.id
}

// at returns the bucket of a key, or the one for everything else once there
// are too many.
func (r *refusals) at(k refusalKey, now int64, newID func() string) *bucket {
	if b := r.buckets[k]; b != nil {
		return b
	}
	if len(r.buckets) >= r.max {
		k = everythingElse
		if b := r.buckets[k]; b != nil {
			return b
		}
	}
	b := &bucket{key: k, id: newID(), first: now}
	r.buckets[k] = b
	r.order = append(r.order, b)
	return b
}

func (r *refusals) take() []*bucket {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.order
	r.order, r.buckets = nil, map[refusalKey]*bucket{}
	return taken
}

// putBack merges buckets that could not be written with those counted since.
func (r *refusals) putBack(buckets []*bucket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, old := range buckets {
		b := r.at(old.key, old.first, func() string { return old.id })
		b.first = min(b.first, old.first)
		b.last = max(b.last, old.last)
		b.count += old.count
	}
}

// prefixOf is the network that a source belongs to: /24 of IPv4, /64 of IPv6,
// what one subscriber usually holds.
func prefixOf(source string) string {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		ap, err := netip.ParseAddrPort(source)
		if err != nil {
			return "unknown"
		}
		addr = ap.Addr()
	}
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
