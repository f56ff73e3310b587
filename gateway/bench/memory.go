package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

// Sizes of the memory rows.
const (
	sessions  = 10_000
	early     = 2_000 // sessions after which memory counts as grown
	streams   = 1_000
	abreast   = 8
	sources   = 10 // local addresses that streams come from
	perCaller = 50 // sessions of one key
)

// sessionRows opens session after session, has each make a call and leaves half
// of them open, as clients that go away do.
func sessionRows(ctx context.Context, w *world, _ options) ([]benchtable.Row, error) {
	at := w.legacy().gateway
	plain, quoted := texts(small)
	one := func(n int) error {
		c, err := newCaller(ctx, at, "")
		if err != nil {
			return err
		}
		defer c.close()
		k := n % len(plain)
		if err := c.call(ctx, "read", plain[k], quoted[k]); err != nil {
			return err
		}
		if n%2 == 0 {
			return c.end(ctx)
		}
		return nil
	}
	run := func(from, to int) error {
		next := make(chan int)
		failed := make([]error, abreast)
		var work sync.WaitGroup
		for i := range abreast {
			work.Go(func() {
				for n := range next {
					if failed[i] == nil {
						failed[i] = one(n)
					}
				}
			})
		}
		for n := from; n < to; n++ {
			next <- n
		}
		close(next)
		work.Wait()
		return errors.Join(failed...)
	}
	if err := run(0, early); err != nil {
		return nil, err
	}
	first, err := rss(w.gateway)
	if err != nil {
		return nil, err
	}
	if err := run(early, sessions); err != nil {
		return nil, err
	}
	last, err := rss(w.gateway)
	if err != nil {
		return nil, err
	}
	return []benchtable.Row{{
		What: "memory after 10,000 sessions", Figure: mb(last), Target: "≤ 1.1×", Met: benchtable.AtMost(last, 1.1*first),
		Note: fmt.Sprintf("%s after %s sessions; each made a call, half of them were never ended", mb(first), strconv.Itoa(early)),
	}}, nil
}

// streamRows holds many event streams open at once, from several addresses and
// callers, since one of either may not have so many.
func streamRows(ctx context.Context, w *world, _ options) ([]benchtable.Row, error) {
	at := w.legacy().gateway
	var open []io.Closer
	defer func() {
		for _, s := range open {
			s.Close()
		}
	}()
	for n := range streams {
		if n%perCaller == 0 {
			var err error
			if at.token, err = w.Key("listener-"+strconv.Itoa(n/perCaller), "--role", "agent"); err != nil {
				return nil, err
			}
		}
		c, err := newCaller(ctx, at, "127.0.0."+strconv.Itoa(2+n%sources))
		if err != nil {
			return nil, err
		}
		s, err := c.listen(ctx)
		if err != nil {
			return nil, fmt.Errorf("after %d streams: %w", n, err)
		}
		open = append(open, s)
	}
	time.Sleep(2 * time.Second) // every stream is looked at again meanwhile
	rss, err := rss(w.gateway)
	if err != nil {
		return nil, err
	}
	return []benchtable.Row{{
		What: "memory with 1,000 open streams", Figure: mb(rss), Target: "≤ 300 MiB", Met: benchtable.AtMost(rss, 300<<20),
		Note: fmt.Sprintf("%d keys, %d sessions each, over %d addresses", streams/perCaller, perCaller, sources),
	}}, nil
}
