package gateway

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// corpus are values that a decoder and an encoder would not give back.
var corpus = map[string]string{
	"unknown members":  `{"x-future":{"a":[1,{"b":null}]},"":0,"$ref":"#/x","a.b/c~d":true,"__proto__":{"x":1},"constructor":[]}`,
	"integers":         `[9007199254740993,-9007199254740993,12345678901234567890123456789,0,-0]`,
	"numbers":          `[1E+2,1e-7,-0.0,0e0,1.0,1.50,12345678901234567890.000,1e308,5e-324,0.1000,1e400,-1e-400]`,
	"unicode":          `["é","e\u0301","😀","𐍈","\ufeff","a\u2028b\u2029c","ﷺ","\ud83d\ude00","\u0000","\u001f\u007f","ｆｕｌｌ","߷","\uffff"]`,
	"invisible":        "[\"a\u200bb\u2060c\u00add\",\"\u202eabc\u202c\",\"\ufeffx\"]",
	"escapes":          `["\u00e9","\/","\u0041","\"\\\b\f\n\r\t","\u0022\u005C\u002f","\uD83D\uDE00"]`,
	"escaped names":    `{"\u0061":1,"b\/c":2,"\u00e9":3,"\ud83d\ude00":4}`,
	"content blocks":   `[{"type":"x-hologram","data":"AAAA","mimeType":"x/y"},{"type":"text"},{"type":7},{},null,"text",[[]]]`,
	"nested meta":      `{"_meta":{"com.example/a":{"_meta":{"z":1,"a":{"_meta":{}}}},"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}`,
	"order":            `{"z":1,"a":2,"m":{"z":1,"a":2,"Z":3},"A":3,"10":1,"9":2}`,
	"white space":      "{ \"a\" :\t1 ,  \"b\":[ ] ,\"c\" : { } , \"d\":[ 1 ,2 ] }",
	"lines":            "{\n  \"a\": 1,\n\n  \"b\": [\n    2\n  ]\n}",
	"carriage returns": "{\r\n  \"a\": 1,\r  \"b\": [\r\n 2 ]}",
	"empty":            `{}`,
	"scalar":           `"just text"`,
	"deep":             strings.Repeat(`{"a":[`, 20) + "1" + strings.Repeat(`]}`, 20),
	"long":             `"` + strings.Repeat("0123456789abcde é", 8<<10) + `"`,
	"odd":              odd,
}

// wire is a way to the parrot. What a line or an event cannot hold, which is a
// line break between two tokens, arrives as other white space.
type wire struct {
	name   string
	target func(t *testing.T) upstream.Target
	heard  func(t *testing.T) []*jsonrpc.Message
	lines  bool // one message a line, which the gateway makes of what has more
}

func wires(t *testing.T) []wire {
	p, log := newParrot(), filepath.Join(t.TempDir(), "heard")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []wire{{
		name: "http",
		target: func(t *testing.T) upstream.Target {
			server := httptest.NewServer(p)
			t.Cleanup(func() { closing.Server(server) })
			return upstream.Target{URL: server.URL}
		},
		heard: func(*testing.T) []*jsonrpc.Message {
			p.mu.Lock()
			defer p.mu.Unlock()
			return append([]*jsonrpc.Message(nil), p.got...)
		},
	}, {
		name:  "stdio",
		lines: true,
		target: func(*testing.T) upstream.Target {
			return upstream.Target{Command: []string{self, parrotCommand, log}}
		},
		heard: func(t *testing.T) []*jsonrpc.Message {
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			var all []*jsonrpc.Message
			for line := range strings.Lines(string(text)) {
				m, err := jsonrpc.Parse([]byte(line), jsonrpc.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
			return all
		},
	}}
}

// there is what of a text a wire can hold on the way to the upstream.
func (w wire) there(text string) string {
	if w.lines {
		return strings.NewReplacer("\n", " ", "\r", " ").Replace(text)
	}
	return text
}

// back is what of a text comes back to the client: in an event lines end with
// LF only.
func back(text string, streamed bool) string {
	if streamed {
		return strings.ReplaceAll(text, "\r", "\n")
	}
	return text
}

// rawClient is a client that reads and writes raw bytes.
type rawClient struct {
	t       *testing.T
	h       *house
	alias   string
	era     protocol.Era
	server  protocol.Era // the era that the gateway speaks to the upstream
	session []string
}

// post sends a message and hands over what comes back, one by one.
func (c rawClient) post(method, entry, body string, hear func(m *jsonrpc.Message)) {
	c.t.Helper()
	header := http.Header{}
	for _, line := range c.session {
		name, value, _ := strings.Cut(line, ": ")
		header.Set(name, value)
	}
	if c.era == protocol.Modern {
		header = http.Header{}
		header.Set(protocol.HeaderProtocolVersion, protocol.VersionModern)
		header.Set(protocol.HeaderMethod, method)
		if entry != "" {
			header.Set(protocol.HeaderName, entry)
		}
	}
	target := upstream.Target{URL: c.h.url + "/mcp/" + c.alias, Header: http.Header{"Authorization": {"Bearer " + c.h.token}}}
	s, err := upstream.Post(c.t.Context(), target, []byte(body), header, upstream.Limits{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	for {
		ev, err := s.Next()
		if err != nil {
			return
		}
		m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
		if err != nil {
			c.t.Fatalf("%d %q: %v", s.Status, ev.Data, err)
		}
		hear(m)
	}
}

// TestCorpus sends every value of the corpus through the gateway, in every
// place of a message where a peer may put one: params and results, errors,
// notifications, the upstream's own requests and the replies to them. What
// arrives is what was sent, between the eras but for what only one of them has.
func TestCorpus(t *testing.T) {
	for _, w := range wires(t) {
		for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
			for _, server := range []protocol.Era{protocol.Legacy, protocol.Modern} {
				t.Run(w.name+"/"+string(era)+" to "+string(server), func(t *testing.T) {
					h := open(t, auto)
					h.serve("parrot", w.target(t), only(server))
					c := rawClient{t: t, h: h, alias: "parrot", era: era, server: server}
					if era == protocol.Legacy {
						c.session = h.initialize("parrot")
					}
					for name, payload := range corpus {
						t.Run(name, func(t *testing.T) {
							c.t = t
							c.roundTrips(w, payload)
						})
					}
				})
			}
		}
	}
}

// there is what of a modern request's params reaches a server of the other era,
// and what of a legacy request's is added for one.
func (c rawClient) there(params, payload string) string {
	switch {
	case c.era == c.server:
		return params
	case c.server == protocol.Legacy:
		for _, member := range []string{`"io.modelcontextprotocol/clientCapabilities":{},`, `"io.modelcontextprotocol/logLevel":"debug",`, `,"io.modelcontextprotocol/protocolVersion":"2026-07-28"`} {
			params = strings.Replace(params, member, "", 1)
		}
		return params
	}
	own := `"com.example/x":` + payload + `,"progressToken"`
	return strings.Replace(params, `"_meta":{`+own, `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},`+own, 1)
}

// back is that of results.
func (c rawClient) back(method, result string) string {
	switch {
	case c.era == c.server:
	case c.era == protocol.Legacy:
		return strings.Replace(result, `,"resultType":"complete"`, "", 1)
	case method == protocol.MethodResourcesRead:
		return strings.Replace(result, "{", `{"ttlMs":0,"cacheScope":"private",`, 1)
	}
	return result
}

// asked has a modern client asked by a legacy server.
func (c rawClient) asked(w wire, payload, params, result string) {
	c.t.Helper()
	params = strings.Replace(params, `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{}}`, 1)
	reply := `{"action":"accept","extra":` + payload + `,"content":{"v":"x"},"_meta":{"com.example/x":` + payload + `}}`
	var first, last *jsonrpc.Message
	c.post(protocol.MethodToolsCall, "ask", `{"params":`+params+`,"jsonrpc":"2.0","id":"c-1", "method":"tools/call"}`, func(m *jsonrpc.Message) { first = m })
	c.same("what the upstream asked", `{"resultType":"input_required","inputRequests":{"input":{"method":"elicitation/create","params":`+back(parrotAsk(w.there(payload)), !w.lines)+
		`}},"requestState":"`+jsonrpc.Text(first.Result, "/requestState")+`"}`, string(first.Result))
	retry := `{"inputResponses":{"input":` + reply + `},"requestState":"` + jsonrpc.Text(first.Result, "/requestState") + `",` + strings.TrimPrefix(params, "{")
	c.post(protocol.MethodToolsCall, "ask", `{"params":`+retry+`,"jsonrpc":"2.0","id":"c-2", "method":"tools/call"}`, func(m *jsonrpc.Message) { last = m })
	if last == nil || last.Error != nil {
		c.t.Fatalf("the retry was refused: %v", last)
	}
	c.same("a reply to the upstream", w.there(reply), string(c.lastHeard(w, "").Result))
	c.same("the result after a question", result, string(last.Result))
}

// trip is one request, and what must come back.
type trip struct {
	method, entry, params string
	result, fails         string
	before                map[string]string // params of what comes before the answer, by method
}

func (c rawClient) roundTrips(w wire, payload string) {
	meta := `"_meta":{"com.example/x":` + payload + `,"progressToken":"p/1"}`
	if c.era == protocol.Modern {
		meta = `"_meta":{"com.example/x":` + payload + `,"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"debug","progressToken":"p/1","io.modelcontextprotocol/protocolVersion":"2026-07-28"}`
	}
	call := func(tool string) string {
		return `{ "future":` + payload + `,"arguments":{"payload":` + payload + `,"z":1},"name":"` + tool + `",` + meta + `}`
	}
	heard := w.there(payload)
	trips := []trip{
		{method: protocol.MethodToolsCall, entry: "say", params: call("say"), result: parrotResult(heard)},
		{method: protocol.MethodToolsCall, entry: "fail", params: call("fail"), fails: parrotError(heard)},
		{method: protocol.MethodToolsCall, entry: "talk", params: call("talk"), result: parrotResult(heard), before: map[string]string{
			protocol.NotificationMessage: parrotLog(heard), protocol.NotificationProgress: parrotProgress(heard, `"p/1"`),
		}},
		{method: protocol.MethodPromptsGet, entry: "ask", params: `{"name":"ask","payload":` + payload + `,` + meta + `}`, result: parrotPrompt(heard)},
		{method: protocol.MethodResourcesRead, entry: "test://a", params: `{` + meta + `,"payload":` + payload + `,"uri":"test://a"}`, result: parrotRead(heard)},
	}
	if c.era == protocol.Legacy && c.server == protocol.Legacy {
		trips = append(trips, trip{method: protocol.MethodToolsCall, entry: "ask", params: call("ask"), result: parrotResult(heard),
			before: map[string]string{"elicitation/create": parrotAsk(heard)}})
	}
	if c.era == protocol.Modern && c.server == protocol.Legacy {
		c.asked(w, payload, call("ask"), back(parrotResult(heard), !w.lines))
	}
	for _, trip := range trips {
		c.travel(w, payload, trip)
	}
}

func (c rawClient) travel(w wire, payload string, trip trip) {
	c.t.Helper()
	streamed := trip.before != nil
	reply := `{"action":"accept","extra":` + payload + `,"content":{"v":"x"},"_meta":{"com.example/x":` + payload + `}}`
	before := map[string]string{}
	var last *jsonrpc.Message
	c.post(trip.method, trip.entry, `{"params":`+trip.params+`,"jsonrpc":"2.0","id":"c-1", "method":"`+trip.method+`"}`, func(m *jsonrpc.Message) {
		if m.Kind == jsonrpc.Response {
			last = m
			return
		}
		before[m.Method] = string(m.Params)
		if m.Kind == jsonrpc.Request {
			c.post("", "", `{"jsonrpc":"2.0","id":`+string(m.ID)+`,"result":`+reply+`}`, func(m *jsonrpc.Message) { c.t.Errorf("the reply was refused: %s", m.Raw) })
		}
	})
	what := trip.method + " " + trip.entry
	if trip.entry == "ask" && trip.method == protocol.MethodToolsCall {
		c.same("a reply to the upstream", w.there(reply), string(c.lastHeard(w, "").Result))
	}
	if last == nil {
		c.t.Fatalf("%s: no answer", what)
	}
	if trip.fails != "" {
		c.same("the error of "+what, back(trip.fails, streamed), string(last.Error))
	} else {
		c.same("the result of "+what, back(c.back(trip.method, trip.result), streamed), string(last.Result))
	}
	c.same("the params of "+what, c.there(w.there(trip.params), w.there(payload)), withToken(c.lastHeard(w, trip.method)))
	for method, params := range trip.before {
		c.same("the params of "+method, back(params, streamed), before[method])
	}
}

// lastHeard is the newest message of a method, or reply, that the parrot got.
func (c rawClient) lastHeard(w wire, method string) *jsonrpc.Message {
	c.t.Helper()
	all := w.heard(c.t)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Method == method {
			return all[i]
		}
	}
	c.t.Fatalf("nothing of %q arrived", method)
	return nil
}

// withToken puts the client's progress token back, for which a shared process
// gets one that no other client has: the one thing of a request that changes.
func withToken(m *jsonrpc.Message) string {
	v, start, end, err := jsonrpc.Get(m.Params, "/_meta/progressToken")
	if err != nil || v.Kind() != '0' {
		return string(m.Params)
	}
	return string(m.Params[:start]) + `"p/1"` + string(m.Params[end:])
}

func (c rawClient) same(what, want, got string) {
	c.t.Helper()
	if want != got {
		c.t.Errorf("%s:\narrived %.2000q,\n   sent %.2000q", what, got, want)
	}
}
