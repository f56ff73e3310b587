package bridge

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// fake is a legacy server whose every word a test decides.
type fake struct {
	t     *testing.T
	hello string
	on    map[string]handler
	heard chan *jsonrpc.Message // notifications and replies

	mu      sync.Mutex
	got     []*jsonrpc.Message
	streams []*spoken // GET streams, by order of opening
	resumes []string  // events that a stream was resumed after
	silent  bool      // there is no stream outside of requests
	closed  int
}

// handler answers one request: what it says comes in order, and the stream ends
// when it returns.
type handler func(ctx context.Context, m *jsonrpc.Message, a *spoken)

// spoken is one answer.
type spoken struct {
	status int
	events chan upstream.Event
	ctx    context.Context
	cancel context.CancelFunc
	err    error // at the end, io.EOF by default
}

func newFake(t *testing.T) *fake {
	return &fake{
		t: t, heard: make(chan *jsonrpc.Message, 256),
		hello: `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{},"resources":{"subscribe":true}},"serverInfo":{"name":"fake","version":"1"}}`,
		on: map[string]handler{
			protocol.MethodToolsCall: func(_ context.Context, m *jsonrpc.Message, a *spoken) { a.result(m, `{"content":[]}`) },
		},
	}
}

func speak(ctx context.Context, status int) *spoken {
	a := &spoken{status: status, events: make(chan upstream.Event), err: io.EOF}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

func (a *spoken) say(ev upstream.Event) {
	select {
	case a.events <- ev:
	case <-a.ctx.Done():
	}
}

func (a *spoken) raw(raw string) { a.say(upstream.Event{Data: []byte(raw)}) }

func (a *spoken) result(m *jsonrpc.Message, result string) {
	a.raw(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":` + result + `}`)
}

func (a *spoken) Next(ctx context.Context) (upstream.Event, error) {
	select {
	case ev, ok := <-a.events:
		if !ok {
			return upstream.Event{}, a.err
		}
		return ev, nil
	case <-ctx.Done():
		return upstream.Event{}, context.Cause(ctx)
	case <-a.ctx.Done():
		return upstream.Event{}, upstream.ErrClosed
	}
}

func (a *spoken) Status() int { return a.status }
func (a *spoken) Close()      { a.cancel() }

func (f *fake) Send(ctx context.Context, m *jsonrpc.Message, _ string) (Answers, error) {
	f.mu.Lock()
	f.got = append(f.got, m)
	f.mu.Unlock()
	if m.Kind != jsonrpc.Request {
		f.heard <- m
		a := speak(ctx, http.StatusAccepted)
		close(a.events)
		return a, nil
	}
	a := speak(ctx, http.StatusOK)
	h := f.on[m.Method]
	started := make(chan struct{})
	go func() {
		defer close(a.events)
		switch {
		case h != nil:
			close(started)
			h(a.ctx, m, a)
		case m.Method == protocol.MethodInitialize:
			close(started)
			a.result(m, f.hello)
		default:
			close(started)
			a.result(m, `{}`)
		}
	}()
	<-started
	return a, nil
}

// refusing answers with an error status.
type refusing struct {
	*fake
	mu     sync.Mutex
	status int
	body   string // %s is the id
}

func (r *refusing) set(status int, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.body = status, body
}

func (r *refusing) Send(ctx context.Context, m *jsonrpc.Message, version string) (Answers, error) {
	r.mu.Lock()
	status, body := r.status, r.body
	r.mu.Unlock()
	if status == 0 || m.Method != protocol.MethodToolsCall {
		return r.fake.Send(ctx, m, version)
	}
	r.fake.mu.Lock()
	r.got = append(r.got, m)
	r.fake.mu.Unlock()
	a := speak(ctx, status)
	go func() {
		defer close(a.events)
		if body != "" {
			a.raw(strings.ReplaceAll(body, "%s", string(m.ID)))
		}
	}()
	return a, nil
}

func (f *fake) Listen(ctx context.Context, _, last string) (Answers, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		return speak(ctx, http.StatusMethodNotAllowed), nil
	}
	a := speak(ctx, http.StatusOK)
	f.streams = append(f.streams, a)
	f.resumes = append(f.resumes, last)
	return a, nil
}

func (f *fake) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
}

// sent are the messages of a method that arrived.
func (f *fake) sent(method string) (found []*jsonrpc.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.got {
		if m.Method == method {
			found = append(found, m)
		}
	}
	return found
}

// stream is the newest stream outside of requests.
func (f *fake) stream() *spoken {
	f.t.Helper()
	eventually(f.t, "a stream", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.streams) > 0 })
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.streams[len(f.streams)-1]
}

// reply is the next message that answers a request of the server's, or none.
func (f *fake) next(method string) *jsonrpc.Message {
	f.t.Helper()
	for {
		select {
		case m := <-f.heard:
			if m.Method == method {
				return m
			}
		case <-time.After(20 * time.Second):
			f.t.Fatalf("%q did not come", method)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: never", what)
}

// client is a modern client of one principal.
type client struct {
	t       *testing.T
	servers *Servers
	key     Key
	dial    func() (Server, error)
}

var (
	alice = Key{Tenant: "t", Principal: "alice", KeyID: "a1", Server: "srv", Instance: "i"}
	bob   = Key{Tenant: "t", Principal: "bob", KeyID: "b1", Server: "srv", Instance: "i"}
)

func serve(t *testing.T, s Server, edit func(*Config)) *client {
	t.Helper()
	cfg := Config{Sessions: 8, PerOwner: 4, Calls: 4, Idle: time.Minute, Patience: time.Minute}
	if edit != nil {
		edit(&cfg)
	}
	servers := NewServers(cfg)
	t.Cleanup(servers.Close)
	return &client{t, servers, alice, func() (Server, error) { return s, nil }}
}

func (c *client) as(key Key) *client {
	other := *c
	other.key = key
	return &other
}

const offersAll = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"sampling":{},"roots":{}}`

// request is a modern request; more are members of its params.
func request(t *testing.T, id, method, more, meta string) *jsonrpc.Message {
	t.Helper()
	if more != "" {
		more += ","
	}
	m, err := jsonrpc.Parse([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":{`+more+offersAll+meta+`}}}`), jsonrpc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ask sends a request and returns the answers.
func (c *client) ask(id, method, more, meta string) (Answers, error) {
	c.t.Helper()
	return c.servers.Ask(c.t.Context(), c.key, c.dial, request(c.t, id, method, more, meta))
}

// said reads answers to their response, which the client takes.
func (c *client) said(a Answers) (all []*jsonrpc.Message, err error) {
	c.t.Helper()
	defer a.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		ev, err := a.Next(ctx)
		if err != nil {
			return all, err
		}
		m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
		if err != nil {
			c.t.Fatalf("%q: %v", ev.Data, err)
		}
		all = append(all, m)
		if m.Kind == jsonrpc.Response {
			if k, ok := a.(interface{ Keep() }); ok {
				k.Keep()
			}
			return all, nil
		}
	}
}

// call is ask and said; the response alone.
func (c *client) call(id, more string) (*jsonrpc.Message, error) {
	c.t.Helper()
	a, err := c.ask(id, protocol.MethodToolsCall, more, "")
	if err != nil {
		return nil, err
	}
	all, err := c.said(a)
	if err != nil {
		return nil, err
	}
	return all[len(all)-1], nil
}

func (c *client) mustCall(id, more string) *jsonrpc.Message {
	c.t.Helper()
	m, err := c.call(id, more)
	if err != nil {
		c.t.Fatalf("call %s: %v", id, err)
	}
	return m
}
