package gateway

import (
	"context"
	"time"
)

// watchdog ends an exchange whose upstream says nothing for too long or goes
// on for too long.
type watchdog struct {
	silence *time.Timer
	total   *time.Timer
	allowed time.Duration
	cancel  context.CancelCauseFunc
}

// guard returns a context that the watchdog cancels. An endless stream is
// guarded by nothing but its callers' holder.
func guard(ctx context.Context, cfg Config, endless bool) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watchdog{allowed: cfg.SilenceTimeout, cancel: cancel}
	if !endless {
		w.silence = time.AfterFunc(cfg.SilenceTimeout, func() { cancel(errSilent) })
		w.total = time.AfterFunc(cfg.AnswerTimeout, func() { cancel(errTooLong) })
	}
	return ctx, w
}

// heard starts the silence anew.
func (w *watchdog) heard() {
	if w.silence != nil {
		w.silence.Reset(w.allowed)
	}
}

func (w *watchdog) stop() {
	if w.silence != nil {
		w.silence.Stop()
		w.total.Stop()
	}
	w.cancel(context.Canceled)
}
