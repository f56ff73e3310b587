package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// fastClock is a clock that a test moves on.
type fastClock struct {
	mu  sync.Mutex
	fwd time.Duration
}

func (w *fastClock) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.fwd)
}

func (w *fastClock) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fwd += d
}

const hostileText = `{"resultType":"complete","content":[{"type":"text","text":"BLOCK-ME"}]}`

// struck are the reasons of the records about servers' strikes.
func (h *house) struck() (reasons []string) {
	h.t.Helper()
	for _, rec := range h.events(audit.Query{Code: "server_struck"}) {
		reasons = append(reasons, rec.Event.StatusCode)
	}
	return reasons
}

// TestStrikes: whatever a server says that is blocked counts against it: results,
// errors, resources, prompts, notifications and questions. What a client says
// that is blocked counts against nobody.
func TestStrikes(t *testing.T) {
	s := newScript(t)
	old := newScript(t)
	old.legacy = true
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Strikes.Limit = 6 })
	h.serve("srv", s.start())
	h.serve("old", old.start(), func(a *approval.Approval) { delete(a.Roots, "modern") })
	count := func(alias string) int { return int(h.Stats().Strikes[alias]) }
	struck := func(alias, what string, strikes int, do func()) {
		t.Helper()
		before := count(alias)
		do()
		if got := count(alias) - before; got != strikes {
			t.Errorf("%s: %d strikes, want %d", what, got, strikes)
		}
	}
	s.set("tools/call", hostileText)
	s.set("resources/read", `{"resultType":"complete","contents":[{"uri":"test://a","text":"BLOCK-ME"}]}`)
	s.set("prompts/get", `{"resultType":"complete","messages":[{"role":"user","content":{"type":"text","text":"BLOCK-ME"}}]}`)
	for method, params := range map[string]string{"tools/call": `{"name":"one"}`, "resources/read": `{"uri":"test://a"}`, "prompts/get": `{"name":"ask"}`} {
		struck("srv", method, 1, func() { h.call("srv", 1, method, params).refused(t, 403, ReasonFinding) })
	}
	s.on("tools/call", events(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32000,"message":"BLOCK-ME"}}`))
	struck("srv", "an error", 1, func() { h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonFinding) })
	s.set("tools/call", `{"resultType":"complete","content":[{"type":"text","text":"STUBBORN"}]}`)
	s.on("tools/call", nil)
	struck("srv", "what cannot be removed", 1, func() { h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonRedaction) })

	session := h.initialize("old")
	for what, aside := range map[string]string{
		"a notification": `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"BLOCK-ME"}}`,
		"a question":     `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"BLOCK-ME","requestedSchema":{"type":"object","properties":{}}}}`,
	} {
		old.on("tools/call", events(aside, `{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"fine"}]}}`))
		struck("old", what, 1, func() {
			if r := h.raw("old", callOne, session...); r.status != 200 || strings.Contains(string(r.body), "BLOCK-ME") {
				t.Errorf("%s: %d %s", what, r.status, r.body)
			}
		})
	}

	// What is no strike.
	struck("srv", "a request", 0, func() {
		h.call("srv", 1, "tools/call", `{"name":"one","arguments":{"a":"BLOCK-ME"}}`).refused(t, 403, ReasonFinding)
	})
	s.set("tools/call", `{"resultType":"complete","content":[{"type":"text","text":"REDACT-ME"}]}`)
	struck("srv", "what was removed", 0, func() {
		if r := h.call("srv", 1, "tools/call", `{"name":"one"}`); r.status != 200 {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	s.set("tools/call", `{"resultType":"complete","content":[{"type":"text","text":"TRAP-ME"}]}`)
	struck("srv", "a scanner's failure", 0, func() { h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonScannerFailure) })
	old.on("tools/call", events(`{"jsonrpc":"2.0","method":"notifications/own","params":{}}`, `{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`))
	struck("old", "a notification that nobody defined", 0, func() { h.raw("old", callOne, session...) })

	if got := h.struck(); len(got) != 0 {
		t.Fatalf("on record before the limit: %v", got)
	}
	s.set("tools/call", hostileText)
	for range 12 {
		h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonFinding) // never suspended: nobody asked for it
	}
	if got := h.struck(); len(got) != 1 || got[0] != audit.StrikesReached {
		t.Errorf("on record: %v", got)
	}
	rec := h.events(audit.Query{Code: "server_struck"})[0].Event
	if rec.Entity.Name != "io.example/srv" || rec.Unmapped.Strikes != 6 || rec.Unmapped.Principals != 1 || rec.Unmapped.Alias != "srv" {
		t.Errorf("%+v %+v", rec.Entity, rec.Unmapped)
	}
}

// TestStrikeBait (governance, Appendix C, row 30): a server that says what is
// blocked as often as it can gets none of its users refused, here or elsewhere.
func TestStrikeBait(t *testing.T) {
	bait, good := newScript(t), newScript(t)
	bait.set("tools/call", hostileText)
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Strikes = Strikes{Limit: 4, Suspend: time.Hour} })
	h.serve("bait", bait.start())
	h.serve("good", good.start())
	users := []string{"Authorization: Bearer " + h.token, "Authorization: Bearer " + h.keys.issue(t, "bob", identity.RoleAgent)}
	suspended := false
	for i := range 30 {
		for _, user := range users {
			r := h.call("bait", i, "tools/call", `{"name":"one"}`, user)
			if _, data := r.told(t); data.Reason == ReasonSuspended {
				suspended = true
			} else {
				r.refused(t, 403, ReasonFinding)
			}
			if r := h.call("good", i, "tools/call", `{"name":"one"}`, user); r.status != 200 {
				t.Fatalf("a user suffers for the server: %d %s", r.status, r.body)
			}
		}
	}
	if !suspended {
		t.Error("the server goes on")
	}
	if n := h.Stats().Strikes["good"]; n != 0 {
		t.Errorf("%d strikes of a harmless server", n)
	}
}

// TestSuspension: where the operator wants it, a server that at least two
// principals were told hostile things by is called by nobody for a while; one
// principal who has it repeat his own words can do that to nobody.
func TestSuspension(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	clock := &fastClock{}
	h := open(t, func(c *Config) {
		c.AutoRoutes = true
		c.Strikes = Strikes{Limit: 4, Window: time.Minute, Suspend: time.Hour}
		c.Now = clock.now
	})
	a := h.approve("srv", s.start(), func(a *approval.Approval) { delete(a.Roots, "modern") })
	bob := "Authorization: Bearer " + h.keys.issue(t, "bob", identity.RoleAgent)
	own, others := h.initialize("srv"), append(h.initialize("srv", bob), bob)
	hostile := func(on bool) {
		s.set("tools/call", either(on, hostileText, `{"content":[{"type":"text","text":"fine"}]}`))
	}
	hostile(true)
	for range 40 {
		h.raw("srv", callOne, own...).refused(t, 403, ReasonFinding)
	}
	hostile(false)
	for _, session := range [][]string{own, others} {
		if r := h.raw("srv", callOne, session...); r.status != 200 {
			t.Fatalf("one principal shut the server: %d %s", r.status, r.body)
		}
	}
	clock.pass(2 * time.Minute)

	// A call is under way, and has asked its client something.
	asked, answered := make(chan struct{}), make(chan string, 1)
	s.on("tools/call", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\n", `{"jsonrpc":"2.0","id":"q","method":"roots/list"}`)
		w.(http.Flusher).Flush()
		close(asked)
		fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{\"content\":[{\"type\":\"text\",\"text\":%q}]}}\n\n", <-answered)
	})
	s.on("", func(w http.ResponseWriter, r *http.Request) {
		answered <- "heard"
		w.WriteHeader(http.StatusAccepted)
	})
	call := make(chan reply, 1)
	go func() { call <- h.raw("srv", strings.Replace(callOne, `"id":1`, `"id":77`, 1), own...) }()
	<-asked
	hostile(true)
	s.on("tools/call", nil)
	for _, session := range [][]string{own, own, others, others} {
		h.raw("srv", callOne, session...).refused(t, 403, ReasonFinding)
	}
	for _, session := range [][]string{own, others} {
		r := h.raw("srv", callOne, session...)
		r.refused(t, 503, ReasonSuspended)
		if r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		h.do(http.MethodGet, "/mcp/srv", "", session...).refused(t, 503, ReasonSuspended)
	}
	before := len(s.sent("tools/call"))
	h.raw("", initializeAll).message(t) // the merged endpoint still is
	eventually(t, "the reply passes", func() bool {
		return h.raw("srv", `{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}`, own...).status == http.StatusAccepted
	})
	if r := <-call; r.status != 200 || !strings.Contains(string(r.body), "heard") {
		t.Errorf("the call under way: %d %s", r.status, r.body)
	}
	if after := len(s.sent("tools/call")); after != before {
		t.Errorf("%d calls reached a suspended server", after-before)
	}
	if n := h.Stats().Suspended; n != 1 {
		t.Errorf("%d servers are suspended", n)
	}
	if got := h.struck(); len(got) == 0 || got[len(got)-1] != audit.ServerSuspended {
		t.Errorf("on record: %v", got)
	}
	hostile(false)

	again := *a // reviewers looked at it once more
	again.Digest = fmt.Sprintf("%064x", 99)
	h.approvals.set(nil, &again)
	if r := h.raw("srv", callOne, h.initialize("srv")...); r.status != 200 {
		t.Errorf("under a new approval: %d %s", r.status, r.body)
	}
	h.approvals.set(nil, a)
	h.raw("srv", callOne).refused(t, 503, ReasonSuspended)
	clock.pass(time.Hour)
	if r := h.raw("srv", callOne, h.initialize("srv")...); r.status != 200 {
		t.Errorf("after the suspension: %d %s", r.status, r.body)
	}
}

const initializeAll = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
