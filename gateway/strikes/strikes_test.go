package strikes

import (
	"fmt"
	"testing"
	"time"
)

// clock is a clock that a test sets.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func ledger(limit int, suspend time.Duration) (*Ledger, *clock) {
	c := &clock{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	return New(Config{Limit: limit, Window: 10 * time.Minute, Suspend: suspend, Now: func() time.Time { return c.now }}), c
}

var srv = Server{Tenant: "default", Name: "io.example/srv", Approval: "a"}

// TestWindow: strikes count for as long as the window is, and reaching the
// limit is told once in it.
func TestWindow(t *testing.T) {
	l, c := ledger(4, 0)
	told := 0
	for range 12 {
		if l.Strike(srv, "alice").Reached {
			told++
		}
		c.pass(time.Second)
	}
	if told != 1 {
		t.Errorf("told %d times in one window", told)
	}
	c.pass(10 * time.Minute)
	if got := l.Strike(srv, "alice"); got.Strikes != 1 || got.Reached {
		t.Errorf("old strikes count: %+v", got)
	}
	for range 2 {
		c.pass(time.Minute)
		l.Strike(srv, "alice")
	}
	if got := l.Strike(srv, "alice"); !got.Reached {
		t.Errorf("not told in the next window: %+v", got)
	}
	for range 20 { // slower than the limit in the window
		c.pass(4 * time.Minute)
		if got := l.Strike(srv, "alice"); got.Strikes > 4 {
			t.Errorf("%+v", got)
		}
	}
	if l.Suspended(srv) != 0 {
		t.Error("suspended where nobody asked for it")
	}
}

// TestOneCannotSuspend attacks with one principal who has a harmless server say
// what is blocked, as often as he likes; and with one who floods so that the
// strikes of others are forgotten.
func TestOneCannotSuspend(t *testing.T) {
	for limit := 2; limit <= 9; limit++ {
		l, _ := ledger(limit, time.Hour)
		for range 50 * limit {
			if got := l.Strike(srv, "mallory"); !got.Until.IsZero() {
				t.Fatalf("limit %d: one principal suspended a server", limit)
			}
		}
		others := 0
		for l.Suspended(srv) == 0 {
			l.Strike(srv, "bob")
			others++
			for range 2 * limit {
				l.Strike(srv, "mallory")
			}
			if others > limit {
				t.Fatalf("limit %d: a flood keeps a server from being suspended", limit)
			}
		}
		if others != limit/2 {
			t.Errorf("limit %d: suspended after %d strikes of another's", limit, others)
		}
	}
}

// TestSuspension ends by itself, is that of one server in one tenant under one
// approval, and takes as many strikes again.
func TestSuspension(t *testing.T) {
	l, c := ledger(4, time.Hour)
	suspend := func() {
		t.Helper()
		for i := range 4 {
			if l.Suspended(srv) != 0 {
				t.Fatalf("suspended after %d strikes", i)
			}
			l.Strike(srv, fmt.Sprint("user", i%2))
		}
		if l.Suspended(srv) != time.Hour || l.Suspensions() != 1 {
			t.Fatalf("suspended for %v, %d in all", l.Suspended(srv), l.Suspensions())
		}
	}
	suspend()
	for _, other := range []Server{{"other", srv.Name, "a"}, {"default", "io.example/other", "a"}, {"default", srv.Name, "b"}} {
		if l.Suspended(other) != 0 {
			t.Errorf("%v suffers for another", other)
		}
	}
	c.pass(30 * time.Minute)
	for i := range 8 { // of calls under way: they do not prolong it
		l.Strike(srv, fmt.Sprint("user", i%2))
	}
	if left := l.Suspended(srv); left != 30*time.Minute {
		t.Errorf("%v left after half the time", left)
	}
	c.pass(31 * time.Minute)
	if l.Suspended(srv) != 0 || l.Suspensions() != 0 {
		t.Error("it does not end")
	}
	suspend()
}

// TestBounded: neither many principals nor many servers make the ledger grow
// without end.
func TestBounded(t *testing.T) {
	l, c := ledger(10, 0)
	for i := range 1000 {
		l.Strike(srv, fmt.Sprint(i))
	}
	if n := len(l.servers[srv].by); n > 10 {
		t.Errorf("%d principals are remembered", n)
	}
	for i := range 3 * maxServers {
		l.Strike(Server{Name: fmt.Sprint(i)}, "alice")
	}
	if n := len(l.servers); n > maxServers {
		t.Errorf("%d servers are remembered", n)
	}
	c.pass(time.Hour)
	l.Strike(Server{Name: "new"}, "alice")
	if n := len(l.servers); n != 1 {
		t.Errorf("%d servers are remembered when nothing of theirs counts", n)
	}
}
