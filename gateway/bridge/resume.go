package bridge

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// resumed is the answer to a call, followed over streams that the server closes
// to be polled (2025-11-25, streamable-http, "Sending Messages to the Server").
type resumed struct {
	Answers
	session *session
	last    string
	pause   time.Duration
	polls   int
}

// Next is that of the current stream, or of the one that goes on with it.
func (r *resumed) Next(ctx context.Context) (upstream.Event, error) {
	for {
		ev, err := r.Answers.Next(ctx)
		if err == nil {
			if note(ev, &r.last, &r.pause); len(ev.Data) > 0 {
				r.polls = 0
			}
			return ev, nil
		}
		if err != io.EOF || r.last == "" || r.polls >= maxPolls {
			return ev, err
		}
		r.polls++
		select {
		case <-time.After(max(r.pause, 10*time.Millisecond)):
		case <-ctx.Done():
			return ev, context.Cause(ctx)
		}
		next, err := r.session.server.Listen(ctx, r.session.version, r.last)
		if err != nil {
			return ev, err
		}
		if next.Status() != http.StatusOK {
			next.Close()
			return ev, io.EOF
		}
		r.Answers.Close()
		r.Answers = next
	}
}
