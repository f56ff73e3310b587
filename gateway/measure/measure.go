// Package measure counts durations without locks. It knows bounds and counts.
// It must not know what is measured, nor how that is shown.
package measure

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper ends of the buckets; one more holds everything above.
var Bounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

// Histogram counts durations by bucket. The zero value is empty.
type Histogram struct {
	buckets [len(Bounds) + 1]atomic.Uint64
	sum     atomic.Int64
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// Reading is a histogram at one time: how many durations were at most each
// bound, how many there were, and their sum.
type Reading struct {
	UpTo  [len(Bounds)]uint64
	Count uint64
	Sum   time.Duration
}

// Read returns what was counted so far. Each bucket is read once, so that the
// counts never contradict each other.
func (h *Histogram) Read() Reading {
	var r Reading
	r.Sum = time.Duration(h.sum.Load())
	for i := range h.buckets {
		r.Count += h.buckets[i].Load()
		if i < len(r.UpTo) {
			r.UpTo[i] = r.Count
		}
	}
	return r
}
