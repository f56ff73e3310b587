//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// odd is JSON that a decoder and an encoder would not give back.
const odd = `{ "z":1, "a":9007199254740993 ,"e":1E+2,"u":"\u00e9é\/\ud83d\ude00","n":null,"":[ {"b":1.50,"a":-0.0} ] }`

const visitorCapabilities = `{"roots":{"listChanged":true},"sampling":{"context":{},"tools":{}},"elicitation":{"form":{},"url":{}}}`

// visitor is a client that says every message in bytes of its own, and works
// through all that a server offers.
type visitor struct {
	t       *testing.T
	ctx     context.Context // of the whole visit
	name    string          // how it introduces itself
	target  upstream.Target
	era     protocol.Era
	header  http.Header // of the session
	id      atomic.Int64
	left    atomic.Bool // the session is over, or about to be
	mu      sync.Mutex
	replies map[string]int // to requests of the server, by method
	heard   map[string]int // notifications
}

// visit opens a conversation.
func visit(t *testing.T, ctx context.Context, endpoint string, era protocol.Era) *visitor {
	t.Helper()
	v := &visitor{t: t, ctx: ctx, name: "visitor-" + string(era), target: upstream.Target{URL: endpoint}, era: era, header: http.Header{}, replies: map[string]int{}, heard: map[string]int{}}
	if era == protocol.Modern {
		v.ask(ctx, protocol.MethodDiscover, "", nil)
		return v
	}
	params := `{"protocolVersion":"` + protocol.LatestLegacy + `","capabilities":` + visitorCapabilities +
		`,"clientInfo":{"name":"` + v.name + `","version":"1","x-future":` + odd + `}}`
	v.post(ctx, `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":`+params+`}`, http.Header{}, func(s *upstream.Stream, m *jsonrpc.Message) {
		if m.Error != nil {
			t.Fatalf("initialize: %s", m.Error)
		}
		v.header.Set(protocol.HeaderSessionID, s.Header.Get(protocol.HeaderSessionID))
		v.header.Set(protocol.HeaderProtocolVersion, jsonrpc.Text(m.Result, "/protocolVersion"))
	})
	v.tell(ctx, protocol.NotificationInitialized, "")
	v.listen(ctx)
	return v
}

// listen keeps the stream open on which a server speaks outside of requests.
func (v *visitor) listen(ctx context.Context) {
	s, err := upstream.OpenEvents(ctx, v.target, v.header, upstream.Limits{})
	if err != nil || s.Status != http.StatusOK {
		return // there is none
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			ev, err := s.Next()
			if err != nil {
				return
			}
			if m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{}); err == nil {
				v.hear(m)
			}
		}
	}()
	v.t.Cleanup(func() {
		s.Close()
		<-done
	})
}

// leave ends the session.
func (v *visitor) leave() {
	v.left.Store(true)
	if id := v.header.Get(protocol.HeaderSessionID); id != "" {
		endSession(v.t, v.target.URL, id)
	}
}

// post sends a message and hands over the answers to it.
func (v *visitor) post(ctx context.Context, body string, header http.Header, answer func(*upstream.Stream, *jsonrpc.Message)) {
	s, err := upstream.Post(ctx, v.target, []byte(body), header, upstream.Limits{})
	if err != nil {
		if ctx.Err() == nil { // what a server says after the visit is not answered
			v.t.Errorf("%.200s: %v", body, err)
		}
		return
	}
	defer s.Close()
	for {
		ev, err := s.Next()
		if err != nil {
			return
		}
		m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
		if err != nil {
			if len(ev.Data) > 0 {
				v.t.Errorf("%.200s: %d %.200q: %v", body, s.Status, ev.Data, err)
			}
			continue
		}
		if m.Kind == jsonrpc.Response {
			answer(s, m)
			continue
		}
		v.hear(m)
	}
}

// ask sends a request with white space and _meta that nobody would write, and
// goes on as long as the server asks for input. Members are those of params.
func (v *visitor) ask(ctx context.Context, method, members string, during func(id string)) *jsonrpc.Message {
	v.t.Helper()
	input := ""
	for {
		id := fmt.Sprintf("v-%d", v.id.Add(1))
		meta := `{ "com.example/x" :` + odd + `,"progressToken":"` + id + `"`
		if v.era == protocol.Modern {
			meta += `,"` + protocol.MetaProtocolVersion + `":"` + protocol.VersionModern + `","` + protocol.MetaLogLevel + `":"debug","` +
				protocol.MetaClientCapabilities + `":` + visitorCapabilities + `,"` + protocol.MetaClientInfo + `":{"name":"` + v.name + `","version":"1"}`
		}
		params := `{ ` + members + input + `"_meta":` + meta + ` } }`
		header := v.header.Clone()
		if v.era == protocol.Modern {
			header = upstream.RequestHeader(protocol.VersionModern, method, jsontext.Value(params))
		}
		if during != nil {
			go during(id)
		}
		var got *jsonrpc.Message
		v.post(ctx, `{"params": `+params+`,"id":"`+id+`" , "method":"`+method+`","jsonrpc":"2.0"}`, header, func(_ *upstream.Stream, m *jsonrpc.Message) { got = m })
		if got == nil || got.Result == nil || jsonrpc.Text(got.Result, "/resultType") != "input_required" {
			return got
		}
		input = v.inputs(got.Result)
	}
}

// inputs answers what a modern server asks for.
func (v *visitor) inputs(result jsontext.Value) string {
	responses := []string{}
	if wanted, _, _, err := jsonrpc.Get(result, "/inputRequests"); err == nil {
		members, err := jsonrpc.Members(wanted)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, m := range members {
			params, _, _, _ := jsonrpc.Get(m.Value, "/params")
			responses = append(responses, `"`+m.Name+`" : `+v.reply(jsonrpc.Text(m.Value, "/method"), params))
		}
	}
	input := `"inputResponses":{` + strings.Join(responses, ",") + `},`
	if state, _, _, err := jsonrpc.Get(result, "/requestState"); err == nil {
		input += `"requestState":` + string(state) + `,`
	}
	return input
}

// cancel begins a call and cancels it when it makes progress.
func (v *visitor) cancel(ctx context.Context, members string) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	before := v.progress()
	v.ask(ctx, protocol.MethodToolsCall, members, func(id string) {
		defer giveUp() // nobody answers a call that was cancelled
		for v.progress() == before && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		v.tell(ctx, protocol.NotificationCancelled, `{ "reason":"\u00e9","requestId":"`+id+`"}`)
	})
}

func (v *visitor) progress() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.heard[protocol.NotificationProgress]
}

// subscribe opens the modern stream of changes until the test ends.
func (v *visitor) subscribe(ctx context.Context, resources []jsontext.Value) {
	uris := ""
	if len(resources) > 0 {
		uris = `,"resourceSubscriptions":["` + jsonrpc.Text(resources[0], "/uri") + `"]`
	}
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.ask(ctx, protocol.MethodSubscriptionsListen, `"notifications":{"toolsListChanged": true,"promptsListChanged":true,"resourcesListChanged":true`+uris+`},`, nil)
	}()
	v.t.Cleanup(func() {
		end()
		<-done
	})
}

// tell sends a notification.
func (v *visitor) tell(ctx context.Context, method, params string) {
	if params != "" {
		params = `,"params":` + params
	}
	v.post(ctx, `{"jsonrpc":"2.0","method":"`+method+`"`+params+`}`, v.header, func(s *upstream.Stream, m *jsonrpc.Message) {
		v.t.Errorf("%s: %d %s", method, s.Status, m.Raw)
	})
}

// hear takes what a server says by itself.
func (v *visitor) hear(m *jsonrpc.Message) {
	if m.Kind == jsonrpc.Notification {
		v.mu.Lock()
		v.heard[m.Method]++
		v.mu.Unlock()
		return
	}
	if m.Kind == jsonrpc.Request {
		v.post(v.ctx, `{"jsonrpc":"2.0","id":`+string(m.ID)+`,"result":`+v.reply(m.Method, m.Params)+`}`, v.header, func(s *upstream.Stream, m *jsonrpc.Message) {
			if !v.left.Load() { // who asks at the end finds nobody
				v.t.Errorf("a reply was refused: %d %s", s.Status, m.Raw)
			}
		})
	}
}

// reply is what a person or a model would say.
func (v *visitor) reply(method string, params jsontext.Value) string {
	v.mu.Lock()
	v.replies[method]++
	v.mu.Unlock()
	meta := `"_meta":{ "com.example/x":` + odd + `}`
	switch method {
	case "sampling/createMessage":
		return `{"role":"assistant", "model":"m-\u00e9","content":{"type":"text","text":"\u00e9é\/"},"stopReason":"endTurn",` + meta + `}`
	case "elicitation/create":
		schema, _, _, err := jsonrpc.Get(params, "/requestedSchema")
		if err != nil {
			return `{"action":"accept",` + meta + `}`
		}
		return `{"action":"accept","content": ` + filled(v.t, schema, true) + `,` + meta + `}`
	case "roots/list":
		return `{"roots":[ {"uri":"file:///srv/\u00e9","name":"é"} ],` + meta + `}`
	}
	return `{}`
}

// filled is an object that a JSON Schema takes, all of it or what it demands.
func filled(t *testing.T, schema jsontext.Value, all bool) string {
	t.Helper()
	var s struct {
		Required   []string                  `json:"required"`
		Properties map[string]jsontext.Value `json:"properties"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		t.Fatalf("schema: %v: %s", err, schema)
	}
	required := map[string]bool{}
	for _, name := range s.Required {
		required[name] = true
	}
	object := map[string]jsontext.Value{}
	for name, property := range s.Properties {
		if all || required[name] {
			object[name] = sample(t, property)
		}
	}
	text, err := json.Marshal(object, json.Deterministic(true), jsontext.SpaceAfterComma(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sample is a value that a property takes.
func sample(t *testing.T, property jsontext.Value) jsontext.Value {
	t.Helper()
	var p struct {
		Type    any              `json:"type"`
		Default jsontext.Value   `json:"default"`
		Enum    []jsontext.Value `json:"enum"`
		OneOf   []struct {
			Const jsontext.Value `json:"const"`
		} `json:"oneOf"`
		Format  string         `json:"format"`
		Minimum jsontext.Value `json:"minimum"`
		Items   jsontext.Value `json:"items"`
	}
	if err := json.Unmarshal(property, &p); err != nil {
		t.Fatalf("schema: %v: %s", err, property)
	}
	switch {
	case p.Default != nil && p.Default.Kind() != 'n':
		return p.Default
	case len(p.Enum) > 0:
		return p.Enum[0]
	case len(p.OneOf) > 0 && p.OneOf[0].Const != nil:
		return p.OneOf[0].Const
	case p.Minimum != nil:
		return p.Minimum
	}
	switch p.Type {
	case "integer", "number":
		return jsontext.Value("1")
	case "boolean":
		return jsontext.Value("true")
	case "array":
		return jsontext.Value("[]")
	case "object":
		return jsontext.Value(filled(t, property, false))
	}
	switch p.Format {
	case "email":
		return jsontext.Value(`"a@example.com"`)
	case "uri":
		return jsontext.Value(`"https://example.com/"`)
	case "date":
		return jsontext.Value(`"2026-01-02"`)
	case "date-time":
		return jsontext.Value(`"2026-01-02T03:04:05Z"`)
	}
	return jsontext.Value(`"1"`)
}
