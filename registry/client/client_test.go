package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

func serve(t *testing.T, h http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(s.URL, "bz_token", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func TestAddresses(t *testing.T) {
	for base, ok := range map[string]bool{
		"https://registry.example": true, "http://127.0.0.1:8470": true, "http://localhost:8470/": true, "http://[::1]:1": true,
		"http://registry.example": false, "http://127.0.0.1.evil.example": false, "ftp://127.0.0.1": false, "registry.example": false,
		"https://u:p@registry.example": false, "https://registry.example?x": false, "https://registry.example#x": false, "": false,
	} {
		if _, err := New(base, "t", Options{}); (err == nil) != ok || err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := New("http://registry.example", "t", Options{UnsafePlaintext: true}); err != nil {
		t.Error(err)
	}
	if _, err := New("https://registry.example", "a\r\nX: b", Options{}); !errors.Is(err, ErrConfig) {
		t.Errorf("token with a line break: %v", err)
	}
}

// TestRedirectsAreNotFollowed would send the token to another listener.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var stolen atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Store(true) }))
	t.Cleanup(thief.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, status) })
		if _, err := c.Identity(t.Context()); !errors.Is(err, ErrProtocol) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if stolen.Load() {
		t.Error("the redirect was followed")
	}
}

func TestPaths(t *testing.T) {
	var got string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		io.WriteString(w, "{}")
	})
	if _, err := c.Version(t.Context(), "io.github.acme/weather?x", "1.0.0"); err != nil {
		t.Fatal(err)
	}
	if want := "/api/v1/servers/io.github.acme%2Fweather%3Fx/versions/1.0.0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, name := range []string{"", ".", ".."} {
		if _, err := c.Version(t.Context(), name, "1.0.0"); !errors.Is(err, ErrConfig) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		reason  string
		want    error
	}{
		"problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", registryapi.MediaProblem)
			w.WriteHeader(409)
			io.WriteString(w, `{"type":"about:blank","title":"Conflict","status":200,"reason":"stale_subject","detail":"look again"}`)
		}, "stale_subject", nil},
		"page of a proxy": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }, "", ErrProtocol},
		"not JSON":        {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "", ErrProtocol},
		"endless":         {func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, io.LimitReader(zeros{}, maxAnswer+2)) }, "", ErrProtocol},
		"dies midway": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "", ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, tc.handler)
			_, err := c.Identity(t.Context())
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || Reason(err) != tc.reason {
				t.Errorf("%v", err)
			}
			if tc.reason != "" && Status(err) != 409 {
				t.Errorf("status %d: the line counts, not the body", Status(err))
			}
		})
	}
	c, s := serve(t, nil)
	s.Close()
	if _, err := c.Identity(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestFollowerKeys(t *testing.T) {
	var asked atomic.Int32
	var down atomic.Bool
	c, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		asked.Add(1)
		if !strings.HasSuffix(r.URL.Path, "/known") {
			w.Header().Set("Content-Type", registryapi.MediaProblem)
			w.WriteHeader(404)
			io.WriteString(w, `{"status":404,"reason":"not_found"}`)
			return
		}
		io.WriteString(w, `{"id":"known","tenant":"default","principal":"tom"}`)
	})
	_ = s
	f := NewFollower(c)
	now := time.Unix(1_700_000_000, 0)
	f.now = func() time.Time { return now }
	get := func(id string) error {
		_, err := f.Key(t.Context(), id)
		return err
	}
	for range 3 {
		if err := get("known"); err != nil {
			t.Fatal(err)
		}
		if err := get("guess"); !errors.Is(err, identity.ErrUnknownKey) {
			t.Fatal(err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times while fresh", asked.Load())
	}
	f.drop("known")
	get("known")
	if asked.Load() != 3 {
		t.Error("a dropped key was not asked for again")
	}
	down.Store(true)
	now = now.Add(freshKey)
	if err := get("known"); err != nil {
		t.Errorf("a short outage: %v", err)
	}
	now = now.Add(f.KeyGrace)
	if err := get("known"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a long outage lets nobody in: %v", err)
	}
	if err := get("new"); err == nil || errors.Is(err, identity.ErrUnknownKey) {
		t.Errorf("an unanswered question is no answer: %v", err)
	}
}

// TestKeyOutlivesASilentRegistry holds that a registry which accepts
// connections and says nothing counts as one that is not there.
func TestKeyOutlivesASilentRegistry(t *testing.T) {
	var silent atomic.Bool
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if silent.Load() {
			<-r.Context().Done()
			return
		}
		io.WriteString(w, `{"id":"known","tenant":"default","principal":"tom"}`)
	})
	f := NewFollower(c)
	now := time.Unix(1_700_000_000, 0)
	f.now = func() time.Time { return now }
	if _, err := f.Key(t.Context(), "known"); err != nil {
		t.Fatal(err)
	}
	silent.Store(true)
	now = now.Add(freshKey)
	if _, err := f.Key(t.Context(), "known"); err != nil {
		t.Errorf("a registry that says nothing: %v", err)
	}
	if _, err := f.Key(t.Context(), "other"); err == nil || errors.Is(err, identity.ErrUnknownKey) {
		t.Errorf("silence is no answer: %v", err)
	}
}

func TestFollowerFeed(t *testing.T) {
	polls := make(chan string, 10)
	answers := []string{
		`{"events":[],"cursor":7}`,
		`{"events":[{"cursor":8,"kind":"key","ref":"known","at":"2026-01-01T00:00:00Z"},{"cursor":9,"kind":"version","ref":"x","at":"2026-01-01T00:00:00Z"}],"cursor":9}`,
		`{"events":[{"cursor":10,"kind":"snapshot","ref":"3","at":"2026-01-01T00:00:00Z"}],"cursor":10}`,
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		polls <- r.URL.Query().Get("cursor")
		if n == len(answers) {
			cancel()
			return
		}
		io.WriteString(w, answers[n])
		n++
	})
	f := NewFollower(c)
	f.keys["known"] = cachedKey{known: true, at: time.Now()}
	notified := 0
	f.Run(ctx, func() { notified++ })
	close(polls)
	var cursors []string
	for p := range polls {
		cursors = append(cursors, p)
	}
	if strings.Join(cursors, " ") != "-1 7 9 10" || notified != 2 || len(f.keys) != 0 {
		t.Errorf("cursors %v, notified %d, cached %d", cursors, notified, len(f.keys))
	}
}
