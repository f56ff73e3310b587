package gateway

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

const carried = "Zx81-Kq7w-Pl0m-Vb3n-Ty6u"

// rooms is a gateway before two servers, of which the first tells a secret.
type rooms struct {
	*house
	first, second *script
	late          atomic.Int64 // nanoseconds that the gateway's clock is ahead
}

func openRooms(t *testing.T) *rooms {
	r := &rooms{first: newScript(t), second: newScript(t)}
	r.house = open(t, func(c *Config) {
		c.AutoRoutes = true
		c.Now = func() time.Time { return time.Now().Add(time.Duration(r.late.Load())) }
	})
	r.first.set("tools/call", textResult("REMEMBER-ME "+carried+" and more"))
	r.serve("first", r.first.start())
	r.serve("second", r.second.start())
	return r
}

func textResult(text string) string {
	return fmt.Sprintf(`{"resultType":"complete","content":[{"type":"text","text":%q}]}`, text)
}

func (r *rooms) learn(t *testing.T) {
	t.Helper()
	if got := r.call("first", 1, "tools/call", `{"name":"one"}`); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
}

func (r *rooms) tell(alias, tool, text string, header ...string) reply {
	r.t.Helper()
	return r.call(alias, 2, "tools/call", fmt.Sprintf(`{"name":%q,"arguments":{"text":%q}}`, tool, text), header...)
}

func (r *rooms) as(token string) string { return "Authorization: Bearer " + token }

// TestWhatOneServerSaidIsKnownBeforeAnother: a marked span that turns up in a
// call of another server or tool is blocked, and the record says where it came
// from and not what it is.
func TestWhatOneServerSaidIsKnownBeforeAnother(t *testing.T) {
	r := openRooms(t)
	if got := r.tell("second", "one", carried); got.status != http.StatusOK {
		t.Fatalf("before anything was said: %d %s", got.status, got.body)
	}
	r.learn(t)
	for name, text := range map[string]string{
		"as it was": carried, "in base64": base64.StdEncoding.EncodeToString([]byte("it is " + carried)), "in part": "x" + carried[:21], "shouted": strings.ToUpper(carried),
	} {
		data := r.tell("second", "one", text).refused(t, http.StatusForbidden, ReasonFinding)
		found := r.events(audit.Query{ID: data.AuditID})
		if len(found) == 0 {
			t.Fatalf("%s: no record", name)
		}
		var all strings.Builder
		for _, e := range found {
			all.Write(e.Raw)
		}
		if raw := all.String(); !strings.Contains(raw, `"mark":"secret"`) || !strings.Contains(raw, `"server":"io.example/first","entry":"one"`) ||
			strings.Contains(strings.ToLower(raw), "kq7w") {
			t.Errorf("%s: recorded %s", name, raw)
		}
	}
	r.tell("first", "two", carried).refused(t, http.StatusForbidden, ReasonFinding)
	r.tell("", "second__one", carried).refused(t, http.StatusForbidden, ReasonFinding)
	if got := r.tell("first", "one", carried); got.status != http.StatusOK {
		t.Errorf("back to the tool that it came from: %d %s", got.status, got.body)
	}
	if got := r.tell("second", "one", "something else"); got.status != http.StatusOK {
		t.Errorf("another text: %d %s", got.status, got.body)
	}
	if n := len(r.second.sent("tools/call")); n != 2 {
		t.Errorf("%d calls reached the second server", n)
	}
}

// TestFlowHasWalls: nothing of one principal's is known of another.
func TestFlowHasWalls(t *testing.T) {
	r := openRooms(t)
	bob := r.as(r.keys.issue(t, "bob", identity.RoleAgent))
	r.learn(t)
	if got := r.tell("second", "one", carried, bob); got.status != http.StatusOK {
		t.Errorf("bob: %d %s", got.status, got.body)
	}
	again := r.as(r.keys.issue(t, "alice", identity.RoleAgent))
	r.tell("second", "one", carried, again).refused(t, http.StatusForbidden, ReasonFinding)
}

// TestFlowForgets: after its time, with the approval of the server, with the
// last key of the principal.
func TestFlowForgets(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		r := openRooms(t)
		r.learn(t)
		r.late.Store(int64(29 * time.Minute))
		r.tell("second", "one", carried).refused(t, http.StatusForbidden, ReasonFinding)
		r.late.Store(int64(31 * time.Minute))
		if got := r.tell("second", "one", carried); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
		eventually(t, "nobody's key is kept", func() bool { return len(r.recollection.keyIDs()) == 0 })
	})
	t.Run("approval", func(t *testing.T) {
		r := openRooms(t)
		r.learn(t)
		all := r.approvals.All()
		r.approvals.set(nil, all[1])
		alice := flow.Owner{Tenant: identity.DefaultTenant, Principal: "alice"}
		eventually(t, "the server's marks are gone", func() bool { return r.recollection.memory.Of(alice).Quiet(time.Now()) })
		if got := r.tell("second", "one", carried); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
	t.Run("approvals that cannot be read", func(t *testing.T) {
		r := openRooms(t)
		r.learn(t)
		all := r.approvals.All()
		r.approvals.set(fmt.Errorf("not now"), all...)
		time.Sleep(100 * time.Millisecond) // a few looks at it
		r.approvals.set(nil, all...)
		r.tell("second", "one", carried).refused(t, http.StatusForbidden, ReasonFinding)
	})
	t.Run("principal", func(t *testing.T) {
		r := openRooms(t)
		second := r.keys.issue(t, "alice", identity.RoleAgent)
		r.learn(t)
		if got := r.call("first", 1, "tools/call", `{"name":"one"}`, r.as(second)); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		id := r.recollection.keyIDs()
		if len(id) != 2 {
			t.Fatalf("keys %q", id)
		}
		alice := flow.Owner{Tenant: identity.DefaultTenant, Principal: "alice"}
		r.recollection.forget(identity.DefaultTenant, time.Now(), id[:1], func(string) bool { return false })
		if r.recollection.memory.Of(alice).Quiet(time.Now()) {
			t.Error("forgotten with one of two keys")
		}
		r.keys.change("alice", revoke)
		eventually(t, "alice is forgotten", func() bool { return r.recollection.memory.Of(alice).Quiet(time.Now()) })
		if len(r.recollection.keyIDs()) != 0 {
			t.Error("her keys are kept")
		}
	})
}

// TestOnlyWhatReachesTheClientIsRemembered.
func TestOnlyWhatReachesTheClientIsRemembered(t *testing.T) {
	for name, c := range map[string]struct {
		result, asked string
		status, want  int
	}{
		"a result":          {"REMEMBER-ME " + carried, "x", 200, 403},
		"a blocked one":     {"REMEMBER-ME " + carried + " BLOCK-ME", "x", 403, 200},
		"a redacted one":    {"REMEMBER-ME " + carried + " REDACT-ME", "x", 200, 403},
		"not redactable":    {"REMEMBER-ME " + carried + " STUBBORN", "x", 403, 200},
		"what was asked":    {"you said REMEMBER-ME " + carried, carried, 200, 200},
		"part of it, asked": {"REMEMBER-ME " + carried, carried[:9], 200, 403},
	} {
		t.Run(name, func(t *testing.T) {
			r := openRooms(t)
			r.first.set("tools/call", textResult(c.result))
			if got := r.tell("first", "one", c.asked); got.status != c.status {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if got := r.tell("second", "one", carried); got.status != c.want {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

// TestFlowAtOnce: principals who learn and tell at the same time, under a
// memory too small for all of them, get no answer of another's.
func TestFlowAtOnce(t *testing.T) {
	r := openRooms(t)
	r.first.on("tools/call", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"result":%s}`, textResult("REMEMBER-ME "+carried))
	})
	var wg sync.WaitGroup
	for i := range 6 {
		token := r.as(r.keys.issue(t, fmt.Sprint("agent", i), identity.RoleAgent))
		wg.Go(func() {
			for j := range 8 {
				if i%2 == 0 {
					r.call("first", 1, "tools/call", `{"name":"one"}`, token)
				}
				got := r.tell("second", "one", carried, token)
				if want := 200 + 203*(1-i%2); got.status != want {
					t.Errorf("agent %d, turn %d: %d %s", i, j, got.status, got.body)
				}
			}
		})
	}
	wg.Wait()
}
