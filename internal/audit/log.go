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
// commit): the first of them writes and fsyncs for all.
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

// batch is what one flush writes.
type batch struct {
	events []*Event
	lines  [][]byte
	done   chan struct{}
	err    error // set before done is closed
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

// Append writes the event, with time, id and product filled in, and returns its
// id once it is on disk. On any error (all wrap ErrUnavailable) the event is
// not in the log. A record that has been accepted is written even if its caller
// went away meanwhile, so ctx does not cancel: a call that was made has to have
// its outcome recorded.
func (l *Log) Append(ctx context.Context, e *Event) (id string, err error) {
	ids, err := l.appendAll(ctx, e)
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// appendAll writes several events in one flush: all of them or none.
func (l *Log) appendAll(_ context.Context, events ...*Event) (ids []string, err error) {
	stamped := make([]*Event, len(events))
	lines := make([][]byte, len(events))
	ids = make([]string, len(events))
	for i, e := range events {
		s := l.stamp(e)
		if lines[i], err = encode(s); err != nil {
			return nil, unavailable(err)
		}
		stamped[i], ids[i] = s, s.Metadata.UID
	}
	b, leader, err := l.join(stamped, lines)
	if err != nil {
		return nil, err
	}
	if leader {
		l.flush(b)
	}
	<-b.done
	if b.err != nil {
		return nil, b.err
	}
	return ids, nil
}

// join adds to the batch that the next flush takes. The first to join leads.
func (l *Log) join(events []*Event, lines [][]byte) (b *batch, leader bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, false, ErrClosed
	}
	if l.next == nil {
		l.next, leader = &batch{done: make(chan struct{})}, true
	}
	l.next.events = append(l.next.events, events...)
	l.next.lines = append(l.next.lines, lines...)
	return l.next, leader, nil
}

// flush waits for its turn, closes the batch to newcomers and writes it.
func (l *Log) flush(b *batch) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	l.next = nil
	l.mu.Unlock()
	defer close(b.done)
	b.err = ErrUnavailable // stays, should write panic
	b.err = l.write(b)
	l.failed = b.err
}

// write makes a batch durable, together with the outcomes that are owed.
func (l *Log) write(b *batch) error {
	owed := l.calls.owed(b.events)
	lines := make([][]byte, 0, len(owed)+len(b.lines))
	for i, e := range owed {
		owed[i] = l.stamp(e)
		line, err := encode(owed[i])
		if err != nil {
			return unavailable(err)
		}
		lines = append(lines, line)
	}
	lines = append(lines, b.lines...)
	head := func(segment int) ([]byte, error) { return encode(l.stamp(l.calls.header(segment))) }
	if err := l.sink.append(lines, head); err != nil {
		l.calls.lost(b.events)
		return unavailable(err)
	}
	l.calls.settled(owed)
	l.calls.settled(b.events)
	return nil
}

// stamp returns a copy with the members that only the log can know.
func (l *Log) stamp(e *Event) *Event {
	s := *e
	if s.Time == 0 {
		s.Time = l.opts.Now().UnixMilli()
	}
	m := &s.Metadata
	m.Version = SchemaVersion
	m.LogName = appName
	m.Product = Product{Name: "Bartizan", VendorName: "Bartizan", Version: l.opts.Version}
	if l.opts.Feature != "" {
		m.Product.Feature = &Named{Name: l.opts.Feature}
	}
	if m.UID == "" {
		m.UID = l.opts.NewID()
	}
	if s.FindingInfo != nil && s.FindingInfo.UID == "" {
		f := *s.FindingInfo
		f.UID = m.UID
		s.FindingInfo = &f
	}
	if s.ClassUID == ClassAPI && m.CorrelationUID == "" {
		m.CorrelationUID = m.UID
		if s.API != nil {
			api := *s.API
			api.Request = &APIRequest{UID: m.UID}
			s.API = &api
		}
	}
	return &s
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

func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
