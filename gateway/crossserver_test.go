package gateway

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// shuffler is a server that gives back the nonce of every request, late and in
// another order than it was asked in. It speaks both eras, over HTTP and over
// stdio, and uses the ids of its clients as its own.
type shuffler struct {
	name string

	mu       sync.Mutex
	held     []chan struct{}
	waiting  map[string]chan *jsonrpc.Message // askers, by session and id
	sessions int
}

func newShuffler(name string) *shuffler {
	return &shuffler{name: name, waiting: map[string]chan *jsonrpc.Message{}}
}

// A few requests wait for each other, for a moment, and are let go in any order.
const (
	shuffled     = 5
	shufflerWait = 2 * time.Millisecond
)

func (s *shuffler) shuffle() {
	mine := make(chan struct{})
	s.mu.Lock()
	s.held = append(s.held, mine)
	switch n := len(s.held); {
	case n >= shuffled:
		s.letGo()
	case n == 1:
		time.AfterFunc(shufflerWait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.letGo()
		})
	}
	s.mu.Unlock()
	<-mine
}

func (s *shuffler) letGo() {
	rand.Shuffle(len(s.held), func(i, j int) { s.held[i], s.held[j] = s.held[j], s.held[i] })
	for _, c := range s.held {
		close(c)
	}
	s.held = nil
}

// asker is where the reply to a request of this server's goes.
func (s *shuffler) asker(session string, id jsontext.Value) chan *jsonrpc.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := session + " " + string(id)
	if s.waiting[key] == nil {
		s.waiting[key] = make(chan *jsonrpc.Message, 1)
	}
	return s.waiting[key]
}

func (s *shuffler) asked(session string, id jsontext.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, session+" "+string(id))
}

const shufflerCapabilities = `"capabilities":{"tools":{},"prompts":{},"resources":{},"completions":{}}`

func quiet(name string) string {
	return fmt.Sprintf(`{"name":%q,"inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}`, name)
}

// hear answers one message of a session.
func (s *shuffler) hear(session string, m *jsonrpc.Message, say func(raw string)) {
	result := func(format string, args ...any) {
		say(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"resultType":"complete",` + fmt.Sprintf(format, args...) + `}}`)
	}
	switch m.Method {
	case protocol.MethodInitialize:
		result(`"protocolVersion":"2025-11-25",%s,"serverInfo":{"name":"shuffler","version":"1"}`, shufflerCapabilities)
	case protocol.MethodDiscover:
		result(`"supportedVersions":["2026-07-28"],%s`, shufflerCapabilities)
	case protocol.MethodToolsList:
		result(`"tools":[%s,%s,%s]`, quiet("echo"), quiet("tell"), quiet("ask"))
	case protocol.MethodPromptsList:
		result(`"prompts":[{"name":"echo","arguments":[{"name":"nonce"}]}]`)
	case protocol.MethodResourcesList:
		result(`"resources":[]`)
	case protocol.MethodResourcesTemplatesList:
		result(`"resourceTemplates":[{"uriTemplate":"%s://{nonce}","name":"echo"}]`, s.name)
	case protocol.MethodPromptsGet:
		s.shuffle()
		result(`"messages":[{"role":"user","content":{"type":"text","text":%q}}]`, jsonrpc.Text(m.Params, "/arguments/nonce"))
	case protocol.MethodResourcesRead:
		s.shuffle()
		uri := jsonrpc.Text(m.Params, "/uri")
		_, nonce, _ := strings.Cut(uri, "://")
		result(`"contents":[{"uri":%q,"text":%q}]`, uri, nonce)
	case protocol.MethodCompletionComplete:
		s.shuffle()
		result(`"completion":{"values":[%q]}`, jsonrpc.Text(m.Params, "/argument/value"))
	case protocol.MethodToolsCall:
		s.call(session, m, say, result)
	default:
		say(string(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil)))
	}
}

func (s *shuffler) call(session string, m *jsonrpc.Message, say func(string), result func(string, ...any)) {
	nonce := jsonrpc.Text(m.Params, "/arguments/nonce")
	text := nonce
	s.shuffle()
	switch jsonrpc.Text(m.Params, "/name") {
	case "tell":
		token, _, _, err := jsonrpc.Get(m.Params, "/_meta/progressToken")
		for i := 0; err == nil && i < 2; i++ {
			say(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":%q}}`, token, i, nonce))
		}
	case "ask":
		if jsonrpc.Text(m.Params, "/_meta/io.modelcontextprotocol~1protocolVersion") == "" {
			replies := s.asker(session, m.ID)
			say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"elicitation/create","params":{"message":%q,"requestedSchema":{"type":"object","properties":{}}}}`, m.ID, nonce))
			reply := <-replies
			s.asked(session, m.ID)
			text += "|" + jsonrpc.Text(reply.Result, "/content/nonce")
			break
		}
		state := jsonrpc.Text(m.Params, "/requestState")
		if state == "" {
			say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"input_required","requestState":%q,"inputRequests":{"q":{"method":"elicitation/create","params":{"message":%q,"requestedSchema":{"type":"object","properties":{}}}}}}}`, m.ID, nonce, nonce))
			return
		}
		if text += "|" + jsonrpc.Text(m.Params, "/inputResponses/q/content/nonce"); state != nonce {
			text += "|" + state
		}
	}
	result(`"content":[{"type":"text","text":%q}]`, text)
}

// ServeHTTP speaks streamable HTTP. Where it streams, it also says what it was
// not asked: the answer to a request of somebody else's.
func (s *shuffler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	session := r.Header.Get(protocol.HeaderSessionID)
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	case m.Kind == jsonrpc.Response:
		s.asker(session, m.ID) <- m
		fallthrough
	case m.Kind == jsonrpc.Notification:
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if m.Method == protocol.MethodInitialize {
		s.mu.Lock()
		s.sessions++
		w.Header().Set(protocol.HeaderSessionID, fmt.Sprint("s", s.sessions))
		s.mu.Unlock()
	}
	if name := jsonrpc.Text(m.Params, "/name"); m.Method == protocol.MethodToolsCall && name != "echo" {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\n", `{"jsonrpc":"2.0","id":"somebody else's","result":{"content":[{"type":"text","text":"decoy"}]}}`)
		s.hear(session, m, func(raw string) {
			fmt.Fprintf(w, "data: %s\n\n", raw)
			w.(http.Flusher).Flush()
		})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	s.hear(session, m, func(raw string) { io.WriteString(w, raw) })
}

// shufflerCommand makes the test binary a shuffler with the given name.
const shufflerCommand = "shuffler"

// speak is the shuffler as a process: all sessions over one pipe.
func (s *shuffler) speak() {
	var writing sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		m, err := jsonrpc.Parse([]byte(lines.Text()), jsonrpc.Limits{})
		switch {
		case err != nil:
			os.Exit(1)
		case m.Kind == jsonrpc.Response:
			s.asker("", m.ID) <- m
		case m.Kind == jsonrpc.Request:
			go s.hear("", m, func(raw string) {
				writing.Lock()
				defer writing.Unlock()
				fmt.Println(raw)
			})
		}
	}
}

// shufflers serves four: over HTTP and over stdio, each era alone.
func (h *house) shufflers() (aliases []string) {
	h.t.Helper()
	for _, era := range []protocol.Era{protocol.Modern, protocol.Legacy} {
		name := "http-" + string(era)
		server := httptest.NewServer(newShuffler(name))
		h.t.Cleanup(func() { closing.Server(server) })
		h.approve(name, upstream.Target{URL: server.URL}, only(era))
		aliases = append(aliases, name)

		name = "pipe-" + string(era)
		h.approve(name, upstream.Target{Command: []string{self(h.t), shufflerCommand, name}}, only(era))
		aliases = append(aliases, name)
	}
	return aliases
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
