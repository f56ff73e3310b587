package gateway

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
	"time"
)

// Whether a list is another than the one that a client was last shown.

// digests are those of one list's parts, by alias.
type digests map[string][sha256.Size]byte

// told is what a client was last shown of each list, by server.
type told struct {
	mu    sync.Mutex
	lists map[string]digests
}

func (t *told) set(method string, now digests) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists == nil {
		t.lists = map[string]digests{}
	}
	t.lists[method] = now
}

// differs replaces what is known of a list by what it is now; true when it was
// known and is another.
func (t *told) differs(method string, now digests) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.lists[method]
	if t.lists == nil {
		t.lists = map[string]digests{}
	}
	t.lists[method] = now
	return known && !maps.Equal(before, now)
}

func (t *told) of(method, alias string) (digest [sha256.Size]byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	digest, ok = t.lists[method][alias]
	return digest, ok
}

func digestsOf(lists []listed) digests {
	all := digests{}
	for _, l := range lists {
		all[l.alias] = l.digest
	}
	return all
}

// changePatience bounds one look at all lists.
const changePatience = time.Second

// changed compares the lists with what the client knows of them, and returns
// the notifications that are due. A server that cannot be listed now counts as
// it was: only its return is news.
func (g *Gateway) changed(ctx context.Context, x *exchange, known *told) []string {
	ctx, cancel := context.WithTimeout(ctx, changePatience)
	defer cancel()
	if g.routes.fresh() != nil {
		return nil
	}
	usable := g.usable(x)
	claims := g.merged.claimsOf(usable)
	now := map[string]digests{}
	for method := range changedBy {
		now[method] = digests{}
	}
	var mu sync.Mutex
	var work sync.WaitGroup
	look := func(y *exchange) {
		for method := range changedBy {
			c, no := g.checkedList(ctx, y, claims, method)
			mu.Lock()
			if no == nil {
				now[method][y.alias] = c.digest
			} else if before, ok := known.of(method, y.alias); ok {
				now[method][y.alias] = before
			}
			mu.Unlock()
		}
	}
	for _, y := range usable {
		work.Go(func() { g.survive(ctx, func() { look(y) }) })
	}
	work.Wait()
	if ctx.Err() == context.Canceled {
		return nil
	}
	var due []string
	for method, notification := range changedBy {
		if known.differs(method, now[method]) && !slices.Contains(due, notification) {
			due = append(due, notification)
		}
	}
	slices.Sort(due)
	return due
}
