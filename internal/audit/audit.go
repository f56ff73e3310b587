// Package audit records what happened at both doors: OCSF 1.8.0 events in a
// write-ahead log that has a record on disk before the act it speaks of goes
// on. Builders are named for what happened (CallIntent, Approved, KeyRevoked).
//
// The log holds digests, sizes, rule ids and JSON Pointers. It must not know
// payloads, tokens, secrets or free text written by a server or a guest; the
// builders take no parameter that could carry one.
package audit

import "errors"

// SchemaVersion is the OCSF version of every event.
const SchemaVersion = "1.8.0"

var (
	// ErrUnavailable: the record is not durable, so what it speaks of must not
	// happen. The log tries again with the next record.
	ErrUnavailable = errors.New("audit: log unavailable")
	// ErrLocked: another process writes this log.
	ErrLocked = errors.New("audit: log is in use by another process")
	// ErrDevice: the log is a device or pipe, which keeps no records to search.
	ErrDevice = errors.New("audit: a device keeps no records to search")
	// ErrClosed: Append after Close. It wraps ErrUnavailable.
	ErrClosed = errors.Join(ErrUnavailable, errors.New("audit: log closed"))
	// ErrEventTooLarge: an event of more than MaxEventBytes. It wraps
	// ErrUnavailable: an act that cannot be recorded does not happen.
	ErrEventTooLarge = errors.Join(ErrUnavailable, errors.New("audit: event too large"))
)
