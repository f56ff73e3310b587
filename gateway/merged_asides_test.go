package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// What a server asks where no client listens, in the stream of the gateway's
// own initialize, is answered all the same.
func TestMergedAnswersWhatNobodyHears(t *testing.T) {
	h := open(t, auto)
	s := h.scripted(true, "srv")["srv"]
	hello := s.results[protocol.MethodInitialize]
	s.on(protocol.MethodInitialize, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(protocol.HeaderSessionID, sessionOfScript)
		events(`{"jsonrpc":"2.0","id":"early","method":"ping"}`, `{"jsonrpc":"2.0","id":%s,"result":`+hello+`}`)(w, r)
	})
	session := h.initialize("")
	if r := h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"srv__one"}}`, session...); r.status != http.StatusOK || !strings.Contains(string(r.body), "fine") || strings.Contains(string(r.body), "early") {
		t.Errorf("call: %d %s", r.status, r.body)
	}
	eventually(t, "the server was answered", func() bool {
		for _, m := range s.sent("") {
			if m.Kind == jsonrpc.Response && string(m.ID) == `"early"` && m.Error != nil {
				return true
			}
		}
		return false
	})
}

// A call that fails because the user must go somewhere first issues elicitation
// ids too: only that server may say that one is complete.
func TestMergedElicitationOfAnError(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(true, "good", "evil")
	fail := `{"jsonrpc":"2.0","id":%s,"error":{"code":-32042,"message":"Sign in.","data":{"elicitations":[{"mode":"url","elicitationId":"E","url":"https://example.com","message":"m"}]}}}`
	done := `{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"E"}}`
	fine := `{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`
	session := h.initialize("")
	call := func(name string) string {
		return string(h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+name+`"}}`, session...).body)
	}
	all["good"].on(protocol.MethodToolsCall, events(done, fine))
	if got := call("good__one"); strings.Contains(got, "elicitation/complete") {
		t.Errorf("an id that nobody issued is complete: %s", got)
	}
	all["good"].on(protocol.MethodToolsCall, events(fail))
	if got := call("good__one"); !strings.Contains(got, "Sign in.") {
		t.Fatalf("the error: %s", got)
	}
	all["evil"].on(protocol.MethodToolsCall, events(done, fine))
	if got := call("evil__one"); strings.Contains(got, "elicitation/complete") {
		t.Errorf("evil completed good's elicitation: %s", got)
	}
	all["good"].on(protocol.MethodToolsCall, events(done, fine))
	if got := call("good__one"); !strings.Contains(got, "elicitation/complete") {
		t.Errorf("good's own word was lost: %s", got)
	}
	if got := len(h.events(audit.Query{Reason: string(ReasonForeign)})); got != 2 {
		t.Errorf("%d attempts are on record, want 2", got)
	}
}

func TestMergedLogLevelIsOne(t *testing.T) {
	h := open(t, auto)
	s := h.scripted(true, "srv")["srv"]
	session := h.initialize("")
	h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"srv__one"}}`, session...)
	for _, params := range []string{`{"level":"loud"}`, `{}`, `{"level":3}`} {
		h.raw("", `{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":`+params+`}`, session...).refused(t, http.StatusBadRequest, ReasonInvalidParams)
	}
	if r := h.raw("", `{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"error"}}`, session...); r.status != http.StatusOK {
		t.Errorf("level: %d %s", r.status, r.body)
	}
	if got := s.sent(protocol.MethodLoggingSetLevel); len(got) != 1 || string(got[0].Params) != `{"level":"error"}` {
		t.Errorf("%d levels reached the server", len(got))
	}
}

// A server that is late with what all are told is on record as late; nobody left.
func TestMergedBroadcastIsLate(t *testing.T) {
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.MergePatience = 200 * time.Millisecond })
	all := h.scripted(true, "srv", "late")
	session := h.initialize("")
	for _, alias := range []string{"srv", "late"} {
		h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+alias+`__one"}}`, session...)
	}
	all["late"].on(protocol.MethodLoggingSetLevel, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if r := h.raw("", `{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"error"}}`, session...); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	late := audit.Query{Reason: string(ReasonUpstreamTimeout), Server: "io.example/late"}
	eventually(t, "a record that it was late", func() bool { return len(h.events(late)) == 1 })
	if got := h.events(audit.Query{Reason: string(ReasonClientGone)}); len(got) != 0 {
		t.Errorf("%d records of a client that left", len(got))
	}
}
