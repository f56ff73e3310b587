// Package strikes adds up what servers said that was blocked, by tenant and
// server, in a sliding window, and may suspend a server for it. It never counts
// against whoever asked. It must not know messages, scanners or HTTP.
package strikes

import (
	"slices"
	"sync"
	"time"
)

// Config of a Ledger.
type Config struct {
	Limit   int           // strikes within Window; 2 to MaxLimit
	Window  time.Duration // that a strike counts for
	Suspend time.Duration // for how long; 0 suspends nobody
	Now     func() time.Time
}

// MaxLimit bounds Config.Limit, and with it what is remembered of a server.
const MaxLimit = 100

// Server is who said it. Another approval begins anew: reviewers looked again.
type Server struct{ Tenant, Name, Approval string }

// Count is where a server stands after a strike.
type Count struct {
	Strikes    int // in the window, those remembered of each principal
	Principals int // who were told them
	// Reached is set when there are as many as the limit, once a window.
	Reached bool
	// Until is when the suspension ends that this strike brought; else zero.
	Until time.Time
}

// Ledger remembers strikes. It is safe for concurrent use.
type Ledger struct {
	cfg Config

	mu      sync.Mutex
	servers map[Server]*record
	swept   time.Time // when room was last looked for
}

type record struct {
	by    map[string][]time.Time // newest strikes by principal, oldest first
	told  time.Time              // when Reached was last set
	until time.Time              // suspended
}

// maxServers bounds what is remembered beside the servers approved now.
const maxServers = 4096

// New makes an empty ledger.
func New(cfg Config) *Ledger {
	return &Ledger{cfg: cfg, servers: map[Server]*record{}}
}

// Strike counts one blocked message of the server's that was on its way to the
// principal. A suspension takes Limit strikes of which no principal brings more
// than half: one who has a server repeat his own words can shut it for nobody.
func (l *Ledger) Strike(s Server, principal string) Count {
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.servers[s]
	if r == nil {
		if !l.room(now) {
			return Count{Strikes: 1, Principals: 1}
		}
		r = &record{by: map[string][]time.Time{}}
		l.servers[s] = r
	}
	since := now.Add(-l.cfg.Window)
	r.forget(since)
	r.add(principal, now, l.cfg.Limit)
	c := Count{Principals: len(r.by)}
	weighed := 0
	for _, times := range r.by {
		c.Strikes += len(times)
		weighed += min(len(times), (l.cfg.Limit+1)/2)
	}
	if c.Strikes >= l.cfg.Limit && !r.told.After(since) {
		c.Reached, r.told = true, now
	}
	if l.cfg.Suspend > 0 && weighed >= l.cfg.Limit && !r.until.After(now) {
		c.Until = now.Add(l.cfg.Suspend)
		r.until = c.Until
		clear(r.by) // the next one takes as many again
	}
	return c
}

// add remembers a strike, of one principal at most limit. Of more principals
// than that none is needed.
func (r *record) add(principal string, now time.Time, limit int) {
	times, known := r.by[principal]
	if !known && len(r.by) >= limit {
		return
	}
	if len(times) >= limit {
		times = times[1:]
	}
	r.by[principal] = append(times, now)
}

func (r *record) forget(since time.Time) {
	for principal, times := range r.by {
		times = slices.DeleteFunc(times, func(t time.Time) bool { return !t.After(since) })
		if r.by[principal] = times; len(times) == 0 {
			delete(r.by, principal)
		}
	}
}

// room forgets servers of which nothing counts any more, where there are too
// many; not all the time. The caller holds l.mu.
func (l *Ledger) room(now time.Time) bool {
	if len(l.servers) < maxServers {
		return true
	}
	if now.Sub(l.swept) < l.cfg.Window/8 {
		return false
	}
	l.swept = now
	for s, r := range l.servers {
		if r.forget(now.Add(-l.cfg.Window)); len(r.by) == 0 && !r.until.After(now) {
			delete(l.servers, s)
		}
	}
	return len(l.servers) < maxServers
}

// Suspended says for how long yet the server is suspended; 0 if it is not.
func (l *Ledger) Suspended(s Server) time.Duration {
	if l.cfg.Suspend <= 0 {
		return 0
	}
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.servers[s]; r != nil {
		return max(0, r.until.Sub(now))
	}
	return 0
}

// Suspensions is the number of servers that are suspended now.
func (l *Ledger) Suspensions() (n int) {
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.servers {
		if r.until.After(now) {
			n++
		}
	}
	return n
}
