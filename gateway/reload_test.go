package gateway

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// TestReload moves an alias to another server while a call is under way: the
// call is answered by the one that it went to, the next one goes to the other,
// and sessions and streams of the old one end.
func TestReload(t *testing.T) {
	old, next := newScript(t), newScript(t)
	old.legacy, next.legacy = true, true
	began, release := old.hold("tools/call", `{"content":[{"type":"text","text":"the old one"}]}`)
	old.streams()
	next.set("tools/call", `{"content":[{"type":"text","text":"the next one"}]}`)
	h := open(t, nil)
	legacyOnly := func(a *approval.Approval) { delete(a.Roots, "modern") }
	first := Route{Alias: "srv", Server: "io.example/old", Target: upstream.Target{URL: old.start().URL}}
	second := Route{Alias: "srv", Server: "io.example/next", Target: upstream.Target{URL: next.start().URL}}
	h.approve("old", first.Target, legacyOnly)
	h.approve("next", second.Target, legacyOnly)
	reload := func(routes ...Route) {
		t.Helper()
		apply, err := h.Prepare(routes, false, confine.Limits{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		apply()
	}
	reload(first)
	session := h.initialize("srv")
	call, stream := make(chan reply, 1), make(chan reply, 1)
	go func() { stream <- h.do(http.MethodGet, "/mcp/srv", "", session...) }()
	go func() { call <- h.raw("srv", callOne, session...) }()
	<-began
	eventually(t, "the stream is open", func() bool { return len(h.callers.all()) == 2 })

	if _, err := h.Prepare([]Route{second, second}, false, confine.Limits{}, nil); !errors.Is(err, ErrConfig) {
		t.Errorf("two routes of one alias: %v", err)
	}
	if r := h.raw("srv", `{"jsonrpc":"2.0","id":9,"method":"tools/list"}`, session...); r.status != 200 {
		t.Errorf("a refused reload changed something: %d %s", r.status, r.body)
	}
	reload(second)
	<-stream // looked at again after the reload, as often as keys are
	h.raw("srv", callOne, session...).refused(t, 404, ReasonSessionUnknown)
	if r := h.raw("srv", callOne, h.initialize("srv")...); r.status != 200 || !strings.Contains(string(r.body), "the next one") {
		t.Errorf("after the reload: %d %s", r.status, r.body)
	}
	close(release)
	if r := <-call; r.status != 200 || !strings.Contains(string(r.body), "the old one") {
		t.Errorf("the call under way: %d %s", r.status, r.body)
	}
	reload()
	h.raw("srv", callOne).refused(t, 404, ReasonServerUnknown)
}

// TestWithdrawnWhileMoved: a call under way ends with its approval, wherever
// its alias leads by then.
func TestWithdrawnWhileMoved(t *testing.T) {
	s := newScript(t)
	began := make(chan struct{})
	s.on("tools/call", func(_ http.ResponseWriter, r *http.Request) { close(began); <-r.Context().Done() })
	h := open(t, auto)
	h.serve("srv", s.start())
	call := make(chan reply, 1)
	go func() { call <- h.call("srv", 1, "tools/call", `{"name":"one"}`) }()
	<-began
	apply, err := h.Prepare(nil, false, confine.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	apply()
	h.approvals.set(nil)
	(<-call).refused(t, 403, ReasonNotApproved)
}

// TestReloadCredential: a route to the same approved server with another
// credential, or another address, is another route.
func TestReloadCredential(t *testing.T) {
	s, elsewhere := newScript(t), newScript(t)
	target := s.start()
	h := open(t, nil)
	h.approve("srv", target)
	last := func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.header[len(s.header)-1].Get("Authorization")
	}
	for _, credential := range []string{"first", "second", "first"} {
		route := Route{Alias: "srv", Server: "io.example/srv", Target: target}
		route.Target.Header = http.Header{"Authorization": {credential}}
		apply, err := h.Prepare([]Route{route}, false, confine.Limits{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		apply()
		if r := h.call("srv", 1, "tools/call", `{"name":"one"}`); r.status != 200 || last() != credential {
			t.Errorf("%d with credential %q, want %q", r.status, last(), credential)
		}
	}
	apply, err := h.Prepare([]Route{{Alias: "srv", Server: "io.example/srv", Target: elsewhere.start()}}, false, confine.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	apply()
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonLaunchMismatch)
	if n := len(elsewhere.sent("tools/call")); n != 0 {
		t.Errorf("%d calls went where nobody approved", n)
	}
}
