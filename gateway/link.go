package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/demux"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// link carries messages to one upstream on behalf of one exchange.
type link interface {
	// send forwards a message and returns what the upstream says to it.
	send(ctx context.Context, x *exchange, m *jsonrpc.Message) (answers, error)
	// listen opens the legacy stream of messages outside of any request,
	// resuming after an event of the upstream's where one is named.
	listen(ctx context.Context, x *exchange, lastEvent string) (answers, error)
}

// answers is what an upstream says: raw messages in order.
type answers interface {
	next(ctx context.Context) (upstream.Event, error) // io.EOF after the last
	head() head
	close()
}

// head precedes the messages.
type head struct {
	status  int
	stream  bool   // server-sent events, not one JSON body
	session string // id of a new upstream session
}

// linkOf picks the way to the upstream of an exchange.
func (g *Gateway) linkOf(x *exchange) link {
	if x.bridged() && x.spoken == protocol.Modern {
		return legacyClientLink{modern: g.directLink(x)}
	}
	if x.bridged() {
		return modernClientLink{g}
	}
	return g.directLink(x)
}

// directLink speaks the era of the server.
func (g *Gateway) directLink(x *exchange) link {
	switch {
	case x.svc.target.Transport == protocol.TransportSSE:
		return eventLink{}
	case !x.svc.local:
		return httpLink{limits: g.cfg.Upstream}
	case x.spoken == protocol.Modern:
		return sharedLink{pool: g.local, server: g.serverOf(x)}
	}
	return sessionLink{}
}

// httpLink is an upstream over streamable HTTP.
type httpLink struct{ limits upstream.Limits }

func (l httpLink) send(ctx context.Context, x *exchange, m *jsonrpc.Message) (answers, error) {
	s, err := upstream.Post(ctx, x.svc.target, m.Raw, forwardedHeader(x), l.limits)
	if err != nil {
		return nil, err
	}
	return &httpAnswers{s}, nil
}

func (l httpLink) listen(ctx context.Context, x *exchange, lastEvent string) (answers, error) {
	h := forwardedHeader(x)
	h.Del("Content-Type")
	h.Set("Accept", "text/event-stream")
	if lastEvent != "" {
		h.Set(protocol.HeaderLastEventID, lastEvent)
	}
	s, err := upstream.OpenEvents(ctx, x.svc.target, h, l.limits)
	if err != nil {
		return nil, err
	}
	return &httpAnswers{s}, nil
}

// traceHeaders carry the trace context of a call (W3C Trace Context); one that
// breaks its grammar ends here.
var traceHeaders = []string{"Traceparent", "Tracestate"}

// forwardedHeader is everything of a client's header that an upstream sees: a
// list of what may pass, so that nothing else ever does.
func forwardedHeader(x *exchange) http.Header {
	h := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/json, text/event-stream"},
	}
	copyTrace(h, x.header)
	pass := []string{protocol.HeaderProtocolVersion}
	if x.spoken == protocol.Modern {
		pass = append(pass, protocol.HeaderMethod, protocol.HeaderName)
		for name := range x.header {
			if strings.HasPrefix(name, protocol.HeaderParamPrefix) {
				pass = append(pass, name)
			}
		}
	}
	for _, name := range pass {
		// A parameter that is empty is there all the same.
		if value := x.header.Get(name); value != "" || strings.HasPrefix(name, protocol.HeaderParamPrefix) {
			h.Set(name, value)
		}
	}
	if x.session != nil && x.session.upstream != "" {
		h.Set(protocol.HeaderSessionID, x.session.upstream)
	}
	x.call.Inject(h)
	return h
}

type httpAnswers struct{ *upstream.Stream }

func (a *httpAnswers) next(context.Context) (upstream.Event, error) { return a.Next() }
func (a *httpAnswers) close()                                       { a.Close() }
func (a *httpAnswers) head() head {
	return head{
		status:  a.Status,
		stream:  strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream"),
		session: a.Header.Get(protocol.HeaderSessionID),
	}
}

// endSession tells an upstream over HTTP that a session is over.
func endSession(target upstream.Target, s *session) func() {
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, target.URL, nil)
		if err != nil {
			return
		}
		for name, values := range target.Header {
			req.Header[name] = values
		}
		req.Header.Set(protocol.HeaderSessionID, s.upstream)
		if version := s.protocolVersion(); version != "" {
			req.Header.Set(protocol.HeaderProtocolVersion, version)
		}
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		if target.Client != nil {
			client.Transport = target.Client.Transport
		}
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
		}
	}
}

// sessionLink is a local server that belongs to the exchange's session.
type sessionLink struct{}

func (sessionLink) send(_ context.Context, x *exchange, m *jsonrpc.Message) (answers, error) {
	if m.Kind != jsonrpc.Request {
		return accepted{}, x.session.local.Send(m.Raw)
	}
	c, err := x.session.local.Call(m)
	if err != nil {
		return nil, err
	}
	return localAnswers{c}, nil
}

func (sessionLink) listen(_ context.Context, x *exchange, lastEvent string) (answers, error) {
	if lastEvent != "" {
		return nil, errNoReplay
	}
	c, err := x.session.local.Listen()
	if err != nil {
		return nil, err
	}
	return localAnswers{c}, nil
}

// errNoReplay is a resumption where nothing is kept to replay.
var errNoReplay = errors.New("the server has no event ids")

// sharedLink is a local server that all modern messages of a caller go through.
type sharedLink struct {
	pool   *stdio.Pool
	server stdio.Server
}

func (l sharedLink) send(_ context.Context, _ *exchange, m *jsonrpc.Message) (answers, error) {
	shared := l.pool.Shared(l.server)
	if m.Kind != jsonrpc.Request {
		if m.Method == protocol.NotificationCancelled {
			return accepted{}, nil // names an id that the process never saw; closing the stream cancels
		}
		return accepted{}, shared.Send(m.Raw)
	}
	c, err := shared.Call(m)
	if err != nil {
		return nil, err
	}
	return localAnswers{c}, nil
}

func (sharedLink) listen(context.Context, *exchange, string) (answers, error) {
	return nil, errNoReplay // the modern era has no such stream
}

type localAnswers struct{ *demux.Conversation }

func (a localAnswers) next(ctx context.Context) (upstream.Event, error) {
	raw, err := a.Next(ctx)
	return upstream.Event{Data: raw}, err
}
func (a localAnswers) head() head { return head{status: http.StatusOK} }
func (a localAnswers) close()     { a.Close() }

// accepted answers what needs no answer.
type accepted struct{}

func (accepted) next(context.Context) (upstream.Event, error) { return upstream.Event{}, io.EOF }
func (accepted) head() head                                   { return head{status: http.StatusAccepted} }
func (accepted) close()                                       {}
