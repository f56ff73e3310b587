package bridge

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// call is one call of a modern client to a legacy server. It may take several
// turns: a request that the server makes meanwhile becomes the answer to the
// client (input.go), and the client's retry goes on with the call.
type call struct {
	session *session
	method  string
	request digest          // of what the client asks for
	ctx     context.Context // of the call, which outlives each of its turns
	cancel  context.CancelCauseFunc
	id      jsontext.Value        // ours
	said    chan arrival          // what the server says to it
	asides  chan *jsonrpc.Message // what the server says on the session's stream meanwhile

	wishes       // of the current turn; the level is the session's to read
	waiting bool // for input; the session's to read
	asked   *jsonrpc.Message
	rounds  int
	done    bool
	wake    func() // stops what would end the call while it waits
	ended   sync.Once
}

// arrival is the next message, or why there is none.
type arrival struct {
	m   *jsonrpc.Message
	err error
}

func (s *session) call(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	c := &call{
		session: s, method: m.Method, request: requestDigest(m.Params), id: s.nextID(),
		said: make(chan arrival), asides: make(chan *jsonrpc.Message, maxAsides),
	}
	params, wanted, err := legacyParams(m.Method, m.Params)
	if err != nil {
		return nil, err
	}
	if c.wishes = wanted; c.token != nil { // two clients may use the same one
		meta, err := with(at(params, "_meta"), "progressToken", c.id)
		if err != nil {
			return nil, err
		}
		if params, err = with(params, "_meta", meta); err != nil {
			return nil, err
		}
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
	if err := s.wantLevel(ctx, c.level); err != nil {
		return nil, err
	}
	if slices.Contains(asksInput, m.Method) {
		s.hear(ctx)
	}
	return c.begin(ctx, request, m)
}

// begin sends the call. Its context has the values of the first turn's, and the
// life of the session.
func (c *call) begin(ctx context.Context, request, m *jsonrpc.Message) (Answers, error) {
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	unbind := context.AfterFunc(c.session.ctx, func() { c.cancel(context.Cause(c.session.ctx)) })
	stop := context.AfterFunc(ctx, func() { c.cancel(context.Cause(ctx)) })
	defer stop()
	c.session.add(c)
	answers, err := c.session.send(c.ctx, request)
	if err != nil {
		unbind()
		c.cancel(err)
		c.session.remove(c)
		return nil, err
	}
	go func() {
		defer unbind()
		c.read(&resumed{session: c.session, Answers: answers})
	}()
	return &turn{call: c, m: m}, nil
}

// wantLevel has the server log what the least demanding call wants to read.
func (s *session) wantLevel(ctx context.Context, level int) error {
	if level < 0 || at(s.hello, "capabilities", "logging") == nil {
		return nil
	}
	if err := s.leveling.enter(ctx); err != nil {
		return err
	}
	defer s.leveling.leave()
	if s.level >= 0 && s.level <= level {
		return nil
	}
	_, err := s.ask(ctx, protocol.MethodLoggingSetLevel, jsontext.Value(`{"level":"`+levels[level]+`"}`))
	if err == nil {
		s.level = level
	}
	return err
}

// read takes what the server says to the call, up to the response.
func (c *call) read(answers Answers) {
	defer func() { answers.Close() }()
	for {
		m, err := c.message(answers)
		if m == nil && err == nil {
			continue
		}
		select {
		case c.said <- arrival{m, err}:
		case <-c.ctx.Done():
			return
		}
		if err != nil || m.Kind == jsonrpc.Response {
			return
		}
	}
}

// message returns the next message of an answer; nil for what is none of this
// call's.
func (c *call) message(answers Answers) (*jsonrpc.Message, error) {
	status := answers.Status()
	failed := status < 200 || status > 299
	ev, err := answers.Next(c.ctx)
	if err == nil && len(ev.Data) == 0 {
		return nil, nil
	}
	var m *jsonrpc.Message
	if err == nil {
		if m, err = jsonrpc.Parse(ev.Data, jsonrpc.Limits{}); err != nil {
			err = broken("not a JSON-RPC message")
		}
	}
	response := err == nil && m.Kind == jsonrpc.Response
	own := response && idKey(m.ID) == idKey(c.id)
	if failed && !own && status == http.StatusBadRequest {
		c.session.servers.retire(c.session) // there are servers that say so of a session they do not know
	}
	switch {
	case failed && response && m.Error != nil && (own || string(orNull(m.ID)) == "null"):
		return m, nil
	case failed:
		return nil, upstream.StatusError(status)
	case err != nil:
		return nil, err
	case response && !own:
		return nil, nil
	}
	return m, nil
}

// end gives everything back. A call without an answer is cancelled, and what
// the server still asks is answered.
func (c *call) end() {
	c.ended.Do(func() {
		for _, m := range c.session.remove(c) { // the client was not asked: another call may have meant it
			if !c.session.hand(m, mayAsk) {
				c.session.reply(jsonrpc.NewError(m.ID, protocol.CodeInternalError, "nobody gave the input", nil))
			}
		}
		if c.asked != nil {
			c.decline(protocol.CodeInternalError, "nobody gave the input")
		}
		if !c.done {
			go c.session.mention(jsonrpc.NewNotification(protocol.NotificationCancelled, map[string]any{"requestId": c.id}))
		}
		c.cancel(upstream.ErrClosed)
		c.session.release()
	})
}
