package bridge

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// ready opens the session unless it is open.
func (s *session) ready(ctx context.Context, dial func() (Server, error), hello jsontext.Value) (err error) {
	if err := s.opening.enter(ctx); err != nil {
		return err
	}
	defer s.opening.leave()
	switch {
	case s.ctx.Err() != nil:
		return ErrForgotten
	case s.hello != nil:
		return nil
	}
	defer func() {
		if err != nil {
			s.cancel(upstream.ErrClosed) // whoever waited for it opens another
		}
	}()
	if s.server, err = dial(); err != nil {
		s.server = nil
		return err
	}
	answer, err := s.ask(ctx, protocol.MethodInitialize, hello)
	if err != nil {
		return err
	}
	version := jsonrpc.Text(answer.Result, "/protocolVersion")
	if answer.Error != nil || protocol.EraOf(version) != protocol.Legacy {
		return upstream.ErrEra
	}
	s.version = version
	if err := s.tell(ctx, jsonrpc.NewNotification(protocol.NotificationInitialized, nil)); err != nil {
		return err
	}
	s.hello = answer.Result.Clone()
	return nil
}

// answer serves one request. The caller gives the session back on error; else
// closing the answers does.
func (s *session) answer(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	switch m.Method {
	case protocol.MethodDiscover:
		raw, err := discovery(s.hello, m.ID)
		if err != nil {
			return nil, broken("the result of initialize has the wrong shape")
		}
		return &held{single: single{raw: raw}, session: s}, nil
	case protocol.MethodSubscriptionsListen:
		return s.listen(ctx, m)
	}
	return s.call(ctx, m)
}

// held is an answer of the gateway's own.
type held struct {
	single
	session *session
}

func (h *held) Close() { h.session.release() }

func (s *session) nextID() jsontext.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return strconv.AppendInt(nil, s.last, 10)
}

// ask sends a request of the gateway's own.
func (s *session) ask(ctx context.Context, method string, params jsontext.Value) (*jsonrpc.Message, error) {
	id := s.nextID()
	n, _ := strconv.ParseInt(string(id), 10, 64)
	return respond(ctx, func(ctx context.Context, raw []byte) (Answers, error) {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil {
			return nil, err
		}
		return s.send(ctx, m)
	}, jsonrpc.NewRequest(n, method, params), id)
}

// tell sends what no message answers.
func (s *session) tell(ctx context.Context, raw []byte) error {
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		return err
	}
	answers, err := s.send(ctx, m)
	if err != nil {
		return err
	}
	defer answers.Close()
	if status := answers.Status(); status < 200 || status > 299 {
		return upstream.StatusError(status)
	}
	return nil
}

// replyPatience bounds how long a server takes to take what it asked for, and
// repliesAtOnce how many replies wait for it to do so.
const (
	replyPatience = 10 * time.Second
	repliesAtOnce = 32
)

// reply answers a request of the server's in the gateway's own words. A server
// that does not take it, or asks faster than it takes replies, goes without.
func (s *session) reply(raw []byte) {
	select {
	case s.replying <- struct{}{}:
	default:
		return
	}
	go func() {
		defer s.replying.leave()
		s.mention(raw)
	}()
}

// mention tells the server something that it may as well not hear.
func (s *session) mention(raw []byte) {
	ctx, cancel := context.WithTimeout(s.ctx, replyPatience)
	defer cancel()
	_ = s.tell(ctx, raw)
}

// send sends one message. A server that answers 404 knows the session no more
// (2025-11-25, streamable-http, "Session Management"), unless what it does not
// know is the method of this very request.
func (s *session) send(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	answers, err := s.server.Send(ctx, m, s.version)
	if err != nil {
		return nil, err
	}
	if s.version == "" || answers.Status() != http.StatusNotFound {
		return answers, nil
	}
	defer answers.Close()
	if ev, err := answers.Next(ctx); err == nil {
		said, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
		if code, _ := codeOf(said, err); code == protocol.CodeMethodNotFound && idKey(said.ID) == idKey(m.ID) {
			return &single{raw: ev.Data}, nil
		}
	}
	return nil, ErrForgotten
}

func codeOf(m *jsonrpc.Message, err error) (int, bool) {
	if err != nil {
		return 0, false
	}
	return m.Code()
}
