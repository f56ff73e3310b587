// Package restart decides when a local server that died may be started again.
// It knows times and counts. It must not know what is started, or why it died.
package restart

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Pauses between the end of a server and its next start. One that dies once is
// started again at once; one that dies on arrival must not be started in a loop.
const (
	First   = 250 * time.Millisecond // after the second early end
	Longest = 30 * time.Second
	// Settled is how long a server runs that did not die on arrival: its end
	// is the first of a new count.
	Settled = time.Minute
	// LoopFrom is how many early ends in a row make a crash loop.
	LoopFrom = 3
)

// Backoff counts the early ends of one server. The zero value has seen none.
type Backoff struct {
	mu     sync.Mutex
	early  int
	notYet time.Time
}

// Wait is how long no start is allowed from now on; 0 allows it.
func (b *Backoff) Wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.notYet.Sub(now))
}

// Ended counts an end that nobody asked for, of a server that ran for a while,
// and returns the number of early ends in a row and the pause that follows.
// Pauses double up to Longest; each is drawn from the upper half of its range,
// so that servers that died together are not started together.
func (b *Backoff) Ended(now time.Time, ran time.Duration) (early int, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ran >= Settled {
		b.early = 0
	}
	b.early++
	if b.early > 1 {
		pause = min(First<<min(b.early-2, 10), Longest)
		pause = pause/2 + rand.N(pause/2)
	}
	b.notYet = now.Add(pause)
	return b.early, pause
}

// Forgettable reports whether the count says nothing any more.
func (b *Backoff) Forgettable(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Sub(b.notYet) > Settled
}
