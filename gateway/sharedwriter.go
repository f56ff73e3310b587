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
	shared *sharedWriter
	header http.Header
}

func (w *shareOf) Header() http.Header { return w.header }
func (w *shareOf) WriteHeader(int)     {}

func (w *shareOf) streams() bool {
	return strings.HasPrefix(w.header.Get("Content-Type"), "text/event-stream")
}

func (w *shareOf) Write(b []byte) (int, error) {
	if !w.streams() {
		return len(b), nil
	}
	if w.shared.wait != nil {
		<-w.shared.wait
	}
	w.shared.mu.Lock()
	defer w.shared.mu.Unlock()
	return w.shared.w.Write(b)
}

// FlushError puts events on the wire.
func (w *shareOf) FlushError() error {
	if !w.streams() {
		return nil
	}
	if w.shared.wait != nil {
		<-w.shared.wait
	}
	w.shared.mu.Lock()
	defer w.shared.mu.Unlock()
	return http.NewResponseController(w.shared.w).Flush()
}

// SetWriteDeadline gives a client that does not read a limited time.
func (w *shareOf) SetWriteDeadline(t time.Time) error {
	w.shared.mu.Lock()
	defer w.shared.mu.Unlock()
	return http.NewResponseController(w.shared.w).SetWriteDeadline(t)
}
