package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// timedWriter notes the deadline that each write has.
type timedWriter struct {
	*httptest.ResponseRecorder
	deadline time.Time
	had      []time.Time
}

func (w *timedWriter) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func (w *timedWriter) Write(b []byte) (int, error) {
	w.had = append(w.had, w.deadline)
	return w.ResponseRecorder.Write(b)
}

func (w *timedWriter) FlushError() error {
	w.had = append(w.had, w.deadline)
	return nil
}

// TestSharedWriterDeadlines: of several who write to one client, none lifts the
// time that another has, and none leaves its own behind.
func TestSharedWriterDeadlines(t *testing.T) {
	under := &timedWriter{ResponseRecorder: httptest.NewRecorder()}
	shared := &sharedWriter{w: under}
	one, two := shared.of(), shared.of()
	soon := time.Now().Add(time.Minute)
	for _, w := range []*shareOf{one, two} {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	for _, c := range []struct {
		w  *shareOf
		at time.Time
	}{{one, soon}, {two, time.Time{}}} {
		if err := http.NewResponseController(c.w).SetWriteDeadline(c.at); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := one.Write([]byte("data: 1\n\n")); err != nil {
			t.Fatal(err)
		}
		if err := one.FlushError(); err != nil {
			t.Fatal(err)
		}
	}
	for i, had := range under.had {
		if !had.Equal(soon) {
			t.Errorf("write %d had until %v, want %v", i, had, soon)
		}
	}
	if len(under.had) != 4 || !under.deadline.IsZero() {
		t.Errorf("%d writes, then until %v", len(under.had), under.deadline)
	}
}
