package scorecard

import (
	"math"
	"math/bits"
	"time"
)

// Cost is how long rows took, from the row to the verdict of all scanners.
// Rows differ in size: the second pair is per started 4 KB of a row.
type Cost struct {
	P50     Micros `json:"p50"`
	P99     Micros `json:"p99"`
	P50Per4 Micros `json:"p50Per4KB"`
	P99Per4 Micros `json:"p99Per4KB"`
}

// Micros are microseconds, to three digits.
type Micros float64

// unit is what a cost is told for.
const unit = 4 << 10

// stopwatch collects what a Cost tells.
type stopwatch struct{ row, per4 histogram }

func (s *stopwatch) add(o *Outcome) {
	s.row.add(o.Elapsed)
	s.per4.add(o.Elapsed / time.Duration(max(1, (o.Bytes+unit-1)/unit)))
}

func (s *stopwatch) cost() Cost {
	return Cost{P50: s.row.quantile(0.5), P99: s.row.quantile(0.99), P50Per4: s.per4.quantile(0.5), P99Per4: s.per4.quantile(0.99)}
}

// histogram counts durations in buckets a thirty-second of a power of two wide,
// so that any number of rows takes the same memory.
type histogram struct {
	counts [buckets]uint32
	total  int
}

const (
	fine    = 5                   // bits of a duration that are kept
	buckets = (40 - fine) << fine // up to 2^40 ns, some 18 minutes
)

func bucket(d time.Duration) int {
	ns := uint64(max(d, 0))
	exp := max(bits.Len64(ns)-fine-1, 0)
	return min(exp<<fine+int(ns>>exp), buckets-1)
}

// upper is the greatest duration of a bucket.
func upper(i int) time.Duration {
	exp := max(i>>fine-1, 0)
	return time.Duration(uint64(i-exp<<fine+1)<<exp - 1)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
}

func (h *histogram) quantile(q float64) Micros {
	left := int(math.Ceil(q * float64(h.total)))
	for i, n := range h.counts {
		if left -= int(n); left <= 0 && h.total > 0 {
			return micros(upper(i))
		}
	}
	return 0
}

func micros(d time.Duration) Micros {
	us := float64(d) / 1e3
	if us == 0 {
		return 0
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(us)))
	return Micros(math.Round(us*scale) / scale)
}
