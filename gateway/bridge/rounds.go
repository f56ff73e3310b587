package bridge

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Bounds of one call that asks for input (2026-07-28, multi round-trip requests).
const (
	maxRounds = 16
	maxInputs = 32 // in one round
	firstWait = 100 * time.Millisecond
)

// rounds is one call of a legacy client to a modern server. What the server
// asks for in its results becomes requests to the client, and the client's
// replies go back in the next try. The server's requestState never leaves here.
type rounds struct {
	client *Client
	ask    Ask
	ctx    context.Context
	cancel context.CancelCauseFunc
	m      *jsonrpc.Message // as the client sent it
	params jsontext.Value   // of the first try

	id      jsontext.Value // of the current try
	current Answers
	tries   int
	out     [][]byte // requests that the client has not seen yet
	inputs  []input  // what the current round asks for
	state   jsontext.Value
	replies chan *jsonrpc.Message
	asking  bool
}

// input is one thing that the server asks for.
type input struct {
	key    string // the server's name for it
	method string
	id     string // ours
	reply  *jsonrpc.Message
}

func (c *Client) call(ctx context.Context, ask Ask, m *jsonrpc.Message) (Answers, error) {
	params, err := c.params(m.Params)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if err := c.begin(m.ID, cancel); err != nil {
		cancel(err)
		return nil, err
	}
	r := &rounds{client: c, ask: ask, ctx: ctx, cancel: cancel, m: m, params: params}
	if err := r.try(params); err != nil {
		err = r.failure(err)
		r.Close()
		return nil, err
	}
	return r, nil
}

// try sends the request once more, under a new id.
func (r *rounds) try(params jsontext.Value) error {
	r.id = r.client.nextID()
	raw, err := replaced(r.m, map[string]jsontext.Value{"id": r.id, "params": params})
	if err != nil {
		return err
	}
	r.current, err = r.ask(r.ctx, raw)
	return err
}

// Status is always that of a success: legacy clients are told of errors in the
// message alone, and would take 404 for the end of their session.
func (r *rounds) Status() int { return http.StatusOK }

// Close cancels the call.
func (r *rounds) Close() {
	r.client.end(r.m.ID)
	r.client.forget(r.inputs)
	r.cancel(upstream.ErrClosed)
	if r.current != nil {
		r.current.Close()
	}
}

// Next returns the next message for the client.
func (r *rounds) Next(context.Context) (upstream.Event, error) {
	for {
		switch {
		case len(r.out) > 0:
			raw := r.out[0]
			r.out = r.out[1:]
			return upstream.Event{Data: raw}, nil
		case r.asking:
			if refused, err := r.collect(); refused != nil || err != nil {
				return upstream.Event{Data: refused}, r.failure(err)
			}
			continue
		}
		ev, m, err := read(r.ctx, r.current, r.id)
		if err != nil {
			return upstream.Event{}, r.failure(err)
		}
		if m == nil {
			continue
		}
		if m.Kind != jsonrpc.Response {
			return upstream.Event{Data: ev.Data}, nil // event ids are the server's, and the modern era resumes nothing
		}
		raw, err := r.response(m)
		if raw != nil || err != nil {
			return upstream.Event{Data: raw}, r.failure(err)
		}
	}
}

// failure prefers the client's cancellation to what followed from it.
func (r *rounds) failure(err error) error {
	if err != nil && context.Cause(r.ctx) == ErrCancelled {
		return ErrCancelled
	}
	return err
}

// response translates the response to the current try; nil when it asks for input.
func (r *rounds) response(m *jsonrpc.Message) ([]byte, error) {
	if m.Error != nil {
		fields := map[string]jsontext.Value{"id": r.m.ID}
		if code, _ := m.Code(); code == protocol.CodeInvalidParams && r.missing(m) {
			told, err := with(m.Error, "code", strconv.AppendInt(nil, protocol.CodeResourceNotFound, 10))
			if err != nil {
				return nil, err
			}
			fields["error"] = told
		}
		return replaced(m, fields)
	}
	switch kind := at(m.Result, "resultType"); {
	case kind == nil || string(kind) == `"complete"`:
		result, err := without(m.Result, "resultType")
		if err != nil {
			return nil, broken("a result that is no object")
		}
		return replaced(m, map[string]jsontext.Value{"id": r.m.ID, "result": result})
	case string(kind) == `"input_required"`:
		return nil, r.require(m.Result)
	}
	return nil, broken("a type of result that the legacy era does not have")
}

// missing reports whether an error says that the resource does not exist,
// which has a code of its own in the legacy era.
func (r *rounds) missing(m *jsonrpc.Message) bool {
	uri := jsonrpc.Text(m.Error, "/data/uri")
	return r.m.Method == protocol.MethodResourcesRead && uri != "" && uri == jsonrpc.Text(r.m.Params, "/uri")
}

// require turns what a result asks for into requests to the client.
func (r *rounds) require(result jsontext.Value) error {
	r.current.Close()
	if r.tries++; r.tries > maxRounds {
		return broken("input is asked for again and again")
	}
	if !slices.Contains(asksInput, r.m.Method) {
		return broken("input is asked for by a method that has none")
	}
	r.state, r.inputs, r.asking = nil, nil, true
	if state := at(result, "requestState"); state != nil {
		if state.Kind() != '"' {
			return broken("a requestState that is no string")
		}
		r.state = state.Clone()
	}
	wanted := at(result, "inputRequests")
	if wanted == nil {
		if r.state == nil {
			return broken("input is asked for, but none is named")
		}
		return nil
	}
	members, err := jsonrpc.Members(wanted)
	if err != nil || len(members) > maxInputs {
		return broken("inputRequests have the wrong shape or are too many")
	}
	r.replies = make(chan *jsonrpc.Message, len(members))
	for _, member := range members {
		method, params := jsonrpc.Text(member.Value, "/method"), at(member.Value, "params")
		if _, known := inputs[method]; !known || params != nil && params.Kind() != '{' {
			return broken("a kind of input that the protocol does not define")
		}
		if !r.client.offers(method, params) {
			return broken("a kind of input that the client never offered")
		}
		in := input{key: member.Name, method: method, id: "bzr_" + rand.Text()}
		r.inputs = append(r.inputs, in)
		raw := []byte(`{"jsonrpc":"2.0","id":"` + in.id + `","method":"` + method + `"`)
		if params != nil {
			raw = append(append(raw, `,"params":`...), params...)
		}
		r.out = append(r.out, append(raw, '}'))
	}
	return r.client.await(r.inputs, r.replies)
}

// collect waits for every reply of the round and tries again. A client that
// declines to give input that only it could give ends the call: told is its
// error answer.
func (r *rounds) collect() (told []byte, err error) {
	if len(r.inputs) == 0 { // the server asks for patience only
		select {
		case <-time.After(firstWait << min(r.tries, 6)):
		case <-r.ctx.Done():
			return nil, context.Cause(r.ctx)
		}
	}
	for range r.inputs {
		select {
		case reply := <-r.replies:
			for i := range r.inputs {
				if idKey(reply.ID) == "s"+r.inputs[i].id {
					r.inputs[i].reply = reply
				}
			}
		case <-r.ctx.Done():
			return nil, context.Cause(r.ctx)
		}
	}
	r.asking = false
	responses := jsontext.Value("{}")
	for _, in := range slices.Backward(r.inputs) {
		result := in.reply.Result
		switch {
		case in.reply.Error == nil:
		case in.method == protocol.MethodElicitationCreate:
			result = jsontext.Value(`{"action":"cancel"}`)
		default:
			return jsonrpc.NewError(r.m.ID, protocol.CodeInternalError, "the client did not give the input that the server asked for", nil), nil
		}
		if responses, err = with(responses, in.key, result); err != nil {
			return nil, err
		}
	}
	params := r.params
	if r.state != nil {
		if params, err = with(params, "requestState", r.state); err != nil {
			return nil, err
		}
	}
	if len(r.inputs) > 0 {
		if params, err = with(params, "inputResponses", responses); err != nil {
			return nil, err
		}
	}
	if err := r.try(params); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return nil, nil
}

// offers reports whether the client can be asked this.
func (c *Client) offers(method string, params jsontext.Value) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return offered(c.capabilities, method, params)
}

// await has the replies to inputs sent to a call.
func (c *Client) await(inputs []input, replies chan<- *jsonrpc.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting)+len(inputs) > maxCalls {
		return ErrFull
	}
	for _, in := range inputs {
		c.waiting["s"+in.id] = replies
	}
	return nil
}

// forget lets replies that are still on their way go nowhere.
func (c *Client) forget(inputs []input) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, in := range inputs {
		delete(c.waiting, "s"+in.id)
	}
}
