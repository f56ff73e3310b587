package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// talker is a legacy server that tells each session, on its stream, which one it
// is, and asks it something under the same id as every other.
func talker(t *testing.T, name string) *script {
	s := newScript(t)
	s.legacy = true
	n := 0
	s.on(protocol.MethodInitialize, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n++
		w.Header().Set(protocol.HeaderSessionID, fmt.Sprintf("%s-%d", name, n))
		result := s.results[protocol.MethodInitialize]
		s.mu.Unlock()
		answer(w, read(r), result)
	})
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		answer(w, read(r), `{"content":[{"type":"text","text":"you are `+r.Header.Get(protocol.HeaderSessionID)+`."}]}`)
	})
	s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(protocol.HeaderSessionID)
		events(
			`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"for `+id+`."}}`,
			`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"Who is `+id+`.","requestedSchema":{"type":"object","properties":{}}}}`,
		)(w, r)
		<-r.Context().Done()
	})
	return s
}

// Two principals at once at the same endpoint: neither sees, resumes, answers,
// cancels or ends anything of the other's.
func TestMergedKeepsPrincipalsApart(t *testing.T) {
	h := open(t, auto)
	all := map[string]*script{"alpha": talker(t, "alpha"), "beta": talker(t, "beta")}
	for alias, s := range all {
		h.approve(alias, s.start())
	}
	type client struct {
		name, auth string
		session    []string
		upstream   map[string]string // session at each server
		messages   <-chan *jsonrpc.Message
	}
	clients := []*client{{name: "alice", auth: h.token}, {name: "bob", auth: h.keys.issue(t, "bob", identity.RoleAgent)}}
	var work sync.WaitGroup
	for _, c := range clients {
		c.auth = "Authorization: Bearer " + c.auth
		work.Go(func() {
			c.session, c.upstream = append(h.initialize("", c.auth), c.auth), map[string]string{}
			for alias := range all {
				r := h.raw("", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s__one"}}`, alias), c.session...)
				_, id, _ := strings.Cut(string(r.body), "you are ")
				c.upstream[alias], _, _ = strings.Cut(id, ".")
			}
		})
	}
	work.Wait()
	for _, c := range clients {
		c.messages = h.stream(http.MethodGet, "/mcp", "", c.session...)
	}
	asked := map[*client][]string{}
	for _, c := range clients {
		for range 4 {
			m := <-c.messages
			own := false
			for _, id := range c.upstream {
				own = own || strings.Contains(string(m.Params), " "+id+".")
			}
			if !own {
				t.Errorf("%s, who is %v, was told %s", c.name, c.upstream, m.Raw)
			}
			if m.Kind == jsonrpc.Request {
				asked[c] = append(asked[c], string(m.ID))
			}
		}
	}
	alice, bob := clients[0], clients[1]
	if alice.upstream["alpha"] == bob.upstream["alpha"] || len(asked[alice]) != 2 || asked[alice][0] == asked[alice][1] {
		t.Fatalf("sessions %v and %v, asked %v", alice.upstream, bob.upstream, asked)
	}
	replies := func(session string) (n int) {
		for _, s := range all {
			s.mu.Lock()
			for i, m := range s.got {
				if (m.Kind == jsonrpc.Response || m.Method == protocol.NotificationCancelled) && s.header[i].Get(protocol.HeaderSessionID) == session {
					n++
				}
			}
			s.mu.Unlock()
		}
		return n
	}
	reply := `{"jsonrpc":"2.0","id":` + asked[alice][0] + `,"result":{"action":"accept"}}`
	stolen := append(alice.session[:2:2], bob.auth)
	h.raw("", reply, stolen...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.raw("alpha", reply, stolen...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.do(http.MethodGet, "/mcp", "", stolen...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.do(http.MethodDelete, "/mcp", "", stolen...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	for _, id := range []string{alice.upstream["alpha"], "bzs_" + strings.Repeat("A", 27), ""} {
		if r := h.do(http.MethodDelete, "/mcp", "", bob.auth, "Mcp-Session-Id: "+id); r.status == http.StatusNoContent {
			t.Errorf("session %q was ended", id)
		}
	}
	// In his own session bob's word is about his own.
	h.raw("", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, bob.session...)
	h.raw("", reply, bob.session...) // the number may be one of his own
	for alias, id := range alice.upstream {
		if n := replies(id); n != 0 {
			t.Errorf("%d messages of bob's came to alice's session at %s", n, alias)
		}
	}
	if r := h.raw("", reply, alice.session...); r.status != http.StatusAccepted {
		t.Errorf("alice's own reply: %d %s", r.status, r.body)
	}
	h.do(http.MethodDelete, "/mcp", "", bob.session...)
	if r := h.raw("", `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"alpha__one"}}`, alice.session...); !strings.Contains(string(r.body), alice.upstream["alpha"]+".") {
		t.Errorf("after bob left: %d %s", r.status, r.body)
	}
}

// A requestState belongs to principal, server and entry, whichever endpoint
// gave it; the same progress token of two callers is two tokens.
func TestMergedRequestStateBelongsToItsCaller(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(false, "alpha", "beta")
	for _, s := range all {
		s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
			body := read(r)
			if state := jsonrpc.Text(parsed(t, body).Params, "/requestState"); state != "" {
				answer(w, body, fmt.Sprintf(`{"resultType":"complete","content":[{"type":"text","text":%q}]}`, "resumed "+state))
				return
			}
			answer(w, body, `{"resultType":"input_required","requestState":"secret state","inputRequests":{"q":{"method":"roots/list"}}}`)
		})
	}
	bob := "Authorization: Bearer " + h.keys.issue(t, "bob", identity.RoleAgent)
	state := jsonrpc.Text(h.call("", 1, protocol.MethodToolsCall, `{"name":"alpha__one"}`).message(t).Result, "/requestState")
	if state == "" {
		t.Fatal("no state came")
	}
	retry := func(name, state string) string {
		return fmt.Sprintf(`{"name":%q,"inputResponses":{"q":{"roots":[]}},"requestState":%q}`, name, state)
	}
	for _, stranger := range []struct{ alias, name, state, auth string }{
		{"", "alpha__one", state, bob},
		{"alpha", "one", state, bob},
		{"", "alpha__two", state, ""},
		{"", "beta__one", state, ""},
		{"beta", "one", state, ""},
		{"", "alpha__one", "secret state", ""},
		{"", "alpha__one", state + "x", ""},
		{"", "alpha__one", state[:len(state)-1], ""},
	} {
		var header []string
		if stranger.auth != "" {
			header = append(header, stranger.auth)
		}
		h.call(stranger.alias, 2, protocol.MethodToolsCall, retry(stranger.name, stranger.state), header...).refused(t, http.StatusForbidden, ReasonStateForeign)
	}
	if r := h.call("", 3, protocol.MethodToolsCall, retry("alpha__one", state)); !strings.Contains(string(r.body), "resumed secret state") {
		t.Errorf("alice's own: %d %s", r.status, r.body)
	}
}

// A modern call hears of its own progress token alone, whatever the server says.
func TestMergedProgressTokens(t *testing.T) {
	h := open(t, auto)
	s := h.scripted(false, "srv")["srv"]
	s.on(protocol.MethodToolsCall, events(
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"bobs","progress":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"7","progress":2}}`,
		`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[]}}`,
	))
	for token, want := range map[string]string{`"7"`: `"progressToken":"7","progress":2`, `7`: `"progressToken":7,"progress":1`, ``: ""} {
		params := `{"name":"srv__one"}`
		body, header := modern(1, protocol.MethodToolsCall, params)
		if token != "" {
			body = strings.Replace(body, `"_meta":{`, `"_meta":{"progressToken":`+token+`,`, 1)
		}
		r := h.raw("", body, header...)
		if n := strings.Count(string(r.body), "notifications/progress"); n != strings.Count(want, "progressToken") || !strings.Contains(string(r.body), want) {
			t.Errorf("token %s: %d reports in %s", token, n, r.body)
		}
	}
}

// A caller of another tenant sees an endpoint without servers, though servers
// of both tenants are approved, under the same names even.
func TestMergedKeepsTenantsApart(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(false, "ours", "theirs")
	h.approvals.mu.Lock()
	for _, a := range h.approvals.list {
		if a.Alias == "theirs" {
			a.Tenant = "other"
		}
	}
	h.approvals.mu.Unlock()
	token, rec, err := identity.NewKey(identity.KeySpec{Tenant: "other", Principal: "alice", Kind: identity.KindAgent, Roles: []string{identity.RoleAgent}}, h.Gateway.cfg.Now())
	if err != nil {
		t.Fatal(err)
	}
	h.keys.mu.Lock()
	h.keys.recs[rec.ID] = rec
	h.keys.mu.Unlock()
	other := "Authorization: Bearer " + token
	before := len(all["ours"].sent(protocol.MethodToolsCall)) + len(all["theirs"].sent(protocol.MethodToolsCall))

	own := h.initialize("")
	foreign := append(h.initialize("", other), other)
	for _, list := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
		body := `{"jsonrpc":"2.0","id":1,"method":"` + list + `"}`
		if got := string(h.raw("", body, own...).body); !strings.Contains(got, `"name"`) || strings.Contains(got, "theirs") {
			t.Errorf("ours: %s", got)
		}
		for _, r := range []reply{h.raw("", body, foreign...), h.call("", 1, list, "", other)} {
			if got := string(r.body); r.status != http.StatusOK || strings.Contains(got, `"name"`) || strings.Contains(got, "ours") || strings.Contains(got, "test://") {
				t.Errorf("theirs: %d %s", r.status, got)
			}
		}
	}
	for _, alias := range []string{"ours", "theirs", "nobodys"} {
		h.call("", 2, protocol.MethodToolsCall, `{"name":"`+alias+`__one"}`, other).refused(t, http.StatusForbidden, ReasonEntryUnknown)
		h.call("", 2, protocol.MethodPromptsGet, `{"name":"`+alias+`__ask"}`, other).refused(t, http.StatusForbidden, ReasonEntryUnknown)
		h.call(alias, 2, protocol.MethodToolsCall, `{"name":"one"}`, other).refused(t, http.StatusNotFound, ReasonServerUnknown)
	}
	h.call("", 2, protocol.MethodToolsCall, `{"name":"theirs__one"}`).refused(t, http.StatusForbidden, ReasonEntryUnknown)
	h.call("", 3, protocol.MethodResourcesRead, `{"uri":"test://a"}`, other).refused(t, http.StatusForbidden, ReasonEntryUnknown)
	h.call("", 4, protocol.MethodSubscriptionsListen, `{"notifications":{"resourceSubscriptions":["test://a"]}}`, other).refused(t, http.StatusForbidden, ReasonEntryUnknown)
	// The same principal's name in another tenant is somebody else.
	h.raw("", `{"jsonrpc":"2.0","id":5,"method":"ping"}`, append(own[:2:2], other)...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.raw("", `{"jsonrpc":"2.0","id":5,"method":"ping"}`, foreign[:2]...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	if got := string(h.call("", 6, protocol.MethodDiscover, "", other).body); strings.Contains(got, "Be brief") || strings.Contains(got, `"tools"`) {
		t.Errorf("discover: %s", got)
	}
	if after := len(all["ours"].sent(protocol.MethodToolsCall)) + len(all["theirs"].sent(protocol.MethodToolsCall)); after != before {
		t.Errorf("%d calls crossed tenants", after-before)
	}
	// Another tenant's approval of the same alias is in nobody's way.
	h.approve("ours", all["theirs"].start(), func(a *approval.Approval) { a.Tenant, a.Server = "other", "io.example/impostor" })
	for _, r := range []reply{h.call("", 7, protocol.MethodToolsCall, `{"name":"ours__one"}`), h.call("ours", 7, protocol.MethodToolsCall, `{"name":"one"}`)} {
		if r.status != http.StatusOK {
			t.Errorf("beside an impostor: %d %s", r.status, r.body)
		}
	}
}
