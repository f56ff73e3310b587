package engine

import (
	"context"
	"sync"
	"time"
)

// within is a context that ends at a time as well. It has a timer only if
// somebody waits for it: nearly every scan is over before.
type within struct {
	context.Context
	until time.Time

	mu     sync.Mutex
	timed  context.Context // nil until somebody waited
	cancel context.CancelFunc
}

// Deadline implements context.Context.
func (w *within) Deadline() (time.Time, bool) {
	if d, ok := w.Context.Deadline(); ok && d.Before(w.until) {
		return d, true
	}
	return w.until, true
}

// Err implements context.Context.
func (w *within) Err() error { return w.ErrAt(time.Now()) }

// ErrAt is Err for one who has just looked at the clock.
func (w *within) ErrAt(now time.Time) error {
	if err := w.Context.Err(); err != nil {
		return err
	}
	if !now.Before(w.until) {
		return context.DeadlineExceeded
	}
	return nil
}

// Done implements context.Context.
func (w *within) Done() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timed == nil {
		w.timed, w.cancel = context.WithDeadline(w.Context, w.until)
	}
	return w.timed.Done()
}

// end frees the timer.
func (w *within) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
	}
}
