package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// counting is a modern server that counts its tools/list answers per credential.
type counting struct {
	mu    sync.Mutex
	lists map[string]int
	fail  atomic.Bool
	hook  func()
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	if err != nil || r.Header.Get(protocol.HeaderProtocolVersion) != protocol.VersionModern || c.fail.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch m.Method {
	case protocol.MethodDiscover:
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}}`, m.ID)
	case protocol.MethodToolsList:
		c.mu.Lock()
		c.lists[r.Header.Get("Authorization")]++
		hook := c.hook
		c.mu.Unlock()
		if hook != nil {
			hook()
		}
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","tools":[{"name":"t","inputSchema":{"type":"object"}}]}}`, m.ID)
	default:
		w.WriteHeader(http.StatusNotFound)
		w.Write(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no", nil))
	}
}

func (c *counting) listed(credential string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists[credential]
}

func start(t *testing.T) (*counting, upstream.Target) {
	t.Helper()
	c := &counting{lists: map[string]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(func() { closing.Server(server) })
	return c, upstream.Target{URL: server.URL}
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func key(tenant, instance string) Key {
	return Key{Tenant: tenant, Server: "s", Instance: instance, Era: protocol.Modern}
}

// TestAge: a listing counts for MaxAge and not a moment longer, whatever is
// configured, and an old one never stands in for a failed one.
func TestAge(t *testing.T) {
	c, target := start(t)
	now := &clock{now: time.Now()}
	s := New(Config{MaxAge: time.Hour, Now: now.Now})
	defer s.Close()
	get := func() error { _, err := s.Current(t.Context(), key("a", "1"), target); return err }
	for range 3 {
		if err := get(); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.listed(""); n != 1 {
		t.Errorf("listed %d times, want 1", n)
	}
	now.advance(MaxAge)
	if err := get(); err != nil || c.listed("") != 2 {
		t.Errorf("after MaxAge: %v, listed %d times", err, c.listed(""))
	}
	now.advance(MaxAge)
	c.fail.Store(true)
	if err := get(); err == nil {
		t.Error("an outdated listing stood in for a failed one")
	}
	c.fail.Store(false)
	if err := get(); err != nil {
		t.Errorf("after recovery: %v", err)
	}
}

// TestNothingIsShared across tenants, instances (which name the credential) or eras.
func TestNothingIsShared(t *testing.T) {
	c, target := start(t)
	s := New(Config{})
	defer s.Close()
	for _, k := range []Key{key("a", "1"), key("b", "1"), key("a", "2")} {
		own := target
		own.Header = http.Header{"Authorization": {k.Tenant + k.Instance}}
		if _, err := s.Current(t.Context(), k, own); err != nil {
			t.Fatal(err)
		}
		if n := c.listed(k.Tenant + k.Instance); n != 1 {
			t.Errorf("%v: listed %d times under its own credential", k, n)
		}
	}
	legacy := key("a", "1")
	legacy.Era = protocol.Legacy
	for range 2 {
		if _, err := s.Current(t.Context(), legacy, target); err == nil {
			t.Error("a modern listing was given for the legacy era")
		}
	}
}

// TestChangedWhileListing: a listing that began before the announcement is not
// current; endless announcements end in ErrUnstable.
func TestChangedWhileListing(t *testing.T) {
	c, target := start(t)
	s := New(Config{})
	defer s.Close()
	k := key("a", "1")
	var once sync.Once
	c.hook = func() { once.Do(func() { s.Changed(k) }) }
	if _, err := s.Current(t.Context(), k, target); err != nil {
		t.Fatal(err)
	}
	if n := c.listed(""); n != 2 {
		t.Errorf("listed %d times, want 2", n)
	}
	c.mu.Lock()
	c.hook = func() { s.Changed(k) }
	c.mu.Unlock()
	s.Changed(k)
	if _, err := s.Current(t.Context(), k, target); !errors.Is(err, ErrUnstable) {
		t.Errorf("err = %v, want ErrUnstable", err)
	}
}

// TestWaitersGiveUp without ending the listing for others.
func TestWaitersGiveUp(t *testing.T) {
	c, target := start(t)
	release := make(chan struct{})
	c.hook = func() { <-release }
	s := New(Config{})
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Current(ctx, key("a", "1"), target); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	close(release)
	if _, err := s.Current(t.Context(), key("a", "1"), target); err != nil || c.listed("") != 1 {
		t.Errorf("%v, listed %d times", err, c.listed(""))
	}
}

// TestBeforeKeepsClosed: a start that cannot be recorded does not happen.
func TestBeforeKeepsClosed(t *testing.T) {
	c, target := start(t)
	refused := errors.New("not on record")
	s := New(Config{Before: func(Key, upstream.Target) error { return refused }})
	if _, err := s.Current(t.Context(), key("a", "1"), target); !errors.Is(err, refused) || c.listed("") != 0 {
		t.Errorf("err = %v, listed %d times", err, c.listed(""))
	}
	s.Close()
	if _, err := s.Current(t.Context(), key("a", "1"), target); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestCompare goes through every state.
func TestCompare(t *testing.T) {
	tool := func(name, description string) jsontext.Value {
		return jsontext.Value(fmt.Sprintf(`{"name":%q,"description":%q,"inputSchema":{"type":"object"}}`, name, description))
	}
	instructions := "Be brief."
	l := &listing.Listing{Era: protocol.Modern, Instructions: &instructions, Tools: []jsontext.Value{
		tool("same", "x"), tool("changed", "y"), tool("added", "z"), tool("twice", "a"), tool("twice", "b"), []byte(`{"name":1}`),
	}}
	approved := Approved{ID: "1", Entries: map[Ref]fingerprint.Digest{}}
	for _, raw := range []jsontext.Value{tool("same", "x"), tool("changed", "x"), tool("twice", "a"), tool("gone", "x")} {
		e, err := fingerprint.OfEntry(fingerprint.KindTool, raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		approved.Entries[Ref{fingerprint.KindTool, e.Key}] = e.Behavioural
	}
	snap := &Snapshot{Listing: l, compared: map[string]*Comparison{}}
	c := snap.Compare(approved)
	for name, want := range map[string]State{"same": Same, "changed": Changed, "added": Added, "twice": Duplicate, "": Unreadable} {
		if o, ok := c.Lookup(Ref{fingerprint.KindTool, name}); !ok || o.State != want {
			t.Errorf("%q is %v, want %v", name, o.State, want)
		}
	}
	if _, ok := c.Lookup(Ref{fingerprint.KindTool, "gone"}); ok {
		t.Error("an entry that is not listed was observed")
	}
	if o, ok := c.Lookup(Ref{fingerprint.KindInstructions, ""}); !ok || o.State != Added {
		t.Errorf("instructions that nobody approved are %v", o.State)
	}
	if snap.Compare(approved) != c {
		t.Error("the comparison was made twice")
	}
	n := 0
	for range c.All {
		n++
	}
	if n != 6 {
		t.Errorf("%d observed, want 6", n)
	}
}
