package engine

import (
	"strconv"
	"testing"
	"time"
)

// BenchmarkBreaker is what every call pays: while nobody's circuit is kept, and
// while as many are as can be.
func BenchmarkBreaker(b *testing.B) {
	now := time.Now()
	s := &Scanner{digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	for name, failing := range map[string]int{"quiet": 0, "full": breakerCircuits} {
		br := newBreaker()
		for i := range failing {
			p, _ := br.enter(s, strconv.Itoa(i), now)
			br.leave(p, s, outcomeFailure, FailureTrap, now)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, _ := br.enter(s, "default/ann", now)
				br.leave(p, s, outcomeAnswer, "", now)
			}
		})
	}
}
