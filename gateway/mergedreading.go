package gateway

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
)

// reading is how far one stream has come with each server.
type reading struct {
	mu     sync.Mutex
	at     map[string]merge.Place
	pauses pauses
}

func newReading(from []merge.Place) *reading {
	r := &reading{at: map[string]merge.Place{}, pauses: pauses{}}
	for _, p := range from {
		r.at[p.Alias] = p
	}
	return r
}

// left is the event after which the client left a server's stream, "" for none:
// what a conversation that has ended said cannot be heard again.
func (r *reading) left(alias string, session int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.at[alias]; ok && at.Session == session {
		return at.Event
	}
	return ""
}

// reached notes an event and returns where the stream is now, that event first.
func (r *reading) reached(now merge.Place) merge.Resume {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[now.Alias] = now
	var others []merge.Place
	for alias, p := range r.at {
		if alias != now.Alias {
			others = append(others, p)
		}
	}
	slices.SortFunc(others, func(a, b merge.Place) int { return strings.Compare(a.Alias, b.Alias) })
	return merge.Resume{Places: append([]merge.Place{now}, others...)}
}

// rest waits before a server's stream is asked for again; false when there is
// no need any more.
func (r *reading) rest(ctx context.Context, alias string, lasted time.Duration) bool {
	r.mu.Lock()
	pause := r.pauses.after(alias, lasted)
	r.mu.Unlock()
	return rest(ctx, pause)
}

// Pauses before the stream of one server is asked for again. They grow while
// it ends as soon as it begins.
const (
	shortPause = 500 * time.Millisecond
	fullPause  = 30 * time.Second
)

// pauses are the last ones, by alias.
type pauses map[string]time.Duration

func (p pauses) after(alias string, lasted time.Duration) time.Duration {
	if p[alias] = min(2*p[alias], fullPause); p[alias] == 0 || lasted > 2*shortPause {
		p[alias] = shortPause
	}
	return p[alias]
}

func rest(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
