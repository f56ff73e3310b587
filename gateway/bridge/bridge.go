// Package bridge translates between the two eras of the protocol, so that a
// client of one can use a server of the other.
//
// Client serves a legacy client from a modern server: the session lives here,
// and what the server needs to know of it travels with every request. Servers
// holds the sessions with legacy servers that modern clients are served from.
//
// Messages are translated by splicing: what both eras share keeps its bytes.
// The package must not know approvals, scanners, callers or HTTP headers; its
// user sees every translated message before it goes anywhere.
package bridge

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

var (
	// ErrCancelled is a request that its client cancelled: nobody waits for
	// the answer.
	ErrCancelled = errors.New("cancelled by the client")
	// ErrIDInUse is a request whose id is under way in the same session.
	ErrIDInUse = errors.New("request id is in use")
	// ErrParams is a request that cannot be translated.
	ErrParams = errors.New("params do not fit the method")
	// ErrFull is a session that holds as much as it may.
	ErrFull = errors.New("too much is under way in this session")
)

// Ask sends one message to the server. A notification has no answers.
type Ask func(ctx context.Context, raw []byte) (Answers, error)

// Answers is what a server says to one message, or outside of any, in order.
type Answers interface {
	// Next returns the next message; io.EOF after the last.
	Next(ctx context.Context) (upstream.Event, error)
	// Status is the HTTP status that preceded the messages.
	Status() int
	// Close says that nobody listens any more, which cancels a request.
	Close()
}

// single is one message as the whole answer.
type single struct {
	raw  []byte
	read bool
}

func (s *single) Next(context.Context) (upstream.Event, error) {
	if s.read {
		return upstream.Event{}, io.EOF
	}
	s.read = true
	return upstream.Event{Data: s.raw}, nil
}

func (s *single) Status() int { return http.StatusOK }
func (s *single) Close()      {}
