package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// script is an upstream whose every byte a test decides. It speaks the modern
// era, or the legacy one with a session, and answers each method with a raw
// result; handlers take over where that is not enough.
type script struct {
	t       *testing.T
	legacy  bool
	mu      sync.Mutex
	results map[string]string
	handle  map[string]http.HandlerFunc
	got     []*jsonrpc.Message
	header  []http.Header
}

const sessionOfScript = "upstream-session-secret"

// tool is a listed tool as the scripts write it.
func tool(name, description string) string {
	return fmt.Sprintf(`{"name":%q,"description":%q,"inputSchema":{"type":"object"}}`, name, description)
}

func tools(list ...string) string {
	return `{"resultType":"complete","tools":[` + strings.Join(list, ",") + `],"ttlMs":3600000,"cacheScope":"public"}`
}

func newScript(t *testing.T) *script {
	return &script{t: t, results: map[string]string{
		protocol.MethodDiscover:               `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{},"resources":{}},"instructions":"Be brief."}`,
		protocol.MethodInitialize:             `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{},"resources":{}},"serverInfo":{"name":"script","version":"1"},"instructions":"Be brief."}`,
		protocol.MethodToolsList:              tools(tool("one", "The first."), tool("two", "The second.")),
		protocol.MethodPromptsList:            `{"resultType":"complete","prompts":[{"name":"ask","description":"Ask."},{"name":"other"}]}`,
		protocol.MethodResourcesList:          `{"resultType":"complete","resources":[{"uri":"test://a","name":"a"},{"uri":"test://b","name":"b"}]}`,
		protocol.MethodResourcesTemplatesList: `{"resultType":"complete","resourceTemplates":[{"uriTemplate":"test://rows/{id}","name":"row"}]}`,
		protocol.MethodToolsCall:              `{"resultType":"complete","content":[{"type":"text","text":"fine"}]}`,
		protocol.MethodPromptsGet:             `{"resultType":"complete","messages":[{"role":"user","content":{"type":"text","text":"hi"}}]}`,
		protocol.MethodResourcesRead:          `{"resultType":"complete","contents":[{"uri":"test://a","text":"content"}]}`,
	}, handle: map[string]http.HandlerFunc{}}
}

func (s *script) start() upstream.Target {
	server := httptest.NewServer(s)
	s.t.Cleanup(func() { closing.Server(server) })
	return upstream.Target{URL: server.URL}
}

// set changes what a method answers.
func (s *script) set(method, result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[method] = result
}

// on has a handler answer a method; the body has been read.
func (s *script) on(method string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle[method] = h
}

// hold has a method begin, and answer a result when released.
func (s *script) hold(method, result string) (began, release chan struct{}) {
	began, release = make(chan struct{}), make(chan struct{})
	s.on(method, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		answer(w, read(r), result)
	})
	return began, release
}

// streams opens a stream to whoever asks for one, and says nothing there.
func (s *script) streams() {
	s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
}

// sent are the messages of a method that arrived.
func (s *script) sent(method string) []*jsonrpc.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*jsonrpc.Message
	for _, m := range s.got {
		if m.Method == method {
			found = append(found, m)
		}
	}
	return found
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	key := r.Method
	m := &jsonrpc.Message{}
	if r.Method == http.MethodPost {
		var err error
		if m, err = jsonrpc.Parse(body, jsonrpc.Limits{}); err != nil {
			s.t.Errorf("upstream got %q: %v", body, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		key = m.Method
	}
	s.mu.Lock()
	s.got = append(s.got, m)
	s.header = append(s.header, r.Header.Clone())
	h, result := s.handle[key], s.results[key]
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	era := protocol.EraOf(r.Header.Get(protocol.HeaderProtocolVersion))
	switch {
	case h != nil:
		h(w, r)
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case m.Kind != jsonrpc.Request:
		w.WriteHeader(http.StatusAccepted)
	case (era == protocol.Modern) == s.legacy || result == "" || (m.Method == protocol.MethodInitialize) != s.legacy && m.Method == protocol.MethodInitialize:
		w.Header().Set("Content-Type", "application/json")
		if era == protocol.Modern {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Write(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil))
	default:
		w.Header().Set("Content-Type", "application/json")
		if m.Method == protocol.MethodInitialize {
			w.Header().Set(protocol.HeaderSessionID, sessionOfScript)
		}
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, result)
	}
}

// events answers with server-sent events, each a raw message. %s in a message
// is the id of the request.
func events(messages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id := "null"
		if m, err := jsonrpc.Parse(body, jsonrpc.Limits{}); err == nil && m.ID != nil {
			id = string(m.ID)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, message := range messages {
			fmt.Fprintf(w, "data: %s\n\n", strings.ReplaceAll(message, "%s", id))
			w.(http.Flusher).Flush()
		}
	}
}

// initialize opens a legacy session by hand and returns the header lines that
// belong to it.
func (h *house) initialize(alias string, header ...string) []string {
	h.t.Helper()
	r := h.raw(alias, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`, header...)
	if r.status != http.StatusOK {
		h.t.Fatalf("initialize: %d %s", r.status, r.body)
	}
	session := []string{"Mcp-Session-Id: " + r.header.Get(protocol.HeaderSessionID), "MCP-Protocol-Version: 2025-11-25"}
	if r := h.raw(alias, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, append(session, header...)...); r.status != http.StatusAccepted {
		h.t.Fatalf("initialized: %d %s", r.status, r.body)
	}
	return session
}

func withEnv(env ...string) upstream.Target {
	return upstream.Target{Command: []string{"/bin/true"}, Env: env}
}
