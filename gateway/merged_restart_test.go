package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// forgetful is a legacy server that numbers its sessions, knows none of them
// after a restart, and says on the stream of each what it is subscribed to.
func forgetful(t *testing.T) (s *script, restart func()) {
	s = newScript(t)
	s.legacy = true
	var mu sync.Mutex
	n, gone := 0, make(chan struct{})
	uris := map[string][]string{}
	current := func(r *http.Request) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		id := r.Header.Get(protocol.HeaderSessionID)
		return id, uris[id] != nil
	}
	s.on(protocol.MethodInitialize, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		id := fmt.Sprint("s", n)
		uris[id] = []string{}
		mu.Unlock()
		w.Header().Set(protocol.HeaderSessionID, id)
		answer(w, read(r), `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{},"resources":{"subscribe":true}},"serverInfo":{"name":"script","version":"1"}}`)
	})
	s.on(protocol.MethodResourcesSubscribe, func(w http.ResponseWriter, r *http.Request) {
		id, _ := current(r)
		body := read(r)
		mu.Lock()
		uris[id] = append(uris[id], jsonrpc.Text(parsed(t, body).Params, "/uri"))
		mu.Unlock()
		answer(w, body, `{}`)
	})
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		if _, ok := current(r); !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, read(r), `{"content":[]}`)
	})
	s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		id, ok := current(r)
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		mu.Lock()
		ended, watched := gone, uris[id]
		mu.Unlock()
		for _, uri := range watched {
			events(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"`+uri+`","session":"`+id+`"}}`)(w, r)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	})
	return s, func() {
		mu.Lock()
		defer mu.Unlock()
		clear(uris)
		close(gone)
		gone = make(chan struct{})
	}
}

// A server restarts and knows its sessions no more. The client, who reads the
// stream of all servers, hears of its resource again, and calls go on.
func TestMergedSessionOutlivesARestart(t *testing.T) {
	h := open(t, auto)
	s, restart := forgetful(t)
	h.approve("srv", s.start())
	session := h.initialize("")
	h.raw("", `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}}`, session...)
	if r := h.raw("", `{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"test://a"}}`, session...); r.status != http.StatusOK {
		t.Fatalf("subscribe: %d %s", r.status, r.body)
	}
	messages := h.stream(http.MethodGet, "/mcp", "", session...)
	first := jsonrpc.Text(await(t, messages, protocol.NotificationResourcesUpdated).Params, "/session")
	before := len(s.sent(protocol.MethodLoggingSetLevel))
	restart()
	again := jsonrpc.Text(await(t, messages, protocol.NotificationResourcesUpdated).Params, "/session")
	if first == "" || again == first {
		t.Errorf("sessions %q and %q", first, again)
	}
	if n := len(s.sent(protocol.MethodLoggingSetLevel)); n != before+1 {
		t.Errorf("the log level came %d times, want once more than %d", n, before)
	}
	if r := h.raw("", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"srv__one"}}`, session...); r.status != http.StatusOK {
		t.Errorf("call: %d %s", r.status, r.body)
	}
	// What was unsubscribed stays so.
	if r := h.raw("", `{"jsonrpc":"2.0","id":4,"method":"resources/unsubscribe","params":{"uri":"test://a"}}`, session...); r.status != http.StatusOK && r.message(t).Error == nil {
		t.Errorf("unsubscribe: %d %s", r.status, r.body)
	}
	subscriptions := len(s.sent(protocol.MethodResourcesSubscribe))
	restart()
	eventually(t, "a further session", func() bool {
		return h.raw("", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"srv__one"}}`, session...).status == http.StatusOK
	})
	if n := len(s.sent(protocol.MethodResourcesSubscribe)); n != subscriptions {
		t.Errorf("%d subscriptions came after the client ended its own", n-subscriptions)
	}
}

// A modern subscription goes on when the server that it watches ends it, and
// ends for good where the server has none.
func TestMergedWatchGoesOn(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(false, "srv", "none")
	all["none"].set(protocol.MethodResourcesList, `{"resultType":"complete","resources":[{"uri":"test://none","name":"n"}]}`)
	all["none"].set(protocol.MethodResourcesTemplatesList, `{"resultType":"complete","resourceTemplates":[]}`)
	all["srv"].set(protocol.MethodResourcesTemplatesList, `{"resultType":"complete","resourceTemplates":[]}`)
	h.approvals.set(nil)
	for alias, s := range all {
		h.approve(alias, s.start())
	}
	all["srv"].on(protocol.MethodSubscriptionsListen, events(
		`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":{"resourceSubscriptions":["test://a"]}}}`,
		`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"uri":"test://a"}}`,
		`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":%s}}}`,
	))
	body, header := modern(9, protocol.MethodSubscriptionsListen, `{"notifications":{"resourceSubscriptions":["test://a","test://none"]}}`)
	messages := h.stream(http.MethodPost, "/mcp", body, header...)
	if first := <-messages; first.Method != protocol.NotificationSubscriptionsAck || !strings.Contains(string(first.Params), `["test://a"]`) {
		t.Errorf("first message %s", first.Raw)
	}
	for range 2 {
		if m := <-messages; m.Method != protocol.NotificationResourcesUpdated {
			t.Errorf("then %s", m.Raw)
		}
	}
	asked := 0
	for _, m := range all["none"].sent(protocol.MethodSubscriptionsListen) {
		if string(m.ID) == "9" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("a server without subscriptions was asked %d times", asked)
	}
}
