package gateway

import (
	"context"
	"fmt"
	"net/http"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/demux"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// eventSession is a legacy session with a server over the deprecated HTTP+SSE.
// Its client knows nothing of that: it speaks streamable HTTP. When the server's
// stream ends, so does the session; what is under way fails, and nothing is sent
// again.
type eventSession struct {
	demux.Session
	stream *upstream.EventSession
}

func (g *Gateway) openEvents(ctx context.Context, x *exchange) (*eventSession, error) {
	h := forwardedHeader(x)
	h.Del("Content-Type")
	stream, err := upstream.OpenEventSession(ctx, x.svc.target, h, g.cfg.Upstream)
	if err != nil {
		return nil, err
	}
	s := &eventSession{stream: stream}
	go s.pump()
	return s, nil
}

func (s *eventSession) pump() {
	defer s.stream.Close()
	for raw := range s.stream.Messages() {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil {
			s.End(fmt.Errorf("%w: %w", upstream.ErrProtocol, err))
			return
		}
		s.Deliver(m)
	}
	s.End(s.stream.Err())
}

// say sends a message and returns what the server says to it.
func (s *eventSession) say(m *jsonrpc.Message, h http.Header) (answers, error) {
	raw := m.Raw
	if m.Kind != jsonrpc.Request {
		return accepted{}, s.stream.Post(raw, h)
	}
	c, err := s.Await(m)
	if err != nil {
		return nil, err
	}
	go func() { // the answer may come before the server has said that it took the message
		if err := s.stream.Post(raw, h); err != nil {
			c.End(err)
		}
	}()
	return localAnswers{c}, nil
}

// eventLink is the exchange's session with a server over HTTP+SSE.
type eventLink struct{}

func (eventLink) send(_ context.Context, x *exchange, m *jsonrpc.Message) (answers, error) {
	return x.session.events.say(m, forwardedHeader(x))
}

func (eventLink) listen(_ context.Context, x *exchange, lastEvent string) (answers, error) {
	if lastEvent != "" {
		return nil, errNoReplay
	}
	c, err := x.session.events.Listen()
	if err != nil {
		return nil, err
	}
	return localAnswers{c}, nil
}

// legacyEvents is such a server as a bridge for modern clients sees it.
type legacyEvents struct{ *eventSession }

func (s legacyEvents) Send(ctx context.Context, m *jsonrpc.Message, version string) (bridge.Answers, error) {
	if s.Gone() {
		return nil, bridge.ErrForgotten
	}
	said, err := s.say(m, legacyHeader(ctx, version))
	if err != nil {
		return nil, err
	}
	return spoken{said}, nil
}

func (s legacyEvents) Listen(_ context.Context, _, lastEvent string) (bridge.Answers, error) {
	if lastEvent != "" {
		return nil, errNoReplay
	}
	c, err := s.eventSession.Listen()
	if err != nil {
		return nil, bridge.ErrForgotten
	}
	return spoken{localAnswers{c}}, nil
}

func (s legacyEvents) Close() { s.stream.Close() }
