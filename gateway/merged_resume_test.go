package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// eventIDs reads the merged stream until each of the texts came, and returns
// the ids that they came with, and the last id of all.
func (h *house) eventIDs(session []string, texts ...string) (ids map[string]string, last string) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.all(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+h.token)
	for _, line := range session {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	ids = map[string]string{}
	for lines := bufio.NewScanner(resp.Body); len(ids) < len(texts) && lines.Scan(); {
		if sealed, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			last = sealed
		}
		for _, text := range texts {
			if strings.Contains(lines.Text(), text) {
				ids[text] = last
			}
		}
	}
	return ids, last
}

// resumable has a server write one event with an id, and tell after which event
// it is asked to go on.
func resumable(alias string, s *script) <-chan string {
	resumed := make(chan string, 16)
	s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if last := r.Header.Get(protocol.HeaderLastEventID); last != "" {
			resumed <- last
		}
		fmt.Fprintf(w, "id: e-%s\ndata: %s\n\n", alias, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"of `+alias+`"}}`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	return resumed
}

// The last event id of the merged stream leads back to where every server was,
// for the session that it was given to.
func TestMergedStreamResumes(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(true, "alpha", "beta")
	resumed := map[string]<-chan string{}
	for alias, s := range all {
		resumed[alias] = resumable(alias, s)
	}
	session := h.initialize("")
	for _, alias := range []string{"alpha", "beta"} {
		h.raw("", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s__one"}}`, alias), session...)
	}
	ids, last := h.eventIDs(session, `"of alpha"`, `"of beta"`)
	if len(ids) != 2 || last == "" || strings.Contains(last, "beta") {
		t.Fatalf("event ids %v, last %q", ids, last)
	}
	first := ids[`"of alpha"`]
	if first == last {
		first = ids[`"of beta"`]
	}
	h.stream(http.MethodGet, "/mcp", "", append(session, "Last-Event-ID: "+last)...)
	for alias, r := range resumed {
		if got := <-r; got != "e-"+alias {
			t.Errorf("%s was asked for what came after %q", alias, got)
		}
	}
	h.stream(http.MethodGet, "/mcp", "", append(session, "Last-Event-ID: "+first)...)
	select { // the server that had spoken by then
	case got := <-resumed["alpha"]:
		if first != ids[`"of alpha"`] {
			t.Errorf("alpha was asked for what came after %q", got)
		}
	case got := <-resumed["beta"]:
		if first != ids[`"of beta"`] {
			t.Errorf("beta was asked for what came after %q", got)
		}
	}
	// Another session's, another caller's and made up ids lead nowhere.
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	others := [][]string{h.initialize(""), append(h.initialize("", mallory), mallory)}
	for _, other := range others {
		for _, forged := range []string{last, first, "e-beta", "stream beta 1 6 e-beta", last[:len(last)-1], last + "A"} {
			h.do(http.MethodGet, "/mcp", "", append(other, "Last-Event-ID: "+forged)...).refused(t, http.StatusBadRequest, ReasonEventUnknown)
		}
	}
	h.do(http.MethodGet, "/mcp/alpha", "", append(h.initialize("alpha"), "Last-Event-ID: "+last)...).refused(t, http.StatusBadRequest, ReasonEventUnknown)
	h.do(http.MethodGet, "/mcp", "", append(session, mallory, "Last-Event-ID: "+last)...).refused(t, http.StatusNotFound, ReasonSessionUnknown)
	h.do(http.MethodPost, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, append(session, "Last-Event-ID: "+last)...).refused(t, http.StatusBadRequest, ReasonEventUnknown)
}

// An answer that broke off is taken up at the one server that gives it; the
// streams of the others are not touched.
func TestMergedAnswerResumes(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(true, "alpha", "beta")
	all["beta"].on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "id: call-1\ndata: %s\n\n", `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"working"}}`)
	})
	streams := make(chan string, 8)
	for alias, s := range all {
		s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
			if last := r.Header.Get(protocol.HeaderLastEventID); last != "" {
				streams <- alias + " " + last
			}
			events(`{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"late"}]}}`)(w, r)
		})
	}
	session := h.initialize("")
	h.raw("", `{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"alpha__one"}}`, session...)
	broken := h.raw("", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"beta__one"}}`, session...)
	id := ""
	for line := range strings.SplitSeq(string(broken.body), "\n") {
		if sealed, ok := strings.CutPrefix(line, "id: "); ok {
			id = sealed
		}
	}
	if id == "" || strings.Contains(string(broken.body), `"id":7`) {
		t.Fatalf("the broken answer: %d %s", broken.status, broken.body)
	}
	r := h.do(http.MethodGet, "/mcp", "", append(session, "Last-Event-ID: "+id)...)
	if r.status != http.StatusOK || !strings.Contains(string(r.body), `"late"`) {
		t.Errorf("resumed: %d %s", r.status, r.body)
	}
	if got := <-streams; got != "beta call-1" || len(streams) != 0 {
		t.Errorf("asked %q and %d more", got, len(streams))
	}
	// The conversation that it belonged to is over: it is not asked of another.
	h.closeSessionsAt("beta")
	h.raw("", `{"jsonrpc":"2.0","id":8,"method":"tools/list"}`, session...)
	h.raw("", `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"beta__one"}}`, session...)
	h.do(http.MethodGet, "/mcp", "", append(session, "Last-Event-ID: "+id)...).refused(t, http.StatusBadRequest, ReasonEventUnknown)
}

// closeSessionsAt ends every conversation with one server.
func (h *house) closeSessionsAt(alias string) {
	h.sessions.closeIf(func(s *session) bool { return s.alias == alias })
}
