package audit

import (
	"context"
	"time"
)

// MaxEventBytes bounds one line of the log.
const MaxEventBytes = 256 << 10

// Options of a log. The zero value is right for production.
type Options struct {
	Feature         string           // which door writes: "registry", "gateway" or both
	Version         string           // of the program
	SegmentBytes    int64            // a segment beyond this size is closed; default 64 MiB
	RefusalInterval time.Duration    // how often aggregated refusals are written; default 10 s
	RefusalKeys     int              // distinct refusals kept apart per interval; default 1024
	Now             func() time.Time // default time.Now
	NewID           func() string    // default NewID
}

// Log is the write-ahead log of one process; safe for concurrent use.
type Log struct{}

// Open opens the log.
func Open(path string, opts Options) (*Log, error) { return nil, ErrUnavailable }

// Append returns the event's id once it is durable.
func (l *Log) Append(ctx context.Context, e *Event) (id string, err error) { return "", ErrUnavailable }

// Refusal counts a request without valid credential.
func (l *Log) Refusal(ctx context.Context, reason, source string) (id string) { return "" }

// Flush writes the aggregated refusals now.
func (l *Log) Flush(ctx context.Context) error { return nil }

// Close flushes and releases the log.
func (l *Log) Close() error { return nil }

// NewID returns a fresh audit id (UUIDv7).
func NewID() string { return "" }
