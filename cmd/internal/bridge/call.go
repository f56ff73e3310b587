package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// call is one request of the client on its way.
type call struct {
	*bridge
	msg     *jsonrpc.Message
	legacy  bool
	version string // as its body says; "" in the legacy era
	endless bool   // a subscription: it has no answer as long as it works
	cancel  context.CancelCauseFunc
	gone    atomic.Bool // the client has cancelled

	renewed, learned bool // what is tried once
}

// outcome is how far an exchange came.
type outcome int

const (
	answered    outcome = iota
	sessionLost         // refused: the gateway does not know the session
	headerLacks         // refused: a Mcp-Param header is missing
	cut                 // ended without an answer
)

// run answers the request in every case but one: what the client has
// cancelled, nobody waits for.
func (c *call) run(ctx context.Context) {
	err := c.converse(ctx)
	if err == nil || ctx.Err() != nil || c.gone.Load() {
		return
	}
	c.Log.Warn("no answer", "method", c.msg.Method, "cause", err)
	c.out.send(failure(c.msg.ID, err))
}

func (c *call) converse(ctx context.Context) error {
	var wait backoff
	for {
		session := c.session.current()
		stream, err := c.post(ctx, c.msg.Raw, c.header(session), answerTimeout)
		if err != nil {
			return err
		}
		got, last, err := c.relay(ctx, stream, session.id != "")
		stream.Close()
		switch {
		case got == sessionLost && !c.renewed:
			c.renewed = true
			if err := c.renew(ctx, session.generation); err != nil {
				return err
			}
		case got == headerLacks && !c.learned:
			c.learned = true
			if err := c.learn(ctx); err != nil {
				return err
			}
		case got == cut && c.endless && ctx.Err() == nil && !refused(err):
			if err := wait.sleep(ctx, 0); err != nil { // asked again, it goes on
				return err
			}
		case got == cut && c.legacy && last.id != "":
			return c.resume(ctx, session, last)
		case got == answered:
			return nil
		default:
			return err
		}
	}
}

// refused reports an HTTP error status, after which asking again is useless.
func refused(err error) bool {
	var status upstream.StatusError
	return errors.As(err, &status) && status < 500
}

// header is what HTTP says of the request beside its body.
func (c *call) header(s current) http.Header {
	if !c.legacy {
		h := upstream.RequestHeader(c.version, c.msg.Method, c.msg.Params)
		c.params.add(h, c.msg)
		return h
	}
	if c.msg.Method == protocol.MethodInitialize {
		return http.Header{}
	}
	return s.header()
}

// position is the last event that came of a stream.
type position struct {
	id    string
	retry time.Duration
}

// relay passes on what comes of an answer until it is complete.
func (c *call) relay(ctx context.Context, stream *upstream.Stream, inSession bool) (outcome, position, error) {
	var at position
	for {
		ev, err := stream.Next()
		if err != nil {
			return cut, at, c.why(ctx, stream, err)
		}
		at.note(ev)
		if len(ev.Data) == 0 {
			continue
		}
		m, err := c.parse(ev.Data)
		switch {
		case err != nil && stream.Status >= 400:
			return cut, at, upstream.StatusError(stream.Status) // JSON, but none of ours
		case err != nil:
			return cut, position{}, errBroken
		case m.Kind != jsonrpc.Response:
			c.out.send(m.Raw)
			continue
		}
		if anonymous(m) {
			if m, err = withID(m, c.msg.ID); err != nil {
				return cut, position{}, errBroken
			}
		}
		if m.IDKey() != c.msg.IDKey() {
			c.Log.Warn("a response to another request was dropped")
			continue
		}
		code, failed := m.Code()
		switch {
		case stream.Status == http.StatusNotFound && c.legacy && inSession && c.msg.Method != protocol.MethodInitialize && !c.renewed:
			return sessionLost, at, nil
		case failed && code == protocol.CodeHeaderMismatch && c.msg.Method == protocol.MethodToolsCall && !c.legacy && !c.learned:
			return headerLacks, at, nil
		}
		c.remember(m, stream)
		if !c.gone.Load() {
			c.out.send(m.Raw)
		}
		return answered, at, nil
	}
}

func (p *position) note(ev upstream.Event) {
	if ev.ID != "" {
		p.id = ev.ID
	}
	if ev.Retry > 0 {
		p.retry = time.Duration(ev.Retry) * time.Millisecond
	}
}

// why is the reason of an answer that ended too soon.
func (c *call) why(ctx context.Context, stream *upstream.Stream, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case stream.Status >= 400:
		return upstream.StatusError(stream.Status)
	case errors.Is(err, upstream.ErrTooLarge):
		return err
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return errGone
	}
	return errors.Join(errGone, err)
}

// resume asks for the rest of an answer whose stream ended: the connection
// broke, or the server would rather be polled (2025-11-25, transports,
// "Resumability and Redelivery").
func (c *call) resume(ctx context.Context, session current, at position) error {
	for tries := 0; tries < maxResumes; tries++ {
		var wait backoff
		wait.next = firstRetry << tries
		if err := wait.sleep(ctx, at.retry); err != nil {
			return err
		}
		h := session.header()
		h.Set(protocol.HeaderLastEventID, at.id)
		stream, err := upstream.OpenEvents(ctx, c.target, h, c.limits(deliverTimeout))
		if err != nil {
			continue
		}
		if stream.Status >= 400 {
			stream.Close()
			return errGone
		}
		got, now, _ := c.relay(ctx, stream, false)
		stream.Close()
		if got == answered {
			return nil
		}
		if now.id != "" && now.id != at.id {
			at.id, tries = now.id, -1 // it goes on
		}
		if now.retry > 0 {
			at.retry = now.retry
		}
	}
	return errGone
}

// remember keeps what later messages depend on.
func (c *call) remember(m *jsonrpc.Message, stream *upstream.Stream) {
	switch {
	case m.Result == nil:
	case c.msg.Method == protocol.MethodInitialize:
		c.session.open(c.msg, m, stream.Header.Get(protocol.HeaderSessionID))
	case c.msg.Method == protocol.MethodToolsList:
		c.params.learn(m.Result)
	}
}

// cancelAfter stops waiting for a server that was told to stop.
func (c *call) cancelAfter(grace time.Duration) {
	if !c.gone.Swap(true) {
		time.AfterFunc(grace, func() { c.cancel(errCancelled) })
	}
}

// anonymous reports an error whose sender could not tell, or would not say,
// which request it refuses.
func anonymous(m *jsonrpc.Message) bool {
	return m.Error != nil && (m.ID == nil || m.ID.Kind() == 'n')
}

// withID is the message under another id, every other byte as it was.
func withID(m *jsonrpc.Message, id []byte) (*jsonrpc.Message, error) {
	_, start, end, err := jsonrpc.Get(m.Raw, "/id")
	edit := jsonrpc.Edit{Start: start, End: end, New: id}
	if err != nil {
		at := bytes.IndexByte(m.Raw, '{') + 1
		edit = jsonrpc.Edit{Start: at, End: at, New: append(append([]byte(`"id":`), id...), ',')}
	}
	raw, err := jsonrpc.Splice(m.Raw, edit)
	if err != nil {
		return nil, err
	}
	return jsonrpc.Parse(raw, jsonrpc.Limits{Bytes: len(raw)})
}
