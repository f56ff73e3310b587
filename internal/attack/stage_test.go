package attack

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// stage is where the servers of the tests listen, each at a path.
type stage struct {
	server *httptest.Server
	mu     sync.Mutex
	actors map[string]*actor
}

func newStage() *stage {
	s := &stage{actors: map[string]*actor{}}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		a := s.actors[strings.TrimPrefix(r.URL.Path, "/")]
		s.mu.Unlock()
		if a == nil {
			http.NotFound(w, r)
			return
		}
		a.ServeHTTP(w, r)
	}))
	return s
}

func (s *stage) close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// actor is a server whose every byte a test decides. It speaks one era and
// notes all that arrives. Its tool <name>_act acts, <name>_look is approved as
// read-only, <name>_steer mirrors an argument in a header; what a call does is
// decided by the cue among its arguments.
type actor struct {
	name string
	era  protocol.Era

	mu       sync.Mutex
	results  map[string]string
	handlers map[string]http.HandlerFunc // by method, or HTTP method
	cues     map[string]http.HandlerFunc
	arrived  []arrival
	deaf     bool // notes nothing
}

// arrival is one request as it reached a server.
type arrival struct {
	method string // of the message, or of HTTP
	header http.Header
	wire   string // request line, header and body
	msg    *jsonrpc.Message
}

// Sessions with a server: any, and those of the clients that tests speak for.
const (
	upstreamSession = "session-of-the-server"
	visitorSession  = upstreamSession + "-with-a-visitor"
)

// sessionFor tells who opens a session: the gateway lists under its own name.
func sessionFor(m *jsonrpc.Message) string {
	if jsonrpc.Text(m.Params, "/clientInfo/name") == "t" {
		return visitorSession
	}
	return upstreamSession
}

func tool(name, description string, readOnly bool) string {
	return fmt.Sprintf(`{"name":%q,"description":%q,"inputSchema":{"type":"object"},"annotations":{"readOnlyHint":%t}}`, name, description, readOnly)
}

func tools(list ...string) string {
	return `{"resultType":"complete","tools":[` + strings.Join(list, ",") + `],"ttlMs":3600000,"cacheScope":"public"}`
}

// newActor puts a server on the stage, not yet published.
func (s *stage) newActor(name string, era protocol.Era) *actor {
	a := &actor{name: name, era: era, handlers: map[string]http.HandlerFunc{}, cues: map[string]http.HandlerFunc{}, results: map[string]string{
		protocol.MethodDiscover:   `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{},"resources":{}},"instructions":"Be brief with ` + name + `."}`,
		protocol.MethodInitialize: `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{},"resources":{"subscribe":true},"logging":{}},"serverInfo":{"name":"` + name + `","version":"1"},"instructions":"Be brief with ` + name + `."}`,
		protocol.MethodToolsList: tools(tool(name+"_act", "Moves the "+name+" on.", false), tool(name+"_look", "Shows where the "+name+" is.", true),
			`{"name":"`+name+`_steer","description":"Steers the `+name+`.","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}`),
		protocol.MethodPromptsList:            `{"resultType":"complete","prompts":[{"name":"` + name + `_ask"}]}`,
		protocol.MethodResourcesList:          `{"resultType":"complete","resources":[{"uri":"test://` + name + `/a","name":"a"}]}`,
		protocol.MethodResourcesTemplatesList: `{"resultType":"complete","resourceTemplates":[]}`,
		protocol.MethodToolsCall:              `{"resultType":"complete","content":[{"type":"text","text":"fine"}]}`,
		protocol.MethodPromptsGet:             `{"resultType":"complete","messages":[{"role":"user","content":{"type":"text","text":"hi"}}]}`,
		protocol.MethodResourcesRead:          `{"resultType":"complete","contents":[{"uri":"test://` + name + `/a","text":"content"}]}`,
		protocol.MethodPing:                   `{}`,
	}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors[name] = a
	return a
}

// cast puts a server on the stage and through the registry, and waits until
// the given gateways let its calls pass.
func (w *world) cast(t testing.TB, name string, era protocol.Era, before func(*actor), doors ...*door) *actor {
	t.Helper()
	a := w.stage.newActor(name, era)
	if before != nil {
		before(a)
	}
	if err := w.Admit(name, map[string]any{"remotes": []any{map[string]any{"type": "streamable-http", "url": w.stage.server.URL + "/" + name}}}); err != nil {
		t.Fatal(err)
	}
	for _, d := range append(doors, w.gate) {
		w.seen(t, d, a)
	}
	return a
}

// seen waits until a gateway knows that a server is approved.
func (w *world) seen(t testing.TB, d *door, a *actor) {
	t.Helper()
	eventually(t, a.name+" is served", func() bool {
		r := d.call(t, a.name, protocol.MethodToolsList, "")
		if a.era == protocol.Legacy {
			r = d.post(t, a.name, initialize)
		}
		return r.status == http.StatusOK
	})
}

// shared makes one server that many tests call, each with cues of its own.
func shared(era protocol.Era, name string) func(testing.TB, *world) *actor {
	var once sync.Once
	var a *actor
	return func(t testing.TB, w *world) *actor {
		t.Helper()
		once.Do(func() { a = w.cast(t, name, era, nil) })
		if a == nil {
			t.Fatalf("%s was not admitted", name)
		}
		return a
	}
}

// Servers that most tests share.
var (
	thePier  = shared(protocol.Modern, "pier")
	theFerry = shared(protocol.Legacy, "ferry")
)

// set changes what a method answers.
func (a *actor) set(method, result string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.results[method] = result
}

// on has a handler answer a method; nil ends that.
func (a *actor) on(method string, h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handlers[method] = h
}

// cue has a handler answer the calls whose argument cue is the name.
func (a *actor) cue(name string, h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cues[name] = h
}

// saw are the arrivals that contain a text anywhere.
func (a *actor) saw(text string) (found []arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, got := range a.arrived {
		if strings.Contains(got.wire, text) {
			found = append(found, got)
		}
	}
	return found
}

// untouched holds that a text never arrived.
func (a *actor) untouched(t testing.TB, text string) {
	t.Helper()
	if found := a.saw(text); len(found) > 0 {
		t.Errorf("the server saw %q: %.2000s", text, found[0].wire)
	}
}

func (a *actor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	got := arrival{method: r.Method, header: r.Header.Clone(), msg: &jsonrpc.Message{}}
	if r.Method == http.MethodPost {
		m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			m = got.msg
		}
		got.msg, got.method = m, m.Method
	}
	var wire strings.Builder
	fmt.Fprintf(&wire, "%s %s\n", r.Method, r.RequestURI)
	r.Header.Write(&wire)
	wire.Write(body)
	got.wire = wire.String()

	a.mu.Lock()
	if !a.deaf {
		a.arrived = append(a.arrived, got)
	}
	h, result := a.handlers[got.method], a.results[got.method]
	if cue := jsonrpc.Text(got.msg.Raw, "/params/arguments/cue"); cue != "" && a.cues[cue] != nil {
		h = a.cues[cue]
	}
	a.mu.Unlock()
	a.answer(w, r, got.msg, h, result)
}

func (a *actor) answer(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message, h http.HandlerFunc, result string) {
	era := protocol.Legacy
	if protocol.EraOf(r.Header.Get(protocol.HeaderProtocolVersion)) == protocol.Modern {
		era = protocol.Modern
	}
	switch {
	case h != nil:
		h(w, r)
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case m.Kind != jsonrpc.Request:
		w.WriteHeader(http.StatusAccepted)
	case era != a.era || result == "":
		w.Header().Set("Content-Type", "application/json")
		if era == protocol.Modern {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil))
	default:
		if m.Method == protocol.MethodInitialize {
			w.Header().Set(protocol.HeaderSessionID, sessionFor(m))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, result)
	}
}

// idOf is the id of the request that a handler answers.
func idOf(r *http.Request) jsontext.Value {
	body, _ := io.ReadAll(r.Body)
	if m, err := jsonrpc.Parse(body, jsonrpc.Limits{}); err == nil && m.ID != nil {
		return m.ID
	}
	return jsontext.Value("null")
}

// says answers a request with a raw result.
func says(result string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, idOf(r), result)
	}
}

// saysText answers a call with a text.
func saysText(text string) http.HandlerFunc {
	quoted, _ := jsontext.AppendQuote(nil, text)
	return says(`{"resultType":"complete","content":[{"type":"text","text":` + string(quoted) + `}]}`)
}

// streams answers with server-sent events, each a raw message. %s in a message
// is the id of the request.
func streams(messages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := string(idOf(r))
		w.Header().Set("Content-Type", "text/event-stream")
		for _, message := range messages {
			fmt.Fprintf(w, "data: %s\n\n", strings.ReplaceAll(message, "%s", id))
			w.(http.Flusher).Flush()
		}
	}
}

// readAll is the body of a request.
func readAll(r *http.Request) jsontext.Value {
	body, _ := io.ReadAll(r.Body)
	return body
}
