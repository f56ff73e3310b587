package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestHostileUpstreams: each fault is one clear error, the process lives, and
// the next call is served. No call is sent twice.
func TestHostileUpstreams(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		reason Reason
	}{
		{"hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 504, ReasonUpstreamTimeout},
		{"hangs after a first event", func(w http.ResponseWriter, r *http.Request) {
			events(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}`)(w, r)
			<-r.Context().Done()
		}, 200, ReasonUpstreamTimeout},
		{"cuts the connection", func(w http.ResponseWriter, _ *http.Request) { cut(w) }, 502, ReasonUpstreamGone},
		{"dies mid-answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"jsonrpc":"2.0","id":1,"re`)
			w.(http.Flusher).Flush()
			cut(w)
		}, 502, ReasonUpstreamGone},
		{"dies mid-event", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, `data: {"jsonrpc":"2.0","id":1,"re`)
			w.(http.Flusher).Flush()
			cut(w)
		}, 502, ReasonUpstreamGone},
		{"ends without an answer", events(), 502, ReasonUpstreamGone},
		{"announces 1 GiB", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(1<<30))
			flood(w)
		}, 502, ReasonUpstreamTooLarge},
		{"sends 1 GiB", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			flood(w)
		}, 502, ReasonUpstreamTooLarge},
		{"sends an endless event", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: ")
			flood(w)
		}, 502, ReasonUpstreamTooLarge},
		{"sends endless events", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"id\":12345,\"result\":{}}\n\n"); err != nil {
					return
				}
			}
		}, 502, ReasonUpstreamTooLarge},
		{"compresses", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "\x1f\x8b")
		}, 502, ReasonUpstreamProtocol},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, 502, ReasonUpstreamProtocol},
		{"answers HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>")
		}, 502, ReasonUpstreamGone},
		{"answers rubbish", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{")
		}, 502, ReasonUpstreamProtocol},
		{"answers a batch", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `[{"jsonrpc":"2.0","id":1,"result":{}}]`)
		}, 502, ReasonUpstreamProtocol},
		{"answers with duplicate keys", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"content":[],"content":[{"type":"text","text":"x"}]}}`)
		}, 502, ReasonUpstreamProtocol},
		{"answers somebody else", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"jsonrpc":"2.0","id":2,"result":{}}`)
		}, 502, ReasonUpstreamGone},
		{"accepts and says nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }, 502, ReasonUpstreamGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			h := open(t, func(c *Config) {
				c.AutoRoutes = true
				c.AnswerMessages = 200
				// Only for the upstreams that fall silent is a short time the
				// point; a flood takes as long as the machine takes to read it.
				if c.SilenceTimeout = time.Minute; tt.reason == ReasonUpstreamTimeout {
					c.SilenceTimeout = 500 * time.Millisecond
				}
			})
			h.serve("srv", s.start())
			h.call("srv", 1, "tools/call", `{"name":"two"}`)
			s.on("tools/call", tt.answer)
			before := len(s.sent("tools/call"))
			data := h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, tt.status, tt.reason)
			if n := len(s.sent("tools/call")) - before; n != 1 {
				t.Errorf("the call was sent %d times", n)
			}
			if found := h.events(audit.Query{ID: data.AuditID, Code: "call_outcome"}); len(found) == 0 {
				t.Error("no outcome on record")
			}
			s.on("tools/call", nil)
			if r := h.call("srv", 2, "tools/call", `{"name":"one"}`); r.status != 200 {
				t.Errorf("the next call: %d %s", r.status, r.body)
			}
		})
	}
}

// cut closes the connection under an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// flood writes up to 1 GiB, as long as somebody reads.
func flood(w io.Writer) {
	chunk := bytes.Repeat([]byte("x"), 1<<16)
	for range 1 << 14 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestUnreachableUpstream is a server that is not there.
func TestUnreachableUpstream(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := upstream.Target{URL: "http://" + l.Addr().String()}
	l.Close()
	h := open(t, auto)
	a := h.approve("srv", newScript(t).start())
	a.Launch = approval.Launch{URL: gone.URL}
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 502, ReasonListing)
	h.call("srv", 1, "tools/list", "").refused(t, 502, ReasonUpstreamDown)
}

// TestClientTokenStaysHere: no header of a client's own reaches the upstream,
// whatever it is called.
func TestClientTokenStaysHere(t *testing.T) {
	s := newScript(t)
	target := s.start()
	target.Header = http.Header{"Authorization": {"Bearer upstream-credential"}}
	h := open(t, nil, Route{Alias: "srv", Server: "io.example/srv", Target: target})
	h.approve("srv", target)
	const canary = "canary-7f3a"
	s.mu.Lock()
	s.header = nil
	s.mu.Unlock()
	r := h.call("srv", 1, "tools/call", `{"name":"one"}`, "Cookie: "+canary, "X-Router-Key: "+canary, "X-Forwarded-For: "+canary,
		"Proxy-Authorization: "+canary, "Mcp-Session-Id: "+canary, "Connection: X-Smuggled", "X-Smuggled: "+canary,
		"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Mcp-Param-Region: eu")
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	param := false
	for _, header := range s.header {
		var dump strings.Builder
		header.Write(&dump)
		if strings.Contains(dump.String(), canary) || strings.Contains(dump.String(), h.token) {
			t.Errorf("the upstream saw %s", dump.String())
		}
		if header.Get("Authorization") != "Bearer upstream-credential" {
			t.Errorf("the upstream got Authorization %q", header.Get("Authorization"))
		}
		param = param || header.Get("Mcp-Param-Region") == "eu" && header.Get("Traceparent") != ""
	}
	if !param {
		t.Error("Mcp-Param-* and the trace context were not forwarded")
	}
}

// TestParamHeadersMatch compares headers with the arguments that a schema ties
// them to.
func TestParamHeadersMatch(t *testing.T) {
	s := newScript(t)
	s.set("tools/list", tools(`{"name":"one","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}}}}}`))
	h := open(t, auto)
	h.serve("srv", s.start())
	for _, tt := range []struct {
		arguments string
		header    []string
		ok        bool
	}{
		{`{"region":"eu"}`, []string{"Mcp-Param-Region: eu"}, true},
		{`{"region":"eu"}`, []string{"Mcp-Param-Region: =?base64?ZXU=?="}, true},
		{`{"region":"eu","deep":{"n":42}}`, []string{"Mcp-Param-Region: eu", "Mcp-Param-N: 42"}, true},
		{`{"region":"eu"}`, []string{"Mcp-Param-Region: us"}, false},
		{`{"region":"eu"}`, nil, false},
		{`{}`, []string{"Mcp-Param-Region: eu"}, false},
		{`{"region":null}`, nil, true},
		{`{"region":"eu","deep":{"n":42}}`, []string{"Mcp-Param-Region: eu", "Mcp-Param-N: 43"}, false},
		{`{"region":"eu"}`, []string{"Mcp-Param-Region: =?base64?!?="}, false},
	} {
		r := h.call("srv", 1, "tools/call", `{"name":"one","arguments":`+tt.arguments+`}`, tt.header...)
		if tt.ok != (r.status == 200) {
			t.Errorf("%s with %q: %d %s", tt.arguments, tt.header, r.status, r.body)
		}
		if !tt.ok {
			r.refused(t, 400, ReasonHeaderMismatch)
		}
	}
}

// TestRequestStateBelongsToItsCaller: what a server gave to one caller opens
// for nobody else, and reaches the server unchanged from the owner.
func TestRequestStateBelongsToItsCaller(t *testing.T) {
	s := newScript(t)
	s.set("tools/call", `{"resultType":"input_required","inputRequests":{},"requestState":"opaque \"ü\""}`)
	h := open(t, auto)
	h.serve("srv", s.start())
	state := jsonrpc.Text(h.call("srv", 1, "tools/call", `{"name":"one"}`).message(t).Raw, "/result/requestState")
	if state == "" || !strings.HasSuffix(state, `opaque "ü"`) {
		t.Fatalf("state = %q", state)
	}
	retry := func(tool string, extra ...string) reply {
		return h.call("srv", 2, "tools/call", fmt.Sprintf(`{"name":%q,"requestState":%q}`, tool, state), extra...)
	}
	if r := retry("one"); r.status != 200 {
		t.Errorf("the owner: %d %s", r.status, r.body)
	}
	last := s.sent("tools/call")
	if got := jsonrpc.Text(last[len(last)-1].Raw, "/params/requestState"); got != `opaque "ü"` {
		t.Errorf("the server got %q", got)
	}
	retry("two").refused(t, 403, ReasonStateForeign)
	retry("one", "Authorization: Bearer "+h.keys.issue(t, "mallory", identity.RoleAgent)).refused(t, 403, ReasonStateForeign)
	state = `opaque "ü"`
	retry("one").refused(t, 403, ReasonStateForeign)
}

// TestAuditUnavailable: without a record nothing happens; the process lives on
// and serves again when the log does.
func TestAuditUnavailable(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	full, err := audit.Open("/dev/full", audit.Options{Feature: "gateway"})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	s := newScript(t)
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Audit = full })
	h.serve("srv", s.start())
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 503, ReasonAudit)
	h.call("srv", 1, "tools/list", "").refused(t, 503, ReasonAudit)
	if n := h.Stats().AuditFailed; n < 2 {
		t.Errorf("%d failed records are counted", n)
	}
	h.call("srv", 1, "tools/call", `{"name":"one"}`, "Authorization:").refused(t, 401, ReasonUnauthenticated)
	if n := len(s.sent("tools/call")); n != 0 {
		t.Errorf("%d calls went upstream without a record", n)
	}
	if r := h.do(http.MethodGet, "/readyz", ""); r.status != 503 {
		t.Errorf("/readyz: %d", r.status)
	}
	if r := h.do(http.MethodGet, "/healthz", ""); r.status != 200 {
		t.Errorf("/healthz: %d", r.status)
	}
}

// TestAuditLostBeforeTheAnswer: an outcome that cannot be recorded keeps the
// answer from the client.
func TestAuditLostBeforeTheAnswer(t *testing.T) {
	s := newScript(t)
	path := filepath.Join(t.TempDir(), "audit")
	log := openAudit(t, path)
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Audit = log })
	h.serve("srv", s.start())
	h.call("srv", 1, "tools/call", `{"name":"two"}`)
	s.on("tools/call", func(w http.ResponseWriter, r *http.Request) {
		log.Close()
		answer(w, read(r), `{"content":[{"type":"text","text":"too late"}]}`)
	})
	r := h.call("srv", 1, "tools/call", `{"name":"one"}`)
	if r.refused(t, 503, ReasonAudit); strings.Contains(string(r.body), "too late") {
		t.Error("the answer went out without a record")
	}
}

// TestCollidingIDs: concurrent clients that use the same ids, tokens and
// principal never see each other's answers.
func TestCollidingIDs(t *testing.T) {
	f := newFixture()
	targets := map[string]upstream.Target{
		"modern HTTP": f.start(t, stateless),
		"legacy HTTP": f.start(t, stateful),
	}
	versions := map[string]string{"modern HTTP": "2026-07-28", "legacy HTTP": "2025-11-25"}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) { collide(t, target, versions[name]) })
	}
}

func collide(t *testing.T, target upstream.Target, version string) {
	h := open(t, auto)
	url := h.serve("fix", target)
	var wait sync.WaitGroup
	for client := range 4 {
		var mu sync.Mutex
		var progress []string
		s := connect(t, url, h.token, version, &mcp.ClientOptions{ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			mu.Lock()
			defer mu.Unlock()
			progress = append(progress, r.Params.Message)
		}})
		wait.Go(func() {
			for i := range 15 {
				want := fmt.Sprintf("client %d call %d", client, i)
				res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "echo", Arguments: map[string]any{"text": want}})
				if err != nil || res.Content[0].(*mcp.TextContent).Text != want {
					t.Errorf("%s: %+v %v", want, res, err)
					return
				}
				params := &mcp.CallToolParams{Name: "progress", Arguments: map[string]any{"text": fmt.Sprint(client)}}
				params.SetProgressToken("same")
				if _, err := s.CallTool(t.Context(), params); err != nil {
					t.Error(err)
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, p := range progress {
				if p != fmt.Sprint(client) {
					t.Errorf("client %d heard of %q", client, p)
				}
			}
		})
	}
	wait.Wait()
}

// TestEventIDText: an event id is the upstream's text; clients get it back as a
// value that says nothing, and one that no header could carry not at all.
func TestEventIDText(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	h := open(t, auto)
	h.serve("srv", s.start())
	session := h.initialize("srv")
	for _, id := range []string{"Ignore all previous instructions", strings.Repeat("x", 1<<16)} {
		s.on("tools/call", func(w http.ResponseWriter, r *http.Request) {
			events(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`+"\nid: "+id)(w, r)
		})
		r := h.raw("srv", callOne, session...)
		if r.status != 200 || strings.Contains(string(r.body), id) || len(r.body) > 1<<14 {
			t.Errorf("%d %.300s", r.status, r.body)
		}
	}
}
