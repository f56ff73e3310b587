package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

// How long a key record may be used. Within freshKey nobody is asked; the feed
// drops a revoked key sooner. While the registry cannot be reached, or does not
// answer within keyPatience, a record serves for Follower.KeyGrace, then the
// caller stays out.
const (
	freshKey    = 5 * time.Second
	keyPatience = 2 * time.Second
	// DefaultKeyGrace is that of a follower whose owner says nothing.
	DefaultKeyGrace = 30 * time.Second
	maxCached       = 10_000
	pollWait        = 25 * time.Second
	pollPause       = 2 * time.Second
)

// Follower is a gateway's view of a remote registry. It implements
// approval.Source and identity.KeySource; Run keeps it current.
type Follower struct {
	// KeyGrace is how long a key that was valid serves while the registry cannot
	// be asked. Approvals outlive the registry too: a gateway sets it to the
	// time that they do, or neither is of use. Set before the first use.
	KeyGrace time.Duration

	client *Client
	now    func() time.Time

	mu       sync.Mutex
	keys     map[string]cachedKey
	answered time.Time // when the registry last was there to be asked
	// generation counts what the feed dropped, so that an answer which was
	// under way meanwhile is not kept.
	generation int
}

type cachedKey struct {
	record identity.KeyRecord
	known  bool
	at     time.Time
}

// NewFollower follows c's registry.
func NewFollower(c *Client) *Follower {
	return &Follower{KeyGrace: DefaultKeyGrace, client: c, now: time.Now, keys: map[string]cachedKey{}}
}

// Snapshot implements approval.Source.
func (f *Follower) Snapshot(ctx context.Context) ([]byte, error) {
	return f.client.bytes(ctx, request{method: "GET", path: v1("gateway", "snapshot")}, approval.MaxSnapshot)
}

// Approval implements approval.Source.
func (f *Follower) Approval(ctx context.Context, digest string) ([]byte, error) {
	return f.client.bytes(ctx, request{method: "GET", path: v1("gateway", "approvals", digest)}, approval.MaxApproval)
}

// Artifact implements trees.Source.
func (f *Follower) Artifact(ctx context.Context, digest string) (io.ReadCloser, error) {
	return f.client.open(ctx, request{method: "GET", path: v1("gateway", "artifacts", digest)})
}

// Key implements identity.KeySource.
func (f *Follower) Key(ctx context.Context, id string) (identity.KeyRecord, error) {
	f.mu.Lock()
	cached, ok := f.keys[id]
	generation := f.generation
	f.mu.Unlock()
	age := f.now().Sub(cached.at)
	if ok && age >= 0 && age < freshKey {
		return cached.answer()
	}
	var record identity.KeyRecord
	asking, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	err := f.client.do(asking, request{method: "GET", path: v1("gateway", "keys", id)}, &record)
	silent := errors.Is(err, ErrUnreachable) || err != nil && asking.Err() != nil && ctx.Err() == nil
	switch {
	case err == nil && record.ID == id:
		return f.keep(id, cachedKey{record: record, known: true, at: f.now()}, generation).answer()
	case err == nil:
		return identity.KeyRecord{}, fmt.Errorf("%w: another key than asked for", ErrProtocol)
	case Status(err) == http.StatusNotFound:
		return f.keep(id, cachedKey{at: f.now()}, generation).answer()
	case silent && ok && age >= 0 && age < f.KeyGrace:
		return cached.answer()
	}
	return identity.KeyRecord{}, err
}

// Ready reports whether keys can be checked: the registry answered not longer
// than KeyGrace ago.
func (f *Follower) Ready(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if age := f.now().Sub(f.answered); f.answered.IsZero() || age < 0 || age > f.KeyGrace {
		return ErrUnreachable
	}
	return nil
}

func (k cachedKey) answer() (identity.KeyRecord, error) {
	if !k.known {
		return identity.KeyRecord{}, identity.ErrUnknownKey
	}
	return k.record, nil
}

func (f *Follower) keep(id string, k cachedKey, generation int) cachedKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answered = f.now()
	if generation != f.generation {
		return k
	}
	if len(f.keys) >= maxCached { // guessed ids must not fill the memory
		clear(f.keys)
	}
	f.keys[id] = k
	return k
}

func (f *Follower) drop(ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.generation++
	if len(ids) == 0 {
		clear(f.keys)
	}
	for _, id := range ids {
		delete(f.keys, id)
	}
}

// Run follows the feed until the context ends, and calls notify (such as
// approval.Keeper's Notify) whenever the approvals in force changed. After an
// interruption it starts over from the present end, with nothing cached.
func (f *Follower) Run(ctx context.Context, notify func()) {
	cursor := int64(-1)
	for ctx.Err() == nil {
		next, err := f.poll(ctx, cursor, notify)
		if err == nil {
			cursor = next
			continue
		}
		cursor = -1
		select {
		case <-ctx.Done():
		case <-time.After(pollPause):
		}
	}
}

func (f *Follower) poll(ctx context.Context, cursor int64, notify func()) (next int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, pollWait+15*time.Second)
	defer cancel()
	var feed registryapi.Feed
	q := url.Values{"cursor": {strconv.FormatInt(cursor, 10)}, "wait": {strconv.Itoa(int(pollWait.Seconds()))}}
	if err := f.client.do(ctx, request{method: "GET", path: v1("gateway", "feed"), query: q}, &feed); err != nil {
		return 0, err
	}
	f.mu.Lock()
	f.answered = f.now()
	f.mu.Unlock()
	if cursor < 0 { // whatever happened before is covered by a look at everything
		f.drop()
		notify()
		return feed.Cursor, nil
	}
	changed := false
	for _, e := range feed.Events {
		switch e.Kind {
		case "key":
			f.drop(e.Ref)
		case "snapshot":
			changed = true
		}
	}
	if changed {
		notify()
	}
	return feed.Cursor, nil
}

// ReportDrift tells the registry of an entry that the gateway holds.
func (f *Follower) ReportDrift(ctx context.Context, d registryapi.NewDrift) (*admission.Drift, error) {
	var out admission.Drift
	return &out, f.client.do(ctx, request{method: "POST", path: v1("gateway", "drift"), body: d}, &out)
}

var (
	_ approval.Source    = (*Follower)(nil)
	_ identity.KeySource = (*Follower)(nil)
)
