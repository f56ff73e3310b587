package attack

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestStrikes (rows 22 and 30): a server that says what is blocked again and
// again gets itself on record, and suspended where the operator wants that; its
// users go on with all else. One user who has a harmless server repeat his own
// words takes it from nobody.
func TestStrikes(t *testing.T) {
	w := enter(t)
	d, err := w.open("strikes", "gateway:\n  strikes:\n    limit: 4\n    suspend: 1h\n")
	if err != nil {
		t.Fatal(err)
	}
	bait := w.cast(t, "bait", protocol.Modern, func(a *actor) { a.cue("strike", saysText(injection)) }, d)
	echo := w.cast(t, "parrot", protocol.Modern, func(a *actor) { a.cue("repeat", saysText(injection)) }, d)
	as := func(token, alias, params string) reply {
		body, header := modern(`1`, "tools/call", params)
		return do(t, newRequest(t, http.MethodPost, d.url+"/mcp/"+alias, token, body, header...))
	}
	recorded := func(server string) (reasons []string) {
		for _, rec := range d.events(t, audit.Query{Code: "server_struck"}) {
			if rec.Event.Entity.Name == server {
				reasons = append(reasons, rec.Event.StatusCode)
			}
		}
		return reasons
	}

	// Mallory has a harmless server say it, as often as he likes.
	for range 12 {
		d.refused(t, as(w.mallory, "parrot", echo.act("repeat")), http.StatusForbidden, protocol.CodeBlocked, "finding")
	}
	for name, token := range map[string]string{"alice": w.alice, "mallory": w.mallory} {
		if r := as(token, "parrot", echo.act("fine")); r.status != http.StatusOK {
			t.Errorf("%s is refused by what mallory did: %d %s", name, r.status, r.body)
		}
	}
	if got := recorded("io.example/parrot"); len(got) != 1 || got[0] != audit.StrikesReached {
		t.Errorf("on record: %v", got)
	}

	// A server that says it to everybody.
	var last reply
	for range 3 {
		for _, token := range []string{w.alice, w.mallory} {
			last = as(token, "bait", bait.act("strike"))
			silent(t, last)
			if r := as(token, "parrot", echo.act("fine")); r.status != http.StatusOK {
				t.Fatalf("a user suffers for a server: %d %s", r.status, r.body)
			}
		}
	}
	d.refused(t, last, http.StatusServiceUnavailable, protocol.CodeBlocked, "server_suspended")
	if last.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	d.refused(t, as(w.alice, "bait", bait.act("while suspended")), http.StatusServiceUnavailable, protocol.CodeBlocked, "server_suspended")
	bait.untouched(t, "while suspended")
	if got := recorded("io.example/bait"); len(got) == 0 || got[len(got)-1] != audit.ServerSuspended {
		t.Errorf("on record: %v", got)
	}
	r := do(t, newRequest(t, http.MethodGet, d.url+"/metrics", "", "", "Authorization:"))
	for _, want := range []string{`bartizan_gateway_server_strikes_total{alias="bait"} 4`, `bartizan_gateway_server_strikes_total{alias="parrot"} 12`, "bartizan_gateway_servers_suspended 1\n"} {
		if !bytes.Contains(r.body, []byte(want)) {
			t.Errorf("no %s", want)
		}
	}

	// Without the setting, which is the default, nobody is suspended.
	for i := range 30 {
		r := w.gate.call(t, "bait", "tools/call", bait.act("strike"))
		if r.status != http.StatusForbidden || !strings.Contains(string(r.body), `"finding"`) {
			t.Fatalf("call %d: %d %s", i, r.status, r.body)
		}
	}
	if r := w.gate.call(t, "bait", "tools/call", fmt.Sprintf(`{"name":"%s_look","arguments":{}}`, bait.name)); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
}
