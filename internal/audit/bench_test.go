package audit

import (
	"sync"
	"testing"
)

// BenchmarkAppend shows what group commit is for: the more writers wait, the
// more of them one sync serves.
func BenchmarkAppend(b *testing.B) {
	for name, writers := range map[string]int{"writers=1": 1, "writers=64": 64} {
		b.Run(name, func(b *testing.B) {
			l, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			e := CallRefused(call, Refusal{Reason: "drift", Pointers: []string{"/description"}})
			work := make(chan struct{}, writers)
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for range work {
						if _, err := l.Append(b.Context(), e); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	e := stamped(CallOutcome(call, Outcome{Result: Blocked, Reason: "scan_result", Verdict: &verdict}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	path := b.TempDir()
	l, err := Open(path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	events := make([]*Event, 2000)
	for i := range events {
		events[i] = CallRefused(call, Refusal{Reason: "drift"})
	}
	if _, err := l.appendAll(b.Context(), events...); err != nil {
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]Query{"field": {Server: "org.example/absent"}, "text": {Text: "absent"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if recs, err := Search(b.Context(), path, q); err != nil || len(recs) != 0 {
					b.Fatal(recs, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(events)), "µs/event")
		})
	}
}
