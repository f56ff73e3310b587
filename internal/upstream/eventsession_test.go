package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// older is a server over HTTP+SSE whose every byte a test decides: stream is
// written to the GET, and post answers a POST, with what goes to the stream.
type older struct {
	stream func(w io.Writer, flush func(), r *http.Request)
	post   func(w http.ResponseWriter, m *jsonrpc.Message, say func(string))

	mu   sync.Mutex
	gets int
	said []saying
}

// saying goes to a stream until that is over.
type saying struct {
	out  chan string
	over chan struct{}
}

func (s saying) say(text string) {
	select {
	case s.out <- text:
	case <-s.over: // the client hung up
	}
}

func (o *older) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		o.mu.Lock()
		stream := o.said[len(o.said)-1]
		o.mu.Unlock()
		o.post(w, m, stream.say)
		return
	}
	out, over := make(chan string, 16), make(chan struct{})
	defer close(over)
	o.mu.Lock()
	o.gets++
	o.said = append(o.said, saying{out, over})
	o.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := w.(http.Flusher).Flush
	o.stream(w, flush, r)
	flush()
	for {
		select {
		case s := <-out:
			if s == "" {
				return
			}
			io.WriteString(w, s)
			flush()
		case <-r.Context().Done():
			return
		}
	}
}

func named(endpoint string) func(io.Writer, func(), *http.Request) {
	return func(w io.Writer, _ func(), _ *http.Request) {
		fmt.Fprintf(w, ": hello\nretry: 10\n\nevent: endpoint\ndata: %s\n\n", endpoint)
	}
}

func event(data string) string { return "event: message\ndata: " + data + "\n\n" }

func (o *older) start(t *testing.T) Target {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(func() { closing.Server(server) })
	return Target{URL: server.URL + "/sse?key=1", Transport: protocol.TransportSSE}
}

// TestSDKOverHTTPSSE lists and hears a go-sdk server through the old transport.
func TestSDKOverHTTPSSE(t *testing.T) {
	server := mcp.NewServer(&mcp.Implementation{Name: "old", Version: "1"}, nil)
	add := func(name string) {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "called " + name}}}, nil, nil
		})
	}
	add("one")
	listener := httptest.NewServer(mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(func() { closing.Server(listener) })
	target := Target{URL: listener.URL, Transport: protocol.TransportSSE}

	capture, err := Capture(t.Context(), target, Limits{})
	if err != nil || len(capture.Listings) != 1 || capture.Listings[0].Era != protocol.Legacy || len(capture.Listings[0].Tools) != 1 {
		t.Fatalf("capture: %+v, %v", capture, err)
	}
	c, err := Dial(t.Context(), target, protocol.Legacy, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	heard := make(chan string, 1)
	c.OnNotification(func(m *jsonrpc.Message) { heard <- m.Method })
	m, err := c.Call(t.Context(), protocol.MethodToolsCall, []byte(`{"name":"one","arguments":{}}`))
	if err != nil || !strings.Contains(string(m.Raw), "called one") {
		t.Errorf("call: %s, %v", m.Raw, err)
	}
	add("two")
	select {
	case method := <-heard:
		if method != protocol.NotificationToolsListChanged {
			t.Errorf("heard %s", method)
		}
	case <-time.After(10 * time.Second):
		t.Error("the change was not heard")
	}
	if _, err := Dial(t.Context(), target, protocol.Modern, Limits{}); !errors.Is(err, ErrEra) {
		t.Errorf("modern era: %v", err)
	}
}

// TestEndpointEvent: only a URL of the same origin is ever sent anything.
func TestEndpointEvent(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another origin got %s %s", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	foreign := strings.TrimPrefix(elsewhere.URL, "http://")
	for _, tt := range []struct {
		endpoint string
		ok       bool
	}{
		{"/messages?session=1", true},
		{"messages", true},
		{"?session=1", true},
		{"http://HOST/messages", true},
		{"//HOST/messages", true},
		{"", false},
		{elsewhere.URL + "/messages", false},
		{"//" + foreign + "/messages", false},
		{"https://HOST/messages", false},
		{"ws://HOST/messages", false},
		{"file:///etc/passwd", false},
		{"http:messages", false},
		{"http://user@HOST/messages", false},
		{"http://HOST@" + foreign + "/messages", false},
		{"http://user:secret@HOST/messages", false},
		{"/messages#fragment", false},
		{"http://HOST.evil.example/messages", false},
		{"http://localhost:1/messages", false},
		{"/\x7f", false},
		{"http://[::1", false},
		{"/" + strings.Repeat("x", endpointBytes), false},
	} {
		t.Run(tt.endpoint[:min(len(tt.endpoint), 40)], func(t *testing.T) {
			posts := 0
			o := &older{
				stream: func(w io.Writer, flush func(), r *http.Request) {
					named(strings.ReplaceAll(tt.endpoint, "HOST", r.Host))(w, flush, r)
				},
				post: func(w http.ResponseWriter, _ *jsonrpc.Message, _ func(string)) {
					posts++
					w.WriteHeader(http.StatusAccepted)
				},
			}
			target := o.start(t)
			s, err := OpenEventSession(t.Context(), target, nil, Limits{})
			if !tt.ok {
				if !errors.Is(err, ErrProtocol) && !errors.Is(err, ErrTooLarge) {
					t.Errorf("opened, or %v", err)
				}
				if err != nil && strings.Contains(err.Error(), "secret") {
					t.Errorf("the error repeats the server's text: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Send(jsonrpc.NewNotification("m", nil)); err != nil || posts != 1 {
				t.Errorf("%d posts, %v", posts, err)
			}
		})
	}
}

// TestHostileEventSessions: whatever the server does, opening or calling ends
// with one error, in bounded time and memory, and nothing is sent twice.
func TestHostileEventSessions(t *testing.T) {
	accept := func(w http.ResponseWriter, _ *jsonrpc.Message, _ func(string)) { w.WriteHeader(http.StatusAccepted) }
	flood := func(w io.Writer, text string) {
		for range 1 << 14 {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
	long := strings.Repeat("x", 1<<16)
	for _, tt := range []struct {
		name string
		o    *older
		want error
	}{
		{"no endpoint event", &older{stream: func(io.Writer, func(), *http.Request) {}}, context.DeadlineExceeded},
		{"only comments", &older{stream: func(w io.Writer, flush func(), r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, ": still here\n\n")
				flush()
				time.Sleep(time.Millisecond)
			}
		}}, context.DeadlineExceeded},
		{"endless endpoint", &older{stream: func(w io.Writer, _ func(), _ *http.Request) {
			io.WriteString(w, "event: endpoint\ndata: /")
			flood(w, long)
		}}, ErrTooLarge},
		{"endpoint of many lines", &older{stream: func(w io.Writer, _ func(), _ *http.Request) {
			io.WriteString(w, "event: endpoint\n")
			flood(w, "data: /\n")
		}}, ErrTooLarge},
		{"ends at once", &older{stream: func(_ io.Writer, _ func(), _ *http.Request) { panic(http.ErrAbortHandler) }}, nil},
		{"message first", &older{stream: func(w io.Writer, _ func(), _ *http.Request) { io.WriteString(w, event(`{}`)) }}, ErrProtocol},
		{"second endpoint", &older{stream: func(w io.Writer, f func(), r *http.Request) {
			named("/m")(w, f, r)
			io.WriteString(w, "event: endpoint\ndata: /other\n\n")
		}, post: accept}, ErrProtocol},
		{"endless event", &older{stream: named("/m"), post: func(w http.ResponseWriter, _ *jsonrpc.Message, say func(string)) {
			say("data: ")
			for range 1 << 6 {
				say(long)
			}
			w.WriteHeader(http.StatusAccepted)
		}}, ErrTooLarge},
		{"rubbish", &older{stream: named("/m"), post: func(w http.ResponseWriter, _ *jsonrpc.Message, say func(string)) {
			say(event("rubbish"))
			w.WriteHeader(http.StatusAccepted)
		}}, ErrProtocol},
		{"a batch", &older{stream: named("/m"), post: func(w http.ResponseWriter, m *jsonrpc.Message, say func(string)) {
			say(event(`[{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{}}]`))
			w.WriteHeader(http.StatusAccepted)
		}}, ErrProtocol},
		{"ends mid-call", &older{stream: named("/m"), post: func(w http.ResponseWriter, _ *jsonrpc.Message, say func(string)) {
			w.WriteHeader(http.StatusAccepted)
			say("")
		}}, ErrClosed},
		{"answers somebody else", &older{stream: named("/m"), post: func(w http.ResponseWriter, _ *jsonrpc.Message, say func(string)) {
			say(event(`{"jsonrpc":"2.0","id":4711,"result":{}}`))
			w.WriteHeader(http.StatusAccepted)
		}}, context.DeadlineExceeded},
		{"takes nothing", &older{stream: named("/m"), post: func(w http.ResponseWriter, _ *jsonrpc.Message, _ func(string)) {
			w.WriteHeader(http.StatusNotFound)
		}}, ErrStatus},
		{"redirects messages", &older{stream: named("/m"), post: func(w http.ResponseWriter, _ *jsonrpc.Message, _ func(string)) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}}, ErrRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := tt.o.start(t)
			_, err := Dial(t.Context(), target, protocol.Legacy, Limits{StartTimeout: time.Second, CallTimeout: 5 * time.Second, MessageBytes: 1 << 20})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			tt.o.mu.Lock()
			defer tt.o.mu.Unlock()
			if tt.o.gets != 1 {
				t.Errorf("the stream was opened %d times", tt.o.gets)
			}
		})
	}
}

// TestEventSessionRefused: what is no stream is not taken for one.
func TestEventSessionRefused(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"not found": http.NotFound,
		"JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{}")
		},
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"compression": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Content-Encoding", "gzip")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			if s, err := OpenEventSession(t.Context(), Target{URL: server.URL, Transport: protocol.TransportSSE}, nil, Limits{}); err == nil {
				s.Close()
				t.Error("opened")
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := &older{stream: func(io.Writer, func(), *http.Request) { cancel() }}
	if _, err := OpenEventSession(ctx, o.start(t), nil, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestAnswerInsidePost: a server may answer on the stream before it has taken
// the message, and answer twice.
func TestAnswerInsidePost(t *testing.T) {
	o := &older{stream: named("/m"), post: func(w http.ResponseWriter, m *jsonrpc.Message, say func(string)) {
		if m.Kind == jsonrpc.Request {
			answer := legacyHello
			if m.Method != protocol.MethodInitialize {
				answer = `{"n":` + string(m.ID) + `}`
			}
			for range 2 {
				say(event(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":` + answer + `}`))
			}
			time.Sleep(20 * time.Millisecond)
		}
		w.WriteHeader(http.StatusAccepted)
	}}
	c, err := Dial(t.Context(), o.start(t), protocol.Legacy, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 5 {
		m, err := c.Call(t.Context(), "m", nil)
		if err != nil || string(m.Result) != `{"n":`+string(m.ID)+`}` {
			t.Errorf("%+v, %v", m, err)
		}
	}
}

func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"/m", "//h/m", "http://h:80/m", "https://h/", "http://h@x/", "?a", "\\\\x\\m", "http:x", "/%zz", "//H:80/"} {
		f.Add(s)
	}
	base := Target{URL: "http://h/sse", Transport: protocol.TransportSSE}
	f.Fuzz(func(t *testing.T, named string) {
		got, err := base.messagesAt(named)
		if err != nil {
			return
		}
		if u, err := url.Parse(got.URL); err != nil || u.Scheme != "http" || u.Host != "h" || u.User != nil {
			t.Fatalf("%q leads to %q", named, got.URL)
		}
	})
}
