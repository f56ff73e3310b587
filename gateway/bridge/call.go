package bridge

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// call is one call of a modern client to a legacy server. A request that the
// server makes meanwhile becomes the answer to the client (input_required);
// the call waits, and the client's retry goes on with it.
type call struct {
	session *session
	method  string
	ctx     context.Context // of the call, which outlives each of its exchanges
	cancel  context.CancelCauseFunc
	answers Answers
	id      jsontext.Value // ours
	token   jsontext.Value // the client's progress token
	level   int            // of log messages that the client wants, -1 none

	asked  *jsonrpc.Message // the server's request that waits for the client
	rounds int
	done   bool
	timer  *time.Timer
	ended  sync.Once
}

// turn is one exchange with the client within a call.
type turn struct {
	*call
	m      *jsonrpc.Message // what the client sent
	parked bool             // the call waits for the client's next turn
}

// inputKey is our name for the one thing that a round asks for.
const inputKey = "input"

func (s *session) call(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	c := &call{session: s, method: m.Method, id: s.nextID(), level: -1}
	params, err := c.legacyParams(m.Params)
	if err != nil {
		return nil, err
	}
	if err := s.wantLevel(ctx, c.level); err != nil {
		return nil, err
	}
	fields := map[string]jsontext.Value{"id": c.id}
	if m.Params != nil {
		fields["params"] = params
	}
	raw, err := replaced(m, fields)
	if err != nil {
		return nil, err
	}
	request, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancelCause(s.ctx)
	stop := context.AfterFunc(ctx, func() { c.cancel(context.Cause(ctx)) })
	c.answers, err = s.send(c.ctx, request)
	stop()
	if err != nil {
		c.cancel(err)
		return nil, err
	}
	return &turn{call: c, m: m}, nil
}

// legacyParams takes out what only the modern era has.
func (c *call) legacyParams(params jsontext.Value) (jsontext.Value, error) {
	if params == nil {
		return nil, nil
	}
	params, err := without(params, "inputResponses", "requestState")
	meta := at(params, "_meta")
	if err != nil || meta == nil {
		return params, err
	}
	if meta.Kind() != '{' {
		return nil, fmt.Errorf("%w: _meta is no object", ErrParams)
	}
	c.level = slices.Index(levels, jsonrpc.Text(meta, jsontext.Pointer("").AppendToken(protocol.MetaLogLevel)))
	meta, err = without(meta, protocol.MetaProtocolVersion, protocol.MetaClientCapabilities, protocol.MetaClientInfo, protocol.MetaLogLevel)
	if err != nil {
		return nil, err
	}
	if token := at(meta, "progressToken"); token != nil { // two clients may use the same one
		c.token = token.Clone()
		if meta, err = with(meta, "progressToken", c.id); err != nil {
			return nil, err
		}
	}
	if members, err := jsonrpc.Members(meta); err == nil && len(members) == 0 {
		return without(params, "_meta")
	}
	return with(params, "_meta", meta)
}

// wantLevel has the server log what the least demanding client wants to read.
func (s *session) wantLevel(ctx context.Context, level int) error {
	s.mu.Lock()
	enough := level < 0 || s.level >= 0 && s.level <= level
	s.mu.Unlock()
	if enough || at(s.hello, "capabilities", "logging") == nil {
		return nil
	}
	_, err := s.ask(ctx, protocol.MethodLoggingSetLevel, jsontext.Value(`{"level":"`+levels[level]+`"}`))
	if err == nil {
		s.mu.Lock()
		s.level = level
		s.mu.Unlock()
	}
	return err
}

// Status is that of a success: errors are told in the message.
func (t *turn) Status() int { return http.StatusOK }

// Close ends the exchange, and with it the call unless it waits for input.
func (t *turn) Close() {
	if !t.parked {
		t.end()
	}
}

// end gives everything back; a call without an answer is cancelled.
func (c *call) end() {
	c.ended.Do(func() {
		if !c.done {
			go c.session.reply(jsonrpc.NewNotification(protocol.NotificationCancelled, map[string]any{"requestId": c.id}))
		}
		c.cancel(upstream.ErrClosed)
		c.answers.Close()
		c.session.release()
	})
}

// Next returns the next message for the client.
func (t *turn) Next(ctx context.Context) (upstream.Event, error) {
	stop := context.AfterFunc(ctx, func() { t.cancel(context.Cause(ctx)) })
	defer stop()
	for {
		raw, err := t.next()
		if raw != nil || err != nil {
			return upstream.Event{Data: raw}, err
		}
	}
}

func (t *turn) next() ([]byte, error) {
	failed := t.answers.Status() < 200 || t.answers.Status() > 299
	ev, err := t.answers.Next(t.ctx)
	switch {
	case err != nil && failed:
		return nil, upstream.StatusError(t.answers.Status())
	case err != nil || len(ev.Data) == 0:
		return nil, err
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
	own := err == nil && m.Kind == jsonrpc.Response && (idKey(m.ID) == idKey(t.id) || failed && string(orNull(m.ID)) == "null")
	switch {
	case failed && (!own || m.Error == nil):
		return nil, upstream.StatusError(t.answers.Status())
	case err != nil:
		return nil, broken("not a JSON-RPC message")
	case own:
		t.done = true
		return t.response(m)
	case m.Kind == jsonrpc.Request:
		return t.require(m)
	case m.Kind == jsonrpc.Notification:
		return t.notice(m)
	}
	return nil, nil
}

func (t *turn) response(m *jsonrpc.Message) ([]byte, error) {
	fields := map[string]jsontext.Value{"id": t.m.ID}
	var err error
	if m.Error == nil {
		if fields["result"], err = complete(t.m.Method, m.Result); err != nil {
			return nil, broken("a result that is no object")
		}
	} else if code, _ := m.Code(); code == protocol.CodeResourceNotFound {
		if fields["error"], err = with(m.Error, "code", strconv.AppendInt(nil, protocol.CodeInvalidParams, 10)); err != nil {
			return nil, err
		}
	}
	return replaced(m, fields)
}

// notice passes on what belongs to the call; the rest goes to those who
// subscribed to it.
func (c *call) notice(m *jsonrpc.Message) ([]byte, error) {
	switch m.Method {
	case protocol.NotificationProgress:
		if c.token == nil || string(at(m.Params, "progressToken")) != string(c.id) {
			return nil, nil
		}
		params, err := with(m.Params, "progressToken", c.token)
		if err != nil {
			return nil, err
		}
		return replaced(m, map[string]jsontext.Value{"params": params})
	case protocol.NotificationMessage:
		if level := slices.Index(levels, jsonrpc.Text(m.Params, "/level")); c.level < 0 || level < c.level {
			return nil, nil
		}
		return m.Raw, nil
	case protocol.NotificationCancelled, protocol.NotificationElicitationComplete:
		return nil, nil // the modern era has no server requests to speak of
	}
	if _, defined := protocol.Lookup(m.Method); !defined {
		return m.Raw, nil // an extension, for the steps to judge
	}
	c.session.announce(m)
	return nil, nil
}

// require turns a request of the server's into the answer that asks for input.
func (t *turn) require(m *jsonrpc.Message) ([]byte, error) {
	if m.Method == protocol.MethodPing {
		go t.session.reply(jsonrpc.NewResult(m.ID, nil))
		return nil, nil
	}
	capability, known := inputs[m.Method]
	offered := known && at(t.m.Params, "_meta", metaCapabilities, capability) != nil
	if !offered || !slices.Contains(asksInput, t.m.Method) {
		go t.session.reply(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "the client does not offer this", nil))
		return nil, nil
	}
	if t.rounds++; t.rounds > maxRounds {
		go t.session.reply(jsonrpc.NewError(m.ID, protocol.CodeInternalError, "the client was asked too often", nil))
		return nil, broken("input is asked for again and again")
	}
	t.asked = m
	return t.park()
}

// park answers the client with what the server asks for.
func (t *turn) park() ([]byte, error) {
	wanted := []byte(`{"method":"` + t.asked.Method + `"`)
	if t.asked.Params != nil {
		wanted = append(append(wanted, `,"params":`...), t.asked.Params...)
	}
	state := rand.Text()
	t.parked = true
	if err := t.session.servers.park(t.call, state); err != nil {
		t.parked = false
		go t.session.reply(jsonrpc.NewError(t.asked.ID, protocol.CodeInternalError, "too many calls wait for input", nil))
		return nil, err
	}
	result := `{"resultType":"input_required","inputRequests":{"` + inputKey + `":` + string(wanted) + `}},"requestState":"` + state + `"}`
	return jsonrpc.NewResult(t.m.ID, jsontext.Value(result)), nil
}

// resume gives the waiting server the input and goes on with the call.
func (c *call) resume(m *jsonrpc.Message) (Answers, error) {
	t := &turn{call: c, m: m}
	input := at(m.Params, "inputResponses", inputKey)
	if input == nil { // asked for again
		raw, err := t.park()
		if err != nil {
			c.end()
			return nil, err
		}
		return &single{raw: raw}, nil
	}
	if input.Kind() != '{' {
		c.end()
		return nil, ErrParams
	}
	ctx, cancel := context.WithTimeout(c.ctx, replyPatience)
	defer cancel()
	if err := c.session.tell(ctx, jsonrpc.NewResult(c.asked.ID, input)); err != nil {
		c.end()
		return nil, err
	}
	return t, nil
}

// replyPatience bounds how long a server takes to take what it asked for.
const replyPatience = 30 * time.Second
