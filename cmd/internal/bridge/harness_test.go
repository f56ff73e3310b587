package bridge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

const secret = "bz_very_secret"

// wire is a bridge with its two ends in the test's hands.
type wire struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	ended chan error
	log   *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a bridge until the test ends, and holds that its log has no
// secret and its output nothing but messages.
func start(t *testing.T, url string, edit func(*Config)) *wire {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	w := &wire{t: t, in: inW, lines: make(chan string, 1000), ended: make(chan error, 1), log: &safeBuffer{}}
	c := Config{
		URL: url, Token: secret, In: inR, Out: outW, Grace: 200 * time.Millisecond, Patience: 10 * time.Second,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if edit != nil {
		edit(&c)
	}
	go func() {
		scan := bufio.NewScanner(outR)
		scan.Buffer(nil, 64<<20)
		for scan.Scan() {
			if _, err := jsonrpc.Parse(scan.Bytes(), jsonrpc.Limits{Bytes: 64 << 20}); err != nil {
				t.Errorf("the output holds what is no message: %q", scan.Text())
			}
			w.lines <- scan.Text()
		}
		close(w.lines)
	}()
	go func() {
		err := Run(t.Context(), c)
		outW.Close()
		w.ended <- err
	}()
	t.Cleanup(func() {
		inW.Close()
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds the key:\n%s", w.log)
		}
	})
	return w
}

func (w *wire) say(lines ...string) {
	w.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(w.in, line+"\n"); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *wire) hear() string {
	w.t.Helper()
	select {
	case line, ok := <-w.lines:
		if !ok {
			w.t.Fatal("the output has ended")
		}
		return line
	case <-time.After(20 * time.Second):
		w.t.Fatalf("nothing was said; log:\n%s", w.log)
	}
	return ""
}

func (w *wire) hears(want string) {
	w.t.Helper()
	if got := w.hear(); got != want {
		w.t.Errorf("heard %s\nwant  %s", got, want)
	}
}

// close ends the input and waits for the bridge.
func (w *wire) close() error {
	w.t.Helper()
	w.in.Close()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(20 * time.Second):
		w.t.Fatal("the bridge does not end with its input")
	}
	return nil
}

// gateway is a scripted gateway. Handlers are chosen by JSON-RPC method, or by
// HTTP method for GET and DELETE.
type gateway struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex
	on map[string]func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message)
	// got are the requests that came, as "METHOD method".
	got     []string
	headers []http.Header
	bodies  []string
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{t: t, on: map[string]func(http.ResponseWriter, *http.Request, *jsonrpc.Message){}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(func() { g.CloseClientConnections(); g.Close() })
	return g
}

func (g *gateway) handle(method string, f func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.on[method] = f
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	method := r.Method
	var m *jsonrpc.Message
	if r.Method == http.MethodPost {
		if m, err = jsonrpc.Parse(body, jsonrpc.Limits{}); err != nil {
			g.t.Errorf("the bridge sent %q: %v", body, err)
			return
		}
		method = m.Method
		if m.Kind == jsonrpc.Response {
			method = "reply"
		}
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+secret {
		g.t.Errorf("%s came with %q", method, got)
	}
	g.mu.Lock()
	g.got, g.headers, g.bodies = append(g.got, method), append(g.headers, r.Header.Clone()), append(g.bodies, string(body))
	f := g.on[method]
	g.mu.Unlock()
	switch {
	case f != nil:
		f(w, r, m)
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case m != nil && m.Kind == jsonrpc.Request:
		answer(w, http.StatusOK, string(jsonrpc.NewResult(m.ID, nil)))
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// seen returns the headers of every message of a method.
func (g *gateway) seen(method string) (headers []http.Header, bodies []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, got := range g.got {
		if got == method {
			headers, bodies = append(headers, g.headers[i]), append(bodies, g.bodies[i])
		}
	}
	return headers, bodies
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func events(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for range 2000 {
		if condition() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s: did not happen", what)
}

var errBrokenPipe = errors.New("broken pipe")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBrokenPipe }

// until ends a handler with the request or the test.
func until(ctx context.Context, t *testing.T) {
	select {
	case <-ctx.Done():
	case <-t.Context().Done():
	}
}
