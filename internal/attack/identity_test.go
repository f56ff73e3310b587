package attack

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// swapped is a text with another last character.
func swapped(text string) string {
	last := byte('A')
	if text[len(text)-1] == last {
		last = 'B'
	}
	return text[:len(text)-1] + string(last)
}

// TestForeignSessions: the id of a session opens it for the principal, at the
// alias and for as long as it was given; nothing of an attempt reaches the server.
func TestForeignSessions(t *testing.T) {
	w := enter(t)
	thePier(t, w)
	ferry := theFerry(t, w)
	for _, alias := range []string{"ferry", "pier"} { // with a server of the same era, and bridged
		own := w.gate.visit(t, alias, w.alice)
		ended := w.gate.visit(t, alias, w.alice)
		if r := do(t, ended.request(t, http.MethodDelete, "")); r.status != http.StatusNoContent {
			t.Fatalf("DELETE: %d %s", r.status, r.body)
		}
		id := strings.TrimPrefix(own.header[0], "Mcp-Session-Id: ")
		for name, tt := range map[string]struct{ token, alias, id string }{
			"somebody else's":        {w.mallory, alias, id},
			"of another server":      {w.alice, map[string]string{"ferry": "pier", "pier": "ferry"}[alias], id},
			"at the merged endpoint": {w.alice, "", id},
			"ended":                  {w.alice, alias, strings.TrimPrefix(ended.header[0], "Mcp-Session-Id: ")},
			"the server's own":       {w.alice, alias, visitorSession},
			"cut short":              {w.alice, alias, id[:len(id)-1]},
			"longer":                 {w.alice, alias, id + "A"},
			"another":                {w.alice, alias, swapped(id)},
			"in capitals":            {w.alice, alias, strings.ToUpper(id)},
			"a path":                 {w.alice, alias, "../" + id},
			"with a comma":           {w.alice, alias, id + ", " + id},
		} {
			cue := fmt.Sprintf("foreign %s %s", alias, name)
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s_act","arguments":{"cue":%q}}}`, alias, cue)
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
				url := strings.TrimSuffix(w.gate.url+"/mcp/"+tt.alias, "/")
				r := do(t, newRequest(t, method, url, tt.token, body, "Mcp-Session-Id: "+tt.id, "MCP-Protocol-Version: 2025-11-25"))
				w.gate.refused(t, r, http.StatusNotFound, protocol.CodeInvalidRequest, "session_unknown")
			}
			ferry.untouched(t, `"`+cue+`"`)
			lasting.world.stage.actors["pier"].untouched(t, `"`+cue+`"`)
		}
		if r := own.call(t, 2, "tools/call", fmt.Sprintf(`{"name":"%s_act","arguments":{}}`, alias)); r.status != http.StatusOK {
			t.Errorf("the owner: %d %s", r.status, r.body)
		}
	}
}

// TestForeignEvents: an event id resumes the stream of the session that it was
// sent in, and no other.
func TestForeignEvents(t *testing.T) {
	w := enter(t)
	const note = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"secret of alice"}}`
	a := w.cast(t, "buoy", protocol.Legacy, func(a *actor) {
		a.on(http.MethodGet, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(rw, "id: stream-1\ndata: %s\n\n", note)
			rw.(http.Flusher).Flush()
			if r.Header.Get("Last-Event-Id") == "" {
				<-r.Context().Done()
			}
		})
	})
	alice, again, mallory := w.gate.visit(t, "buoy", w.alice), w.gate.visit(t, "buoy", w.alice), w.gate.visit(t, "buoy", w.mallory)
	resp, err := http.DefaultClient.Do(alice.request(t, http.MethodGet, "", "Accept: text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	event := ""
	for lines := bufio.NewScanner(resp.Body); event == "" && lines.Scan(); {
		event, _ = strings.CutPrefix(lines.Text(), "id: ")
		if !strings.HasPrefix(lines.Text(), "id: ") {
			event = ""
		}
	}
	resp.Body.Close()
	if event == "" || strings.Contains(event, "stream-1") {
		t.Fatalf("event id %q", event)
	}
	resume := func(v *visitor, id string) reply {
		return do(t, v.request(t, http.MethodGet, "", "Accept: text/event-stream", "Last-Event-Id: "+id))
	}
	for name, tt := range map[string]struct {
		v  *visitor
		id string
	}{
		"another principal":   {mallory, event},
		"another session":     {again, event},
		"the server's own":    {alice, "stream-1"},
		"changed":             {alice, swapped(event)},
		"cut short":           {alice, event[:len(event)-2]},
		"another value":       {alice, event[:strings.LastIndexByte(event, '.')+1] + "c3RyZWFtLTI"},
		"sealed for a state":  {alice, "bz1.AAAAAAAAAAAAAAAAAAAAAA.c3RyZWFtLTE"},
		"two in one":          {alice, event + "," + event},
		"with something more": {alice, event + "x"},
	} {
		r := resume(tt.v, tt.id)
		if e := w.gate.refused(t, r, http.StatusBadRequest, protocol.CodeInvalidRequest, "event_unknown"); strings.Contains(string(r.body), "secret of alice") {
			t.Errorf("%s: %+v", name, e)
		}
	}
	a.mu.Lock()
	for _, got := range a.arrived {
		if got.header.Get("Last-Event-Id") != "" {
			t.Errorf("the server was asked for %q", got.header.Get("Last-Event-Id"))
		}
	}
	a.mu.Unlock()
	if r := resume(alice, event); r.status != http.StatusOK || !strings.Contains(string(r.body), "secret of alice") {
		t.Errorf("the owner: %d %s", r.status, r.body)
	}
	if found := a.saw("Last-Event-Id: stream-1"); len(found) != 1 {
		t.Errorf("the server was resumed %d times", len(found))
	}
}

// TestForeignState (row 24): a requestState opens for the caller, server and
// entry that it was given to.
func TestForeignState(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	other := w.cast(t, "jetty", protocol.Modern, nil)
	pier.cue("state", says(`{"resultType":"input_required","inputRequests":{},"requestState":"state of alice"}`))
	state := jsonrpc.Text(w.gate.call(t, "pier", "tools/call", pier.act("state")).message(t).Raw, "/result/requestState")
	if state == "" {
		t.Fatal("no state")
	}
	retry := func(token, alias, tool, state, cue string) reply {
		body, header := modern("2", "tools/call", fmt.Sprintf(`{"name":%q,"arguments":{"cue":%q},"requestState":%q,"inputResponses":{}}`, tool, cue, state))
		return do(t, newRequest(t, http.MethodPost, w.gate.url+"/mcp/"+alias, token, body, header...))
	}
	for name, tt := range map[string]struct{ token, alias, tool, state string }{
		"another principal":      {w.mallory, "pier", "pier_act", state},
		"another tool":           {w.alice, "pier", "pier_look", state},
		"another server":         {w.alice, "jetty", "jetty_act", state},
		"changed":                {w.alice, "pier", "pier_act", state + "!"},
		"another state":          {w.alice, "pier", "pier_act", strings.Replace(state, "alice", "mallory", 1)},
		"as the server wrote it": {w.alice, "pier", "pier_act", "state of alice"},
		"sealed by nobody":       {w.alice, "pier", "pier_act", "bz1.AAAAAAAAAAAAAAAAAAAAAA.state of alice"},
		"empty":                  {w.alice, "pier", "pier_act", ""},
	} {
		cue := "foreign-state " + name
		w.gate.refused(t, retry(tt.token, tt.alias, tt.tool, tt.state, cue), http.StatusForbidden, protocol.CodeBlocked, "state_foreign")
		pier.untouched(t, `"`+cue+`"`)
		other.untouched(t, `"`+cue+`"`)
	}
	// A legacy client was never given one.
	r := w.gate.visit(t, "pier", w.alice).call(t, 3, "tools/call", fmt.Sprintf(`{"name":"pier_act","arguments":{"cue":"foreign-state legacy"},"requestState":%q}`, state))
	w.gate.refused(t, r, http.StatusForbidden, protocol.CodeBlocked, "state_foreign")
	pier.untouched(t, "foreign-state legacy")
	if r := retry(w.alice, "pier", "pier_act", state, "own-state"); r.status != http.StatusOK {
		t.Errorf("the owner: %d %s", r.status, r.body)
	}
	if got := pier.saw(`"own-state"`); len(got) != 1 || jsonrpc.Text(got[0].msg.Raw, "/params/requestState") != "state of alice" {
		t.Errorf("the server saw %d", len(got))
	}
}

// TestForeignReplies: a server's question to one client is answered by nobody
// else, and a task is nobody's who did not begin it.
func TestForeignReplies(t *testing.T) {
	w := enter(t)
	ferry := theFerry(t, w)
	asked := make(chan struct{})
	ferry.cue("ask", func(rw http.ResponseWriter, r *http.Request) {
		id := string(idOf(r))
		rw.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(rw, `data: {"jsonrpc":"2.0","id":"question-1","method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type":"object","properties":{}}}}`+"\n\n")
		rw.(http.Flusher).Flush()
		<-asked
		fmt.Fprintf(rw, `data: {"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`+"\n\n", id)
	})
	alice, again, mallory := w.gate.visit(t, "ferry", w.alice), w.gate.visit(t, "ferry", w.alice), w.gate.visit(t, "ferry", w.mallory)
	resp, err := http.DefaultClient.Do(alice.request(t, http.MethodPost, fmt.Sprintf(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":%s}`, ferry.act("ask"))))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), "question-1") {
	}
	for name, v := range map[string]*visitor{"another principal": mallory, "another session": again} {
		r := v.post(t, `{"jsonrpc":"2.0","id":"question-1","result":{"action":"accept","content":{"by":"`+name+`"}}}`)
		w.gate.refused(t, r, http.StatusBadRequest, protocol.CodeInvalidRequest, "reply_unexpected")
		ferry.untouched(t, `"by":"`+name)
	}
	if r := alice.post(t, `{"jsonrpc":"2.0","id":"question-1","result":{"action":"accept","content":{"by":"alice"}}}`); r.status != http.StatusAccepted {
		t.Errorf("the owner: %d %s", r.status, r.body)
	}
	r := alice.post(t, `{"jsonrpc":"2.0","id":"question-1","result":{"action":"accept","content":{"by":"alice again"}}}`)
	w.gate.refused(t, r, http.StatusBadRequest, protocol.CodeInvalidRequest, "reply_unexpected")
	ferry.untouched(t, "alice again")
	if len(ferry.saw(`"by":"alice"`)) != 1 {
		t.Error("the reply did not arrive once")
	}
	close(asked)
	for lines.Scan() {
	}
	for _, method := range []string{"tasks/get", "tasks/result", "tasks/cancel", "tasks/update"} {
		r := mallory.call(t, 6, method, `{"taskId":"task of alice"}`)
		if r.status != http.StatusForbidden && r.status != http.StatusNotFound && r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", method, r.status, r.body)
		}
		e := r.told(t)
		w.gate.onRecord(t, e.Data.AuditID, e.Data.Reason)
	}
	ferry.untouched(t, "task of alice")
}
