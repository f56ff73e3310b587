package restart

import (
	"testing"
	"time"
)

// TestBackoff: the first end is free, later ones cost ever more up to a cap,
// and whoever settled begins anew.
func TestBackoff(t *testing.T) {
	var b Backoff
	now := time.Unix(1_700_000_000, 0)
	if !b.Forgettable(now) || b.Wait(now) != 0 {
		t.Error("a server that never died has to wait")
	}
	for n := 1; n <= 40; n++ {
		early, pause := b.Ended(now, time.Second)
		longest := time.Duration(0)
		if n > 1 {
			longest = min(First<<min(n-2, 20), Longest)
		}
		if early != n || pause < longest/2 || pause > longest || b.Wait(now) != pause {
			t.Fatalf("end %d: counted %d, pause %v of %v, wait %v", n, early, pause, longest, b.Wait(now))
		}
		now = now.Add(pause)
		if b.Wait(now) != 0 {
			t.Fatalf("end %d: the pause does not end", n)
		}
	}
	if b.Forgettable(now) || !b.Forgettable(now.Add(2*Settled)) {
		t.Error("a crash loop is forgotten too early or never")
	}
	if early, pause := b.Ended(now, Settled); early != 1 || pause != 0 {
		t.Errorf("after settling: %d, %v", early, pause)
	}
}

// TestJitter: servers that died together come back apart.
func TestJitter(t *testing.T) {
	pauses := map[time.Duration]bool{}
	for range 20 {
		var b Backoff
		b.Ended(time.Time{}, 0)
		_, pause := b.Ended(time.Time{}, 0)
		pauses[pause] = true
	}
	if len(pauses) < 2 {
		t.Error("all pauses are the same")
	}
}
