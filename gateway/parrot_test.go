package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// parrot is an upstream that reads and writes raw bytes: it keeps every message
// that arrives and puts the payload of a call, byte for byte, into everything
// that it says about it. It speaks both eras, over HTTP and over stdio.
type parrot struct {
	replies chan *jsonrpc.Message // answers to its own request

	mu  sync.Mutex
	got []*jsonrpc.Message
}

func newParrot() *parrot { return &parrot{replies: make(chan *jsonrpc.Message, 1)} }

// What a parrot says about a payload.
func parrotResult(payload string) string {
	return "{\r" + `"content":[{"type":"text","text":"fine"},{"type":"x-future","payload":` + payload + `}] ,"structuredContent":{"v":` + payload +
		`},"_meta":{"com.example/x":` + payload + `},"resultType":"complete","extra":` + payload + `}`
}
func parrotRead(payload string) string {
	return `{"extra":` + payload + `,"contents":[{"uri":"test://a","text":"content","extra":` + payload + `}],"resultType":"complete"}`
}
func parrotPrompt(payload string) string {
	return `{"messages":[{"role":"user","content":{"type":"x-future","payload":` + payload + `}}],"extra":` + payload + `,"resultType":"complete"}`
}
func parrotLog(payload string) string {
	return "{\"level\":\"info\",\r \"data\":" + payload + `,"_meta":{"com.example/x":` + payload + `},"extra":` + payload + `}`
}
func parrotProgress(payload, token string) string {
	return "{\r" + `"progress":1.50,"extra":` + payload + `,"progressToken":` + token + `,"total":3e0}`
}
func parrotAsk(payload string) string {
	return `{"message":"Which?","extra":` + payload + `,"requestedSchema":{"type":"object","properties":{}},"_meta":{"com.example/x":` + payload + `}}`
}
func parrotError(payload string) string {
	return `{"message":"no","data":` + payload + `,"code":-32050}`
}

// hear keeps a message and answers it, message by message. What a tool named
// "ask" needs from the client is a chance to see a reply.
func (p *parrot) hear(m *jsonrpc.Message, say func(raw string)) {
	p.mu.Lock()
	p.got = append(p.got, m)
	p.mu.Unlock()
	if m.Kind == jsonrpc.Response {
		p.replies <- m
		return
	}
	if m.Kind != jsonrpc.Request {
		return
	}
	payload := member(m, "/params/arguments/payload", "/params/payload", "/params/context/payload")
	result := func(r string) { say(`{"id":` + string(m.ID) + ` ,"jsonrpc":"2.0","result":` + r + `}`) }
	switch m.Method {
	case protocol.MethodInitialize:
		result(`{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{},"resources":{},"logging":{},"completions":{}},"serverInfo":{"name":"parrot","version":"1"}}`)
	case protocol.MethodDiscover:
		result(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{},"resources":{},"logging":{},"completions":{}}}`)
	case protocol.MethodToolsList:
		result(`{"resultType":"complete","tools":[` + tool("say", "Say it.") + "," + tool("talk", "Say it before.") + "," + tool("ask", "Ask first.") + "," + tool("fail", "Fail.") + "," + tool("die", "Die.") + `]}`)
	case protocol.MethodPromptsList:
		result(`{"resultType":"complete","prompts":[{"name":"ask"}]}`)
	case protocol.MethodResourcesList:
		result(`{"resultType":"complete","resources":[{"uri":"test://a","name":"a"}]}`)
	case protocol.MethodResourcesTemplatesList:
		result(`{"resultType":"complete","resourceTemplates":[]}`)
	case protocol.MethodResourcesRead:
		result(parrotRead(payload))
	case protocol.MethodPromptsGet:
		result(parrotPrompt(payload))
	case protocol.MethodToolsCall:
		switch jsonrpc.Text(m.Params, "/name") {
		case "talk":
			say(`{"params":` + parrotLog(payload) + `,"method":"notifications/message","jsonrpc":"2.0"}`)
			say(`{"jsonrpc":"2.0","method":"notifications/progress","params":` + parrotProgress(payload, member(m, "/params/_meta/progressToken")) + `}`)
		case "ask":
			say(`{"jsonrpc":"2.0","id":"ask-1","method":"elicitation/create","params":` + parrotAsk(payload) + `}`)
			<-p.replies
		case "die": // as a process; a test's own one must not
			os.Exit(1)
		case "fail":
			say(`{"jsonrpc":"2.0","error":` + parrotError(payload) + `,"id":` + string(m.ID) + `}`)
			return
		}
		result(parrotResult(payload))
	default:
		say(string(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil)))
	}
}

// member is the raw value at the first pointer that leads to one, "null" if none does.
func member(m *jsonrpc.Message, pointers ...jsontext.Pointer) string {
	for _, ptr := range pointers {
		if v, _, _, err := jsonrpc.Get(m.Raw, ptr); err == nil {
			return string(v)
		}
	}
	return "null"
}

// ServeHTTP speaks streamable HTTP: what comes alone is one JSON body, more is
// a stream.
func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	case m.Kind != jsonrpc.Request:
		p.hear(m, nil)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	streams := member(m, "/params/name") == `"talk"` || member(m, "/params/name") == `"ask"`
	if m.Method == protocol.MethodToolsCall && streams {
		w.Header().Set("Content-Type", "text/event-stream")
		p.hear(m, func(raw string) {
			for line := range strings.SplitSeq(strings.ReplaceAll(raw, "\r", "\n"), "\n") {
				fmt.Fprintf(w, "data: %s\n", line)
			}
			io.WriteString(w, "\n")
			w.(http.Flusher).Flush()
		})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if m.Method == protocol.MethodInitialize {
		w.Header().Set(protocol.HeaderSessionID, "parrot-session")
	}
	p.hear(m, func(raw string) { io.WriteString(w, raw) })
}

// parrotCommand makes the test binary a parrot, with the file in which it keeps
// what it hears.
const parrotCommand = "parrot"

// speak is the parrot as a process.
func (p *parrot) speak(logFile string) {
	log, err := os.OpenFile(logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(1)
	}
	var writing sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		m, err := jsonrpc.Parse([]byte(lines.Text()), jsonrpc.Limits{})
		if err != nil {
			os.Exit(1)
		}
		fmt.Fprintf(log, "%s\n", m.Raw)
		go p.hear(m, func(raw string) {
			writing.Lock()
			defer writing.Unlock()
			fmt.Println(strings.ReplaceAll(raw, "\n", " "))
		})
	}
}
