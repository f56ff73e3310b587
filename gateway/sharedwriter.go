package gateway

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// sharedWriter lets several responders write events into one stream. Each
// writes whole events; what is not an event stream (a refusal's body) is
// dropped, since the stream has begun.
type sharedWriter struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	wait chan struct{} // nothing is written before it closes; nil = no wait
}

// of is the writer of one responder.
func (s *sharedWriter) of() *shareOf { return &shareOf{shared: s, header: http.Header{}} }

type shareOf struct {
	shared   *sharedWriter
	header   http.Header
	deadline time.Time // of what this one writes next; others have their own
}

func (w *shareOf) Header() http.Header { return w.header }
func (w *shareOf) WriteHeader(int)     {}

func (w *shareOf) streams() bool {
	return strings.HasPrefix(w.header.Get("Content-Type"), "text/event-stream")
}

func (w *shareOf) Write(b []byte) (n int, err error) {
	if !w.streams() {
		return len(b), nil
	}
	w.alone(func(*http.ResponseController) { n, err = w.shared.w.Write(b) })
	return n, err
}

// FlushError puts events on the wire.
func (w *shareOf) FlushError() (err error) {
	if w.streams() {
		w.alone(func(c *http.ResponseController) { err = c.Flush() })
	}
	return err
}

// alone does something while nobody else writes, in the time that this one has
// for it: a client that does not read must not hold the others up for ever.
func (w *shareOf) alone(do func(*http.ResponseController)) {
	if w.shared.wait != nil {
		<-w.shared.wait
	}
	w.shared.mu.Lock()
	defer w.shared.mu.Unlock()
	c := http.NewResponseController(w.shared.w)
	_ = c.SetWriteDeadline(w.deadline) // recorders in tests have none
	do(c)
	_ = c.SetWriteDeadline(time.Time{})
}

// SetWriteDeadline gives a client that does not read a limited time.
func (w *shareOf) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}
