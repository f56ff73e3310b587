package measure

import (
	"sync"
	"testing"
	"time"
)

// TestHistogram: each duration counts in every bucket that it fits into, also
// when many are counted at once.
func TestHistogram(t *testing.T) {
	var h Histogram
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 100 {
				h.Observe(0)
				h.Observe(time.Millisecond)
				h.Observe(time.Hour)
			}
		})
	}
	work.Wait()
	r := h.Read()
	if r.Count != 1200 || r.Sum != 400*(time.Hour+time.Millisecond) {
		t.Errorf("%d durations, sum %v", r.Count, r.Sum)
	}
	for i, bound := range Bounds {
		want := uint64(400)
		if bound >= time.Millisecond {
			want = 800
		}
		if r.UpTo[i] != want {
			t.Errorf("up to %v: %d, want %d", bound, r.UpTo[i], want)
		}
	}
}
