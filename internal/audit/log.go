package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Options of a log. The zero value is right for production.
type Options struct {
	Feature         string           // which door writes: "registry", "gateway", …
	Version         string           // of the program
	SegmentBytes    int64            // a segment is closed before it exceeds this; default 64 MiB
	RefusalInterval time.Duration    // how often aggregated refusals are written; default 10 s
	RefusalKeys     int              // distinct refusals kept apart per interval; default 1024
	Now             func() time.Time // default time.Now
	NewID           func() string    // default NewID
}

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.RefusalInterval <= 0 {
		o.RefusalInterval = 10 * time.Second
	}
	if o.RefusalKeys <= 0 {
		o.RefusalKeys = 1024
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = NewID
	}
	return o
}

// Log is the write-ahead log of one process; safe for concurrent use.
//
// Appends that arrive while a flush is under way share the next one (group
// commit): the first of them writes for all.
type Log struct {
	opts     Options
	refusals *refusals

	mu     sync.Mutex // guards next and closed
	next   *batch
	closed bool

	writing sync.Mutex // one flush at a time; guards what follows
	sink    sink
	calls   calls
	failed  error // of the last flush
}

// Open opens the log at path: a directory of segments, created owner-only if
// absent, or an existing file (a device such as /dev/stdout too), which is then
// the whole log. A torn last line is cut off, and every call left without an
// outcome by an earlier process gets the outcome Unknown.
//
// A full or failing disk does not keep Open from succeeding: Append then says
// ErrUnavailable until the disk is well again. Open fails with ErrLocked when
// another process writes the log, and where the path cannot be used at all.
func Open(path string, opts Options) (*Log, error) {
	l := &Log{opts: opts.withDefaults()}
	s, orphans, err := openSink(path, l.opts.SegmentBytes)
	if err != nil {
		return nil, fmt.Errorf("audit: open: %w", err)
	}
	l.sink = s
	l.calls = newCalls(orphans)
	l.refusals = newRefusals(l.opts.RefusalKeys)
	// Says when this process began, and writes the unknown outcomes with it.
	// Failing here is no different from failing later.
	l.Append(context.Background(), logOpened())
	l.refusals.every(l.opts.RefusalInterval, func() { l.Flush(context.Background()) })
	return l, nil
}

// Check reports whether the log can be written: nil, or an error that wraps
// ErrUnavailable. After a failure it tries, so a readiness probe finds out by
// itself that the disk is well again.
func (l *Log) Check(ctx context.Context) error {
	l.writing.Lock()
	failed := l.failed
	l.writing.Unlock()
	if failed == nil {
		return nil
	}
	_, err := l.Append(ctx, logOpened())
	return err
}

// Close writes what is still owed (aggregated refusals, unknown outcomes of
// calls without one) and releases the log. Append afterwards is ErrClosed.
func (l *Log) Close() error {
	l.refusals.stop()
	err := l.Flush(context.Background())
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	joined := l.next
	l.mu.Unlock()
	if joined != nil {
		<-joined.done // its leader was there before us
	}

	l.writing.Lock()
	defer l.writing.Unlock()
	l.calls.abandon()
	last := l.stamp(logClosed())
	line, encErr := encode(last)
	return errors.Join(err, encErr, l.write(&batch{events: []*Event{last}, lines: [][]byte{line}}), l.sink.close())
}
