package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// scripted serves scripts under aliases.
func (h *house) scripted(legacy bool, aliases ...string) map[string]*script {
	h.t.Helper()
	all := map[string]*script{}
	for _, alias := range aliases {
		s := newScript(h.t)
		s.legacy = legacy
		all[alias] = s
		h.approve(alias, s.start())
	}
	return all
}

// stream opens an event stream and hands out its messages.
func (h *house) stream(method, path, body string, header ...string) <-chan *jsonrpc.Message {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+h.token)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		req.Header.Set(name, strings.TrimSpace(value))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		h.t.Fatalf("stream: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	messages := make(chan *jsonrpc.Message, 1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if m, err := jsonrpc.Parse([]byte(data), jsonrpc.Limits{}); err == nil {
					messages <- m
				}
			}
		}
		close(messages)
	}()
	h.t.Cleanup(func() {
		cancel()
		resp.Body.Close()
		<-done
	})
	return messages
}

func await(t *testing.T, messages <-chan *jsonrpc.Message, method string) *jsonrpc.Message {
	t.Helper()
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				t.Fatalf("the stream ended before %s", method)
			}
			if m.Method == method {
				return m
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s did not come", method)
		}
	}
}

func TestMergedNamesNobodyElse(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(false, "alpha", "a", "a-b")
	// "beta" is no server; alpha's tool looks like one of beta's and of a's.
	h.approvals.set(nil)
	all["alpha"].set(protocol.MethodToolsList, tools(tool("beta__one", "x"), tool("a__one", "x")))
	for alias, s := range all {
		h.approve(alias, s.start())
	}
	for name, want := range map[string]string{"alpha__beta__one": "beta__one", "alpha__a__one": "a__one"} {
		if r := h.call("", 1, protocol.MethodToolsCall, fmt.Sprintf(`{"name":%q}`, name)); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if got := all["alpha"].sent(protocol.MethodToolsCall); jsonrpc.Text(got[len(got)-1].Params, "/name") != want {
			t.Errorf("%s reached alpha as %s", name, got[len(got)-1].Params)
		}
	}
	if len(all["a"].sent(protocol.MethodToolsCall))+len(all["a-b"].sent(protocol.MethodToolsCall)) != 0 {
		t.Error("a call for alpha reached another server")
	}
	for _, name := range []string{"one", "__one", "beta__one", "Alpha__beta__one", "alpha__one", "alpha__", "a_b__one", "../a__one", "a__one__", "alpha/a__one", strings.Repeat("a", 64) + "__one"} {
		h.call("", 2, protocol.MethodToolsCall, fmt.Sprintf(`{"name":%q}`, name)).refused(t, http.StatusForbidden, ReasonEntryUnknown)
	}
	h.call("", 3, "tasks/get", `{"taskId":"1"}`).refused(t, http.StatusNotFound, ReasonMethodDenied)
	h.call("", 3, "vendor/anything", "").refused(t, http.StatusNotFound, ReasonMethodDenied)
}

// One server hangs, one is gone: the others are listed, the missing ones come
// back by themselves, and the client is told.
func TestMergedSlowAndDeadServersStallNobody(t *testing.T) {
	h := open(t, func(c *Config) {
		auto(c)
		c.MergePatience = 300 * time.Millisecond
		c.ListingMaxAge = 50 * time.Millisecond
	})
	all := h.scripted(true, "alive", "slow", "dead")
	release := make(chan struct{})
	var once bool
	t.Cleanup(func() {
		if !once {
			close(release)
		}
	})
	all["slow"].on(protocol.MethodToolsList, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "application/json")
		m := all["slow"].sent(protocol.MethodToolsList)
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m[len(m)-1].ID, tools(tool("one", "The first."), tool("two", "The second.")))
	})
	all["dead"].on(protocol.MethodInitialize, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	session := h.initialize("")
	list := func() string {
		r := h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, session...)
		if r.status != http.StatusOK {
			t.Fatalf("list: %d %s", r.status, r.body)
		}
		return string(r.body)
	}
	for range 2 {
		if got := list(); !strings.Contains(got, `"alive__one"`) || strings.Contains(got, "slow__") || strings.Contains(got, "dead__") {
			t.Errorf("list %s", got)
		}
	}
	if r := h.raw("", `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"alive__one"}}`, session...); r.status != http.StatusOK {
		t.Errorf("call: %d %s", r.status, r.body)
	}
	messages := h.stream(http.MethodGet, "/mcp", "", session...)
	once = true
	close(release)
	await(t, messages, protocol.NotificationToolsListChanged)
	eventually(t, "slow is back", func() bool { return strings.Contains(list(), `"slow__one"`) })
	// A server's failure to open a session is its own.
	r := h.raw("", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"dead__one"}}`, session...)
	if r.status != http.StatusBadGateway {
		t.Errorf("call of a dead server: %d %s", r.status, r.body)
	}
	if !strings.Contains(list(), `"alive__one"`) {
		t.Error("a dead server took the session with it")
	}
}

// A server that speaks of another's requests, elicitations and resources is not
// heard, and it is on record.
func TestMergedServersCannotSpeakForOthers(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(true, "good", "evil")
	all["evil"].set(protocol.MethodResourcesList, `{"resources":[]}`)
	all["evil"].set(protocol.MethodResourcesTemplatesList, `{"resourceTemplates":[]}`)
	h.approvals.set(nil)
	for alias, s := range all {
		h.approve(alias, s.start())
	}
	session := h.initialize("")
	started, finish := make(chan struct{}), make(chan struct{})
	all["good"].on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: "+`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"url","elicitationId":"E","url":"https://example.com","message":"m"}}`+"\n\n")
		w.(http.Flusher).Flush()
		close(started)
		<-finish
		fmt.Fprint(w, "data: "+`{"jsonrpc":"2.0","id":77,"result":{"content":[]}}`+"\n\n")
	})
	all["evil"].on(protocol.MethodToolsCall, events(
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"T","progress":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"E"}}`,
		`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://a"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"roots/list"}`,
		`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`,
	))
	good := h.stream(http.MethodPost, "/mcp", `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"good__one","_meta":{"progressToken":"T"}}}`, session...)
	<-started
	goodAsked := await(t, good, protocol.MethodElicitationCreate)
	r := h.raw("", `{"jsonrpc":"2.0","id":78,"method":"tools/call","params":{"name":"evil__one"}}`, session...)
	for _, method := range []string{"progress", "cancelled", "elicitation/complete", "resources/updated"} {
		if strings.Contains(string(r.body), "notifications/"+method) {
			t.Errorf("%s was delivered: %s", method, r.body)
		}
	}
	if got := len(h.events(audit.Query{Reason: string(ReasonForeign)})); got != 4 {
		t.Errorf("%d attempts are on record, want 4", got)
	}
	var evilID string
	for line := range strings.SplitSeq(string(r.body), "\n") {
		if m, err := jsonrpc.Parse([]byte(strings.TrimPrefix(line, "data: ")), jsonrpc.Limits{}); err == nil && m.Method == protocol.MethodRootsList {
			evilID = string(m.ID)
		}
	}
	if evilID == "" || evilID == string(goodAsked.ID) {
		t.Fatalf("both servers' request 1 is %q and %q to the client", evilID, goodAsked.ID)
	}
	// Each reply reaches the one that asked, under its own id.
	for id, result := range map[string]string{evilID: `{"roots":[]}`, string(goodAsked.ID): `{"action":"accept"}`} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, id, result)
		if r := h.raw("", body, session...); r.status != http.StatusAccepted {
			t.Errorf("reply: %d %s", r.status, r.body)
		}
		h.raw("", body, session...).refused(t, http.StatusBadRequest, ReasonReplyUnexpected) // a replayed reply
	}
	h.raw("", `{"jsonrpc":"2.0","id":99,"result":{}}`, session...).refused(t, http.StatusBadRequest, ReasonReplyUnexpected)
	replies := func(s *script) (got []string) {
		for _, m := range s.sent("") {
			if m.Kind == jsonrpc.Response {
				got = append(got, string(m.ID)+string(m.Result))
			}
		}
		return got
	}
	if got := replies(all["good"]); len(got) != 1 || got[0] != `1{"action":"accept"}` {
		t.Errorf("good got %v", got)
	}
	if got := replies(all["evil"]); len(got) != 1 || got[0] != `1{"roots":[]}` {
		t.Errorf("evil got %v", got)
	}
	// A cancellation goes to the server that has the request.
	h.raw("", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}`, session...)
	if len(all["good"].sent(protocol.NotificationCancelled)) != 1 || len(all["evil"].sent(protocol.NotificationCancelled)) != 0 {
		t.Error("a cancellation went astray")
	}
	close(finish)
}

// The endpoint shows what the caller may use now.
func TestMergedFollowsApprovals(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(true, "alpha", "beta")
	session := h.initialize("")
	list := func(header ...string) string {
		return string(h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, header...).body)
	}
	if got := list(session...); !strings.Contains(got, "alpha__one") || !strings.Contains(got, "beta__one") {
		t.Fatalf("list %s", got)
	}
	call := `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"beta__one"}}`
	if r := h.raw("", call, session...); r.status != http.StatusOK {
		t.Fatalf("call: %d %s", r.status, r.body)
	}
	messages := h.stream(http.MethodGet, "/mcp", "", session...)
	kept := h.approvals.All()
	h.approvals.set(nil, kept[0])
	if got := list(session...); !strings.Contains(got, "alpha__one") || strings.Contains(got, "beta__one") {
		t.Errorf("after a withdrawal: %s", got)
	}
	h.raw("", call, session...).refused(t, http.StatusForbidden, ReasonEntryUnknown)
	h.approvals.set(nil, kept...)
	await(t, messages, protocol.NotificationToolsListChanged)
	if got := list(session...); !strings.Contains(got, "beta__one") {
		t.Errorf("after it returned: %s", got)
	}
	// What drifted is gone, alone.
	all["beta"].set(protocol.MethodToolsList, tools(tool("one", "Now something else."), tool("two", "The second.")))
	h.changed(kept[1], protocol.Legacy)
	if got := list(session...); strings.Contains(got, "beta__one") || !strings.Contains(got, "beta__two") || !strings.Contains(got, "alpha__one") {
		t.Errorf("after drift: %s", got)
	}
	h.raw("", call, session...).refused(t, http.StatusForbidden, ReasonEntryDrifted)
	// Stale approvals show nothing at all, and say so.
	h.approvals.set(approval.ErrSnapshotExpired)
	h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, session...).refused(t, http.StatusServiceUnavailable, ReasonApprovalsStale)
	h.approvals.set(nil, kept...)
	// Nothing crosses tenants.
	h.approvals.mu.Lock()
	for _, a := range h.approvals.list {
		a.Tenant = "other"
	}
	h.approvals.mu.Unlock()
	if got := list(session...); strings.Contains(got, "__") {
		t.Errorf("another tenant's tools: %s", got)
	}
	h.raw("", call, session...).refused(t, http.StatusForbidden, ReasonEntryUnknown)
}

// Sessions and cursors belong to whom they were given.
func TestMergedBelongsToItsCaller(t *testing.T) {
	h := open(t, auto)
	var many []string
	for i := range 700 {
		many = append(many, tool(fmt.Sprintf("t%d", i), "A tool."))
	}
	s := newScript(t)
	s.set(protocol.MethodToolsList, tools(many...))
	h.approve("srv", s.start())
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	first := h.call("", 1, protocol.MethodToolsList, "")
	cursor := jsonrpc.Text(first.message(t).Raw, "/result/nextCursor")
	if cursor == "" || strings.Contains(cursor, "srv") {
		t.Fatalf("cursor %q", cursor)
	}
	second := h.call("", 2, protocol.MethodToolsList, fmt.Sprintf(`{"cursor":%q}`, cursor))
	if n := strings.Count(string(first.body), `"name":`) + strings.Count(string(second.body), `"name":`); n != 700 {
		t.Errorf("%d tools on two pages", n)
	}
	h.call("", 3, protocol.MethodToolsList, fmt.Sprintf(`{"cursor":%q}`, cursor), mallory).refused(t, http.StatusBadRequest, ReasonInvalidParams)
	h.call("", 3, protocol.MethodPromptsList, fmt.Sprintf(`{"cursor":%q}`, cursor)).refused(t, http.StatusBadRequest, ReasonInvalidParams)
	h.call("", 3, protocol.MethodToolsList, `{"cursor":"srv 500"}`).refused(t, http.StatusBadRequest, ReasonInvalidParams)

	legacy := h.scripted(true, "old")["old"]
	session := h.initialize("")
	ping := `{"jsonrpc":"2.0","id":7,"method":"ping"}`
	h.raw("", ping, append(session, mallory)...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.do(http.MethodGet, "/mcp", "", append(session, mallory)...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.raw("old", ping, session...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.raw("", ping, h.initialize("old")...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.raw("", ping).refused(t, http.StatusBadRequest, ReasonSessionRequired)
	h.raw("", ping, "Authorization:").refused(t, http.StatusUnauthorized, ReasonUnauthenticated)
	// A revoked key ends the session and those it owns.
	h.raw("", `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"old__one"}}`, session...)
	if len(legacy.sent(protocol.MethodToolsCall)) != 1 {
		t.Fatal("the call did not arrive")
	}
	h.keys.change("alice", revoke)
	eventually(t, "all sessions closed", func() bool {
		h.sessions.mu.Lock()
		defer h.sessions.mu.Unlock()
		return len(h.sessions.byID) == 0
	})
}

// Every step that a single call goes through, a merged one does.
func TestMergedCallsAreExamined(t *testing.T) {
	h := open(t, auto)
	s := h.scripted(false, "srv")["srv"]
	h.call("", 1, protocol.MethodToolsCall, `{"name":"srv__one","arguments":{"q":"BLOCK-ME"}}`).refused(t, http.StatusForbidden, ReasonFinding)
	h.call("", 1, protocol.MethodToolsCall, fmt.Sprintf(`{"name":"srv__one","arguments":{"q":%q}}`, h.token)).refused(t, http.StatusForbidden, ReasonFinding)
	if n := len(s.sent(protocol.MethodToolsCall)); n != 0 {
		t.Fatalf("%d blocked calls went upstream", n)
	}
	s.set(protocol.MethodToolsCall, `{"resultType":"complete","content":[{"type":"text","text":"BLOCK-ME"}]}`)
	h.call("", 1, protocol.MethodToolsCall, `{"name":"srv__one"}`).refused(t, http.StatusForbidden, ReasonFinding)
	odd := `{"resultType":"complete","content":[{"type":"novel","x":9007199254740993}],"zz":1.0e2,"_meta":{"k":"\u00e9"}}`
	s.set(protocol.MethodToolsCall, odd)
	r := h.call("", 1, protocol.MethodToolsCall, `{"name":"srv__one","arguments":{"n":9007199254740993,"u":"\u00e9"}}`, "Mcp-Param-Zone: eu")
	if got := string(r.message(t).Result); got != odd {
		t.Errorf("result %s", got)
	}
	got := s.sent(protocol.MethodToolsCall)
	if raw := string(got[len(got)-1].Raw); !strings.Contains(raw, `"arguments":{"n":9007199254740993,"u":"\u00e9"}`) {
		t.Errorf("the server got %s", raw)
	}
	s.mu.Lock()
	last := s.header[len(s.header)-1]
	s.mu.Unlock()
	if last.Get(protocol.HeaderName) != "one" || last.Get("Mcp-Param-Zone") != "eu" || last.Get("Authorization") != "" {
		t.Errorf("header %v", last)
	}
	body, header := modern(2, protocol.MethodToolsCall, `{"name":"srv__one"}`)
	h.raw("", body, append(header, "Mcp-Name: one")...).refused(t, http.StatusBadRequest, ReasonHeaderMismatch)
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 20_000 {
			fmt.Fprint(w, "data: "+`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}`+"\n\n")
		}
	})
	if code, data := h.call("", 3, protocol.MethodToolsCall, `{"name":"srv__one"}`).told(t); data.Reason != ReasonUpstreamTooLarge {
		t.Errorf("a flood ended with %d %s", code, data.Reason)
	}
}

// A server of the other era is offered as any other: a bridge leads to it.
func TestMergedShowsWhatItsClientCanReach(t *testing.T) {
	h := open(t, auto)
	for _, path := range []string{"/mcp", "/mcp/"} { // a client of no server sees nothing, and a path is one path
		if r := h.do(http.MethodPost, path, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`); (r.status == http.StatusOK) != (path == "/mcp") {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	h.scripted(true, "old")
	for _, version := range []string{"", protocol.VersionModern, protocol.LatestLegacy} {
		if got := toolNames(t, connect(t, h.all(), h.token, version, nil)); len(got) != 2 {
			t.Errorf("a client of %q sees %v", version, got)
		}
	}
	h.scripted(false, "new")
	if got := string(h.call("", 1, protocol.MethodToolsList, "").body); !strings.Contains(got, "old__one") || !strings.Contains(got, "new__one") {
		t.Errorf("modern: %s", got)
	}
	session := h.initialize("")
	if got := string(h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, session...).body); !strings.Contains(got, "new__one") || !strings.Contains(got, "old__one") {
		t.Errorf("legacy: %s", got)
	}
	for _, alias := range []string{"old", "new"} {
		r := h.raw("", fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"%s__one"}}`, alias), session...)
		if r.status != http.StatusOK || !strings.Contains(string(r.body), "fine") {
			t.Errorf("legacy call of %s: %d %s", alias, r.status, r.body)
		}
		r = h.call("", 3, protocol.MethodToolsCall, fmt.Sprintf(`{"name":"%s__one"}`, alias))
		if r.status != http.StatusOK || !strings.Contains(string(r.body), "fine") {
			t.Errorf("modern call of %s: %d %s", alias, r.status, r.body)
		}
	}
}

// A modern subscription hears of every list and of each resource from its owner.
func TestMergedSubscription(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(false, "owner", "other")
	all["other"].set(protocol.MethodResourcesList, `{"resultType":"complete","resources":[{"uri":"test://c","name":"c"}]}`)
	all["other"].set(protocol.MethodResourcesTemplatesList, `{"resultType":"complete","resourceTemplates":[]}`)
	h.approvals.set(nil)
	for alias, s := range all {
		h.approve(alias, s.start())
	}
	subscribe := func(s *script, uris ...string) {
		ack := `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":{"resourceSubscriptions":["test://a","test://c"]}}}`
		s.on(protocol.MethodSubscriptionsListen, func(w http.ResponseWriter, r *http.Request) {
			var messages []string
			messages = append(messages, ack)
			for _, uri := range uris {
				messages = append(messages, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"uri":"`+uri+`"}}`)
			}
			events(messages...)(w, r)
			<-r.Context().Done()
		})
	}
	subscribe(all["owner"], "test://a")
	subscribe(all["other"], "test://a", "test://c")
	body, header := modern(9, protocol.MethodSubscriptionsListen, `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["test://a","test://c"]}}`)
	messages := h.stream(http.MethodPost, "/mcp", body, header...)
	first := <-messages
	if first.Method != protocol.NotificationSubscriptionsAck || !strings.Contains(string(first.Params), `["test://a","test://c"]`) ||
		!strings.Contains(string(first.Params), `"toolsListChanged":true`) || !strings.Contains(string(first.Params), `subscriptionId":9`) {
		t.Errorf("first message %s", first.Raw)
	}
	seen := map[string]int{}
	for range 2 {
		seen[jsonrpc.Text(await(t, messages, protocol.NotificationResourcesUpdated).Params, "/uri")]++
	}
	if seen["test://a"] != 1 || seen["test://c"] != 1 {
		t.Errorf("updates %v", seen)
	}
	asked := "" // beside what the gateway's own conversation asks
	for _, m := range all["owner"].sent(protocol.MethodSubscriptionsListen) {
		asked += string(m.Params)
	}
	if !strings.Contains(asked, `"notifications":{"resourceSubscriptions":["test://a"]}`) || strings.Contains(asked, "test://c") {
		t.Errorf("owner was asked %s", asked)
	}
	eventually(t, "the foreign update is on record", func() bool { return len(h.events(audit.Query{Reason: string(ReasonForeign)})) > 0 })
	h.approvals.set(nil, h.approvals.All()[:1]...)
	if m := await(t, messages, protocol.NotificationToolsListChanged); !strings.Contains(string(m.Params), `subscriptionId":9`) {
		t.Errorf("untagged %s", m.Raw)
	}
	h.call("", 10, protocol.MethodSubscriptionsListen, `{"notifications":{"resourceSubscriptions":["test://nobody"]}}`).refused(t, http.StatusForbidden, ReasonEntryUnknown)
}
