package bridge

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// session is the legacy session with the gateway. The client knows nothing of
// it: when the gateway forgets it, the bridge opens another with the client's
// own words.
type session struct {
	mu          sync.Mutex
	now         current
	initialize  *jsonrpc.Message // as the client sent it
	initialized []byte
	following   bool

	renewing sync.Mutex
}

// current is a session at one moment.
type current struct {
	id, version string
	generation  int
}

func (s *session) current() current {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (c current) header() http.Header {
	h := http.Header{}
	if c.version != "" {
		h.Set(protocol.HeaderProtocolVersion, c.version)
	}
	if c.id != "" {
		h.Set(protocol.HeaderSessionID, c.id)
	}
	return h
}

// open notes the session that an answer to initialize opens.
func (s *session) open(asked, answer *jsonrpc.Message, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.initialize = asked
	s.now = current{id: id, version: jsonrpc.Text(answer.Result, "/protocolVersion"), generation: s.now.generation + 1}
}

// renew opens another session after the one of a generation was lost. Of all
// that notice the loss, one does the work.
func (b *bridge) renew(ctx context.Context, generation int) error {
	s := &b.session
	s.renewing.Lock()
	defer s.renewing.Unlock()
	s.mu.Lock()
	was, asked, initialized := s.now, s.initialize, s.initialized
	s.mu.Unlock()
	if was.generation != generation || asked == nil {
		return nil
	}
	b.Log.Info("the gateway does not know the session; opening another")
	answer, header, err := b.ask(ctx, asked, http.Header{})
	if err != nil {
		return err
	}
	if answer.Result == nil {
		return answeredError{answer}
	}
	if jsonrpc.Text(answer.Result, "/protocolVersion") != was.version {
		return errVersion
	}
	s.open(asked, answer, header.Get(protocol.HeaderSessionID))
	if initialized == nil {
		return nil
	}
	stream, err := b.post(ctx, initialized, s.current().header(), deliverTimeout)
	if err != nil {
		return err
	}
	stream.Close()
	return nil
}

// ask is a request of the bridge's own. Whatever else comes with the answer is
// the client's.
func (b *bridge) ask(ctx context.Context, m *jsonrpc.Message, h http.Header) (*jsonrpc.Message, http.Header, error) {
	stream, err := b.post(ctx, m.Raw, h, deliverTimeout)
	if err != nil {
		return nil, nil, err
	}
	defer stream.Close()
	for {
		ev, err := stream.Next()
		if err != nil {
			if stream.Status >= 400 {
				return nil, nil, upstream.StatusError(stream.Status)
			}
			return nil, nil, errGone
		}
		if len(ev.Data) == 0 {
			continue
		}
		answer, err := b.parse(ev.Data)
		switch {
		case err != nil:
			return nil, nil, errBroken
		case answer.Kind == jsonrpc.Response && (anonymous(answer) || answer.IDKey() == m.IDKey()):
			return answer, stream.Header, nil
		case answer.Kind != jsonrpc.Response:
			b.out.send(answer.Raw)
		}
	}
}

// began notes that the client has finished its handshake, and reports whether
// the stream of server messages is to be opened: once, where there is a
// session.
func (s *session) began(initialized []byte) (follow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.initialized = initialized
	follow = s.now.id != "" && !s.following
	s.following = s.following || follow
	return follow
}

// follow passes on the messages that belong to no request, for as long as the
// gateway has such a stream.
func (b *bridge) follow(ctx context.Context) {
	var wait backoff
	var at position
	generation := 0
	for {
		now := b.session.current()
		if now.generation != generation {
			generation, at = now.generation, position{}
		}
		h := now.header()
		if at.id != "" {
			h.Set(protocol.HeaderLastEventID, at.id)
		}
		opened := time.Now()
		status, err := b.listen(ctx, h, &at)
		switch {
		case ctx.Err() != nil:
			return
		case status == http.StatusNotFound:
			if err := b.renew(ctx, generation); err != nil {
				b.Log.Warn("no new session", "cause", err)
			}
		case status == http.StatusBadRequest && at.id != "":
			at = position{} // the event is forgotten; what comes from now on is not
		case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
			return
		case err == nil && time.Since(opened) > maxRetry:
			wait = backoff{} // it had been working
		}
		if wait.sleep(ctx, at.retry) != nil {
			return
		}
	}
}

func (b *bridge) listen(ctx context.Context, h http.Header, at *position) (status int, err error) {
	stream, err := upstream.OpenEvents(ctx, b.target, h, b.limits(deliverTimeout))
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	for stream.Status < 300 {
		ev, err := stream.Next()
		if err != nil {
			return stream.Status, nil // it ends now and then
		}
		at.note(ev)
		if len(ev.Data) == 0 {
			continue
		}
		m, err := b.parse(ev.Data)
		if err != nil {
			return stream.Status, err
		}
		b.out.send(m.Raw)
	}
	return stream.Status, nil
}

// end gives the session back, as the legacy specification asks.
func (s *session) end(t upstream.Target) {
	now := s.current()
	if now.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, t.URL, nil)
	if err != nil {
		return
	}
	req.Header = now.header()
	req.Header.Set("Authorization", t.Header.Get("Authorization"))
	client := *t.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close() // whatever the gateway thinks of it, the session is over
	}
}
