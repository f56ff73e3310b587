package gateway

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// TestMergedCallOutlivesAReload has a configuration come into force at every
// point of a call at which approvals are asked for: the alias leads to another
// server then, and the call is answered all the same.
func TestMergedCallOutlivesAReload(t *testing.T) {
	var source *interrupted
	h := open(t, func(c *Config) {
		source = &interrupted{approvals: c.Approvals}
		c.Approvals = source
		c.Recheck = 1 << 40 // which asks, too
	})
	var routes [2]Route
	for i, name := range []string{"first", "second"} {
		s := newScript(t)
		s.legacy = true
		s.set("tools/call", `{"content":[{"type":"text","text":"`+name+`"}]}`)
		routes[i] = Route{Alias: "srv", Server: "io.example/" + name, Target: upstream.Target{URL: s.start().URL}}
		h.approve(name, routes[i].Target, func(a *approval.Approval) { delete(a.Roots, "modern") })
	}
	now := 0
	turn := func() {
		now = 1 - now
		apply, err := h.Prepare([]Route{routes[now]}, false, confine.Limits{}, nil)
		if err != nil {
			t.Error(err)
			return
		}
		apply()
	}
	turn()
	session := h.initialize("")
	asked := 1
	for at := 1; at <= asked; at++ {
		source.arm(at, turn)
		r := h.raw("", fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"srv__one"}}`, at), session...)
		if r.status != http.StatusOK {
			t.Errorf("a reload when approvals were asked for the %d. time: %d %s", at, r.status, r.body)
		}
		asked = source.arm(0, nil)
	}
	if asked < 3 {
		t.Errorf("approvals were asked for %d times in a call: where is the reload?", asked)
	}
}

// interrupted are approvals during whose search something happens.
type interrupted struct {
	approvals Approvals

	mu    sync.Mutex
	asked int
	at    int
	then  func()
}

// arm has then happen when approvals are asked for the at. time from now, and
// returns how often they were since it was last called.
func (i *interrupted) arm(at int, then func()) (asked int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	asked, i.asked, i.at, i.then = i.asked, 0, at, then
	return asked
}

func (i *interrupted) Find(server string) (*approval.Approval, error) {
	i.mu.Lock()
	i.asked++
	var then func()
	if i.asked == i.at {
		then = i.then
	}
	i.mu.Unlock()
	if then != nil {
		then()
	}
	return i.approvals.Find(server)
}

func (i *interrupted) All() []*approval.Approval { return i.approvals.All() }
