package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// typeEndpoint is the event that opens a session over HTTP+SSE.
const typeEndpoint = "endpoint"

const (
	endpointBytes = 8 << 10 // of a line before the session is open
	postsAtOnce   = 64      // messages of one session on their way to the server
)

// EventSession is a session over HTTP+SSE (2024-11-05, basic/transports): one
// event stream carries everything that the server says, and names the URL that
// takes everything the client says. The stream is opened once: with it the
// session ends.
type EventSession struct {
	lim      Limits
	target   Target // of messages
	stream   *Stream
	messages chan []byte
	closing  chan struct{}
	posts    chan struct{}
	ctx      context.Context
	cancel   context.CancelCauseFunc

	mu  sync.Mutex
	err error
}

// OpenEventSession opens the stream and waits until the server has named where
// messages go, StartTimeout at most. ctx bounds that only; the caller must call
// Close. header is added to the target's.
func OpenEventSession(ctx context.Context, t Target, header http.Header, lim Limits) (*EventSession, error) {
	lim = lim.withDefaults()
	s := &EventSession{
		lim: lim, messages: make(chan []byte), closing: make(chan struct{}), posts: make(chan struct{}, postsAtOnce),
	}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	late := fmt.Errorf("no session within %s: %w", lim.StartTimeout, context.DeadlineExceeded)
	timer := time.AfterFunc(lim.StartTimeout, func() { s.cancel(late) })
	left := context.AfterFunc(ctx, func() { s.cancel(context.Cause(ctx)) })
	err := s.open(t, header)
	if inTime := timer.Stop(); err == nil && (!left() || !inTime) {
		err = context.Cause(s.ctx)
	}
	if err != nil {
		s.stop(err)
		if s.stream != nil {
			s.stream.Close()
		}
		return nil, err
	}
	go s.read()
	return s, nil
}

func (s *EventSession) open(t Target, header http.Header) error {
	opening, err := OpenEvents(s.ctx, t, header, s.lim)
	if err != nil {
		return err
	}
	s.stream = opening
	switch {
	case opening.Status >= 400:
		return StatusError(opening.Status)
	case opening.Status != http.StatusOK || opening.events == nil:
		return protocolError("the server opened no event stream")
	}
	events := opening.events
	events.also, events.max, events.lines.max = typeEndpoint, endpointBytes, endpointBytes
	for {
		ev, err := opening.Next()
		switch {
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return protocolError("the stream ended before the server named an endpoint")
		case err != nil:
			return err
		case ev.Type != typeEndpoint && ev.Data == nil:
			continue
		case ev.Type != typeEndpoint:
			return protocolError("a message before the endpoint")
		}
		s.target, err = t.messagesAt(string(ev.Data))
		events.max, events.lines.max = s.lim.MessageBytes, s.lim.MessageBytes
		return err
	}
}

// messagesAt is the target of messages for the endpoint that a server named. It
// must be of the same origin: the credential goes there, and nobody reviewed
// another.
func (t Target) messagesAt(named string) (Target, error) {
	base, err := t.endpoint()
	if err != nil {
		return Target{}, err
	}
	ref, err := url.Parse(named)
	if err != nil || named == "" || ref.Opaque != "" {
		return Target{}, protocolError("the endpoint event holds no URL")
	}
	u := base.ResolveReference(ref)
	switch {
	case u.Scheme != base.Scheme, !strings.EqualFold(u.Hostname(), base.Hostname()), portOf(u) != portOf(base):
		return Target{}, protocolError("the endpoint is of another origin")
	case u.User != nil, u.Fragment != "":
		return Target{}, protocolError("the endpoint has user information or a fragment")
	}
	u.Host = base.Host
	t.URL = u.String()
	return t, nil
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// read delivers messages until the stream ends.
func (s *EventSession) read() {
	defer close(s.messages)
	defer s.stream.Close()
	for {
		ev, err := s.stream.Next()
		switch {
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			s.stop(fmt.Errorf("%w: the server ended the event stream", ErrClosed))
			return
		case err != nil:
			s.stop(err)
			return
		case ev.Type != "":
			s.stop(protocolError("a second endpoint"))
			return
		case len(ev.Data) == 0:
			continue
		}
		select {
		case s.messages <- ev.Data:
		case <-s.closing:
			return
		}
	}
}

// Post sends one message; its answer comes out of Messages. header is added to
// the target's. A server that takes nothing for CallTimeout has failed, as one
// has that lets too many messages wait.
func (s *EventSession) Post(raw []byte, header http.Header) error {
	select {
	case s.posts <- struct{}{}:
		defer func() { <-s.posts }()
	case <-s.closing:
		return s.Err()
	case <-time.After(s.lim.CallTimeout):
		return fmt.Errorf("too many messages wait for the server: %w", context.DeadlineExceeded)
	}
	taken, err := Post(s.ctx, s.target, raw, header, s.lim)
	if err != nil {
		return err
	}
	defer taken.Close()
	if taken.Status >= 300 {
		return StatusError(taken.Status)
	}
	return nil
}

// Send is Post without further headers.
func (s *EventSession) Send(raw []byte) error { return s.Post(raw, nil) }

// Messages yields raw messages. It is closed when the session is over.
func (s *EventSession) Messages() <-chan []byte { return s.messages }

// Err says why the session is over; nil while it is not.
func (s *EventSession) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session, and with the stream the server's side of it.
func (s *EventSession) Close() error {
	s.stop(ErrClosed)
	return nil
}

func (s *EventSession) fail(err error) { s.stop(err) }

func (s *EventSession) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		s.cancel(err)
		close(s.closing)
	}
}
