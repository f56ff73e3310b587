package gateway

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

const callOne = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one","arguments":{}}}`

// TestRefusals goes through what never reaches the upstream.
func TestRefusals(t *testing.T) {
	body, header := modern(1, "tools/call", `{"name":"one","arguments":{}}`)
	deep := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 201)
	tests := []struct {
		name   string
		body   string
		header []string
		status int
		reason Reason
	}{
		{"no key", body, append(header[:len(header):len(header)], "Authorization:"), 401, ReasonUnauthenticated},
		{"unknown key", body, []string{"Authorization: Bearer bz_aaaaaaaaaaaaaaaa_" + strings.Repeat("a", 52)}, 401, ReasonUnauthenticated},
		{"basic credential", body, []string{"Authorization: Basic Zm9vOmJhcg=="}, 401, ReasonUnauthenticated},
		{"batch", "[" + callOne + "]", nil, 400, ReasonBatch},
		{"second message", callOne + callOne, nil, 400, ReasonMalformed},
		{"no JSON", "{", nil, 400, ReasonMalformed},
		{"bad UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/\xff\"}", nil, 400, ReasonMalformed},
		{"lone surrogate", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\ud800"}}`, nil, 400, ReasonMalformed},
		{"too deep", deep, nil, 400, ReasonMalformed},
		{"duplicate key", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one","name":"two"}}`, nil, 400, ReasonAmbiguous},
		{"duplicate key in arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one","arguments":{"a":1,"a":2}}}`, nil, 400, ReasonAmbiguous},
		{"case variant in params", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one","NAME":"two"}}`, nil, 400, ReasonAmbiguous},
		{"case variant in envelope", `{"jsonrpc":"2.0","id":1,"method":"tools/list","METHOD":"tools/call"}`, nil, 400, ReasonAmbiguous},
		{"header lacks version", body, header[1:], 400, ReasonHeaderMismatch},
		{"header names another method", body, append(header[:len(header):len(header)], "Mcp-Method: tools/list"), 400, ReasonHeaderMismatch},
		{"header names another tool", body, append(header[:len(header):len(header)], "Mcp-Name: two"), 400, ReasonHeaderMismatch},
		{"header lacks the tool", body, append(header[:len(header):len(header)], "Mcp-Name:"), 400, ReasonHeaderMismatch},
		{"body lacks version", callOne, header, 400, ReasonInvalidParams},
		{"version from the future", callOne, []string{"MCP-Protocol-Version: 2031-01-01"}, 400, ReasonVersion},
		{"legacy client of a modern server, without a session", callOne, []string{"MCP-Protocol-Version: 2025-11-25"}, 400, ReasonSessionRequired},
		{"name is no string", strings.Replace(body, `"one"`, `1`, 1), header, 400, ReasonInvalidParams},
		{"session of nobody", callOne, []string{"Mcp-Session-Id: bzs_AAAAAAAAAAAAAAAAAAAAAAAAAAA"}, 404, ReasonSessionUnknown},
		{"session of the upstream", callOne, []string{"Mcp-Session-Id: " + sessionOfScript}, 404, ReasonSessionUnknown},
		{"reply to nothing", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil, 400, ReasonSessionRequired},
		{"oversized", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`, nil, 413, ReasonBodyTooLarge},
		{"compressed", body, []string{"Content-Encoding: gzip"}, 415, ReasonContentEncoding},
		{"form", body, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, ReasonContentType},
		{"wants XML", body, []string{"Accept: application/xml"}, 406, ReasonNotAcceptable},
		{"POST resumes", body, append(header[:len(header):len(header)], "Last-Event-ID: 1"), 400, ReasonEventUnknown},
		{"foreign origin", body, append(header[:len(header):len(header)], "Origin: https://evil.example"), 403, ReasonOriginRefused},
		{"rebound name", body, append(header[:len(header):len(header)], "Host: evil.example"), 403, ReasonHostRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			h := open(t, func(c *Config) { c.AutoRoutes = true; c.BodyBytes = 1 << 20 })
			h.serve("srv", s.start())
			before := len(s.sent("tools/call"))
			r := h.raw("srv", tt.body, tt.header...)
			data := r.refused(t, tt.status, tt.reason)
			if data.AuditID == "" {
				t.Error("no audit id")
			}
			if tt.status == 401 && !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("no challenge: %v", r.header)
			}
			if tt.status != 401 && r.header.Get("WWW-Authenticate") != "" {
				t.Error("a refusal that is not about the key carries a challenge")
			}
			if tt.reason == ReasonVersion && len(data.Supported) == 0 {
				t.Error("no supported versions")
			}
			if n := len(s.sent("tools/call")); n != before {
				t.Errorf("%d calls reached the upstream", n-before)
			}
		})
	}
}

// TestApprovalRefusals goes through what step 4 refuses.
func TestApprovalRefusals(t *testing.T) {
	tests := []struct {
		name   string
		config func(*Config)
		change func(*house, *approval.Approval)
		status int
		reason Reason
	}{
		{"unknown alias", nil, func(_ *house, a *approval.Approval) { a.Alias = "elsewhere" }, 404, ReasonServerUnknown},
		{"another tenant", nil, func(_ *house, a *approval.Approval) { a.Tenant = "other" }, 404, ReasonServerUnknown},
		{"withdrawn", func(c *Config) {}, func(h *house, _ *approval.Approval) { h.approvals.set(nil) }, 404, ReasonServerUnknown},
		{"stale snapshot", nil, func(h *house, _ *approval.Approval) { h.approvals.set(approval.ErrSnapshotExpired) }, 503, ReasonApprovalsStale},
		{"two claim the alias", nil, func(h *house, a *approval.Approval) {
			other := *a
			other.Server = "io.example/impostor"
			h.approvals.set(nil, a, &other)
		}, 403, ReasonAliasConflict},
		{"endpoint where a command is demanded", func(c *Config) { c.MinBinding = approval.BindingCommand }, nil, 403, ReasonBindingTooWeak},
		{"era not approved", nil, func(_ *house, a *approval.Approval) { delete(a.Roots, "modern") }, 400, ReasonVersion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			h := open(t, func(c *Config) {
				c.AutoRoutes = true
				if tt.config != nil {
					tt.config(c)
				}
			})
			a := h.approve("srv", s.start())
			if tt.change != nil {
				tt.change(h, a)
			}
			h.call("srv", 1, "tools/call", `{"name":"one","arguments":{}}`).refused(t, tt.status, tt.reason)
			if n := len(s.sent("tools/call")); n != 0 {
				t.Errorf("%d calls reached the upstream", n)
			}
		})
	}
}

// TestRouteMustMatchApproval starts nothing that is not the approved launch.
func TestRouteMustMatchApproval(t *testing.T) {
	s := newScript(t)
	target, other := s.start(), newScript(t).start()
	h := open(t, nil, Route{Alias: "srv", Server: "io.example/srv", Target: other})
	h.approve("srv", target)
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonLaunchMismatch)

	local := open(t, func(c *Config) { c.UnsafeRun = false; c.AutoRoutes = true })
	a := local.approve("srv", target)
	a.Launch, a.Binding = approval.Launch{Command: []string{everything}}, approval.BindingCommand
	local.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonUnsafeRun)
	a.Binding = approval.BindingArtifact
	local.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 503, ReasonArtifactUnavailable)
}

// TestRouteConfig refuses routes whose halves name different things.
func TestRouteConfig(t *testing.T) {
	target := newScript(t).start()
	for name, route := range map[string]Route{
		"bad alias":     {Alias: "A B", Server: "s", Target: target},
		"two URLs":      {Alias: "a", Server: "s", Target: target, Launch: approval.Launch{URL: "http://other.example/"}},
		"no server":     {Alias: "a", Target: target},
		"secret in env": {Alias: "a", Server: "s", Target: withEnv("TOKEN=x"), Launch: approval.Launch{Command: []string{"/bin/true"}}},
	} {
		if _, err := New(Config{Routes: []Route{route}, Approvals: &approvals{}, Keys: &keys{}, Scanners: engine.NewLive(engine.NewSet()), Audit: openAudit(t, t.TempDir())}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRoles keeps keys of other jobs out, and admits an agent's own.
func TestRoles(t *testing.T) {
	h := open(t, auto)
	h.serve("srv", newScript(t).start())
	for role, want := range map[string]int{identity.RoleGateway: 403, identity.RolePublisher: 403, identity.RoleAuditor: 403, identity.RoleAgent: 200, identity.RoleAdmin: 200} {
		token := h.keys.issue(t, "bob-"+role, role)
		r := h.call("srv", 1, "tools/call", `{"name":"one"}`, "Authorization: Bearer "+token)
		if r.status != want {
			t.Errorf("role %s got %d %s", role, r.status, r.body)
		}
	}
}

// TestRevokedKey ends with the next request, closes open streams and sessions,
// and is on record by name.
func TestRevokedKey(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	hanging := make(chan struct{})
	var once sync.Once // the gateway's own conversation opens the stream as well
	s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		once.Do(func() { close(hanging) })
	})
	h := open(t, auto)
	h.serve("srv", s.start(), func(a *approval.Approval) { delete(a.Roots, "modern") })
	session := h.initialize("srv")
	closed := make(chan reply)
	go func() { closed <- h.do(http.MethodGet, "/mcp/srv", "", session...) }()
	eventually(t, "stream opened", func() bool { return len(s.sent("")) > 0 })
	h.raw("srv", callOne, session...)

	h.keys.change("alice", revoke)
	if r := <-closed; r.status != http.StatusOK {
		t.Errorf("stream: %d %s", r.status, r.body)
	}
	<-hanging
	h.raw("srv", callOne, session...).refused(t, 401, ReasonUnauthenticated)
	if got := h.events(audit.Query{Principal: "alice", Class: audit.ClassAuth}); len(got) == 0 {
		t.Error("the refusal of a revoked key names nobody")
	}
}

// TestWithdrawnApproval closes streams that an approval opened.
func TestWithdrawnApproval(t *testing.T) {
	s := newScript(t)
	began := make(chan struct{})
	s.on("tools/call", func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	})
	h := open(t, auto)
	h.serve("srv", s.start())
	go func() { <-began; h.approvals.set(nil) }()
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonNotApproved)
}

// TestSessionsBelongToTheirOwner holds that nobody else can use, read or end a
// session, and that the upstream's id is never shown.
func TestSessionsBelongToTheirOwner(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	h := open(t, auto)
	target := s.start()
	h.serve("srv", target)
	h.serve("other", target)
	session := h.initialize("srv")
	if strings.Contains(strings.Join(session, ""), sessionOfScript) {
		t.Error("the upstream's session id is shown")
	}
	mallory := append(session[:len(session):len(session)], "Authorization: Bearer "+h.keys.issue(t, "mallory", identity.RoleAgent))
	h.raw("srv", callOne, mallory...).refused(t, 404, ReasonSessionUnknown)
	h.do(http.MethodGet, "/mcp/srv", "", mallory...).refused(t, 404, ReasonSessionUnknown)
	h.do(http.MethodDelete, "/mcp/srv", "", mallory...).refused(t, 404, ReasonSessionUnknown)
	h.raw("other", callOne, session...).refused(t, 404, ReasonSessionUnknown)
	if r := h.raw("srv", callOne, session...); r.status != http.StatusOK {
		t.Errorf("the owner got %d %s", r.status, r.body)
	}
	s.mu.Lock()
	headers := slices.Clone(s.header)
	s.mu.Unlock()
	for _, header := range headers {
		if id := header.Get(protocol.HeaderSessionID); id != "" && id != sessionOfScript {
			continue // of the gateway's own conversation
		}
		if strings.HasPrefix(header.Get(protocol.HeaderSessionID), "bzs_") {
			t.Error("the gateway's session id went upstream")
		}
	}
	if r := h.do(http.MethodDelete, "/mcp/srv", "", session...); r.status != http.StatusNoContent {
		t.Errorf("DELETE: %d", r.status)
	}
	h.raw("srv", callOne, session...).refused(t, 404, ReasonSessionUnknown)
	eventually(t, "the upstream is told", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		last := s.header[len(s.header)-1]
		return last.Get(protocol.HeaderSessionID) == sessionOfScript
	})
}

// TestUnknownMethods are denied unless the approval names them.
func TestUnknownMethods(t *testing.T) {
	s := newScript(t)
	s.set("acme/do", `{"resultType":"complete","ok":true}`)
	h := open(t, auto)
	a := h.approve("srv", s.start())
	r := h.call("srv", 1, "acme/do", "")
	if code, data := r.told(t); r.status != 404 || code != protocol.CodeMethodNotFound || data.Reason != ReasonMethodDenied {
		t.Errorf("unknown method: %d %s", r.status, r.body)
	}
	for _, method := range []string{"tasks/get", "ping", "sampling/createMessage", "initialize2"} {
		h.call("srv", 1, method, "").refused(t, 404, ReasonMethodDenied)
	}
	named := *a
	named.ExtensionMethods, named.Digest = []string{"acme/do"}, "named"
	h.approvals.set(nil, &named)
	if r := h.call("srv", 1, "acme/do", ""); r.status != 200 || !strings.Contains(string(r.body), `"ok":true`) {
		t.Errorf("named method: %d %s", r.status, r.body)
	}
	h.call("srv", 1, "acme/do", `{"x":"BLOCK-ME"}`).refused(t, 403, ReasonFinding)
	if got := h.events(audit.Query{Code: "call_intent"}); len(got) != 1 {
		t.Errorf("%d intents for an extension method, want 1", len(got))
	}
}

// TestPathsAndMethods of HTTP: every path writes an answer.
func TestPathsAndMethods(t *testing.T) {
	h := open(t, auto)
	h.serve("srv", newScript(t).start())
	for _, tt := range []struct {
		method, path string
		status       int
		reason       Reason
	}{
		{"POST", "/", 404, ReasonPathUnknown},
		{"POST", "/mcp", 400, ReasonSessionRequired},
		{"POST", "/mcp/", 404, ReasonPathUnknown},
		{"POST", "/mcp/srv/", 404, ReasonPathUnknown},
		{"POST", "/mcp/SRV", 404, ReasonPathUnknown},
		{"POST", "/mcp/s%72v", 404, ReasonPathUnknown},
		{"POST", "/mcp/..%2fhealthz", 404, ReasonPathUnknown},
		{"PUT", "/mcp/srv", 405, ReasonHTTPMethod},
		{"GET", "/mcp/srv", 400, ReasonSessionRequired},
		{"DELETE", "/mcp/srv", 400, ReasonSessionRequired},
	} {
		h.do(tt.method, tt.path, callOne).refused(t, tt.status, tt.reason)
	}
	h.do("GET", "/mcp/srv", "", "MCP-Protocol-Version: 2026-07-28").refused(t, 405, ReasonHTTPMethod)
	for _, path := range []string{"/healthz", "/readyz"} {
		if r := h.do("GET", path, "", "Authorization:"); r.status != 200 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	h.approvals.set(approval.ErrSnapshotExpired)
	if r := h.do("GET", "/readyz", ""); r.status != 503 {
		t.Errorf("/readyz with stale approvals: %d", r.status)
	}
}

// TestPerAddress bounds requests under way from one address.
func TestPerAddress(t *testing.T) {
	s := newScript(t)
	s.on("tools/call", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.RequestsPerAddress = 2; c.SilenceTimeout = 2 * time.Second })
	h.serve("srv", s.start())
	done := make(chan reply, 2)
	for range 2 {
		go func() { done <- h.call("srv", 1, "tools/call", `{"name":"one"}`) }()
	}
	eventually(t, "both calls under way", func() bool { return len(s.sent("tools/call")) == 2 })
	r := h.call("srv", 1, "tools/call", `{"name":"one"}`)
	r.refused(t, 429, ReasonTooManyRequests)
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 2 {
		(<-done).refused(t, 504, ReasonUpstreamTimeout)
	}
}
