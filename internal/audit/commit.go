package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// batch is what one flush writes.
type batch struct {
	events []*Event
	lines  [][]byte
	done   chan struct{}
	err    error // set before done is closed
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
	// Whoever is about to append may do so now, and shares the sync. Where nobody
	// is, this takes no time.
	runtime.Gosched()
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

func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
