package inventory

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/restart"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// source is one upstream instance under one credential in one era.
type source struct {
	mu       sync.Mutex
	wanted   uint64 // raised by every announced change
	have     *Snapshot
	haveGen  uint64    // the value of wanted when have's listing began
	refused  error     // upstream.ErrEra, remembered as long as a listing would be
	asked    time.Time // when have's or refused's listing began
	began    time.Time // when the last listing began
	flight   *flight
	target   upstream.Target
	client   *upstream.Client
	dialed   time.Time
	lastUsed time.Time
	retired  bool            // another one has taken its place
	failures restart.Backoff // of a local server: it is not started in a loop
}

// errRetired is a source that was found a moment before its end.
var errRetired = errors.New("source is retired")

// flight is one listing under way.
type flight struct {
	done chan struct{}
	err  error
}

// current returns a listing that counts as current, or the flight to wait for.
func (src *source) current(s *Store, key Key, target upstream.Target) (*Snapshot, *flight, error) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if src.retired {
		return nil, nil, errRetired
	}
	now := s.cfg.Now()
	src.lastUsed, src.target = now, target
	fresh := now.Sub(src.asked) < s.cfg.MaxAge && src.haveGen == src.wanted
	switch {
	case fresh && src.have != nil:
		return src.have, nil, nil
	case fresh && src.refused != nil:
		return nil, nil, src.refused
	case src.flight == nil:
		src.take(s, key)
	}
	return nil, src.flight, nil
}

// eagerly is how often an announced change has the listing renewed without
// being asked; in between the next call does it.
const eagerly = time.Second

func (src *source) changed(s *Store, key Key) {
	src.mu.Lock()
	defer src.mu.Unlock()
	src.wanted++
	named := src.target.URL != "" || len(src.target.Command) > 0
	if src.flight == nil && named && s.cfg.Now().Sub(src.began) > eagerly {
		src.take(s, key)
	}
}

// take starts a listing. The caller holds src.mu.
func (src *source) take(s *Store, key Key) {
	f := &flight{done: make(chan struct{})}
	src.flight = f
	gen, asked, target := src.wanted, s.cfg.Now(), src.target
	src.began = asked
	go func() {
		snap, err := src.list(s, key, target)
		src.mu.Lock()
		defer src.mu.Unlock()
		src.flight = nil
		f.err = err
		switch {
		case err == nil:
			src.have, src.refused, src.haveGen, src.asked = snap, nil, gen, asked
		case errors.Is(err, upstream.ErrEra):
			src.have, src.refused, src.haveGen, src.asked = nil, err, gen, asked
		default:
			src.have, src.refused = nil, nil // an old listing never stands in for a failed one
		}
		close(f.done)
		if s.ctx.Err() != nil {
			go src.hangUp() // closed while listing
		}
	}()
}

// list reads the whole listing over the source's own conversation, opening it
// first where there is none.
func (src *source) list(s *Store, key Key, target upstream.Target) (*Snapshot, error) {
	client, err := src.dial(s, key, target)
	if err != nil {
		return nil, err
	}
	taken := s.cfg.Now()
	ctx, cancel := context.WithTimeout(s.ctx, listTimeout)
	defer cancel()
	l, err := client.Listing(ctx)
	if err != nil {
		src.noteFailure(target)
		src.hangUp()
		return nil, err
	}
	return &Snapshot{Listing: l, Taken: taken, compared: map[string]*Comparison{}}, nil
}

// listTimeout bounds all pages of one listing together.
const listTimeout = 90 * time.Second

func (src *source) dial(s *Store, key Key, target upstream.Target) (*upstream.Client, error) {
	src.mu.Lock()
	client := src.client
	src.mu.Unlock()
	if client != nil {
		select {
		case <-client.Done():
			src.noteFailure(target)
			src.hangUp()
		default:
			return client, nil
		}
	}
	if src.failures.Wait(time.Now()) > 0 {
		return nil, ErrPaused
	}
	if err := s.cfg.Before(key, target); err != nil {
		return nil, err
	}
	dialed := time.Now()
	client, err := upstream.Dial(s.ctx, target, key.Era, s.limits())
	if err != nil && !errors.Is(err, upstream.ErrEra) && !errors.Is(err, upstream.ErrBound) {
		src.noteFailure(target)
	}
	if err != nil {
		return nil, err
	}
	client.OnNotification(func(m *jsonrpc.Message) {
		if ListChanged(m.Method) {
			src.changed(s, key)
		}
	})
	src.mu.Lock()
	src.client, src.dialed = client, dialed
	src.mu.Unlock()
	return client, nil
}

// noteFailure counts the end of a local server; those over HTTP start
// themselves.
func (src *source) noteFailure(target upstream.Target) {
	src.mu.Lock()
	client, dialed := src.client, src.dialed
	src.mu.Unlock()
	if len(target.Command) == 0 {
		return
	}
	var ran time.Duration
	if client != nil {
		ran = time.Since(dialed)
	}
	src.failures.Ended(time.Now(), ran)
}

// ListChanged reports whether a notification says that a list is outdated.
func ListChanged(method string) bool {
	switch method {
	case protocol.NotificationToolsListChanged, protocol.NotificationPromptsListChanged, protocol.NotificationResourcesListChanged:
		return true
	}
	return false
}

// hangUp closes the conversation, if there is one.
func (src *source) hangUp() {
	src.mu.Lock()
	client := src.client
	src.client = nil
	src.mu.Unlock()
	if client != nil {
		client.Close()
	}
}

// retire ends the use of a source that nobody asked since; false where somebody did.
func (src *source) retire(before time.Time) bool {
	src.mu.Lock()
	defer src.mu.Unlock()
	src.retired = src.flight == nil && src.lastUsed.Before(before)
	return src.retired
}
