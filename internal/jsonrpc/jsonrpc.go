// Package jsonrpc reads JSON-RPC 2.0 messages strictly and edits them in place.
//
// It knows JSON-RPC, not MCP: no method names, no shapes of params or results.
// It never re-marshals what it was given; an edit replaces the bytes that it
// names and keeps every other byte.
package jsonrpc

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	// ErrMalformed is anything that is not one well-formed JSON-RPC 2.0 message.
	ErrMalformed = errors.New("malformed JSON-RPC message")
	// ErrBatch is a JSON array where a message belongs (MCP 2025-06-18 removed batches).
	ErrBatch = errors.New("JSON-RPC batches are not accepted")
	// ErrTooLarge is a message over Limits.Bytes.
	ErrTooLarge = errors.New("message is too large")
	// ErrTooDeep is a message nested deeper than Limits.Depth.
	ErrTooDeep = errors.New("message is nested too deeply")
	// ErrAmbiguous is a message that two parsers may read differently.
	ErrAmbiguous = errors.New("ambiguous message")
	// ErrNotFound is a JSON Pointer that leads nowhere.
	ErrNotFound = errors.New("no value at this JSON Pointer")
	// ErrEdit is an edit, span or removal that does not fit its document.
	ErrEdit = errors.New("edit does not fit the document")
)

// Limits bound a message before it is parsed.
type Limits struct {
	Bytes int // whole message; 0 means the default
	Depth int // nesting of objects and arrays; 0 means the default
}

// DefaultLimits are 16 MiB and 128 levels.
var DefaultLimits = Limits{Bytes: 16 << 20, Depth: 128}

// Kind is the role of a message.
type Kind int

const (
	Request Kind = iota + 1
	Notification
	Response
)

// Message is one JSON-RPC message. All raw values are sub-slices of Raw.
type Message struct {
	Raw  jsontext.Value // as received, outer whitespace trimmed
	Kind Kind
	// ID is the raw token: a string, or an integer within ±(2^53−1). It is nil
	// for a notification; an error response may have null or none.
	ID     jsontext.Value
	Method string         // visible ASCII
	Params jsontext.Value // an object, nil if absent
	Result jsontext.Value // nil if absent
	Error  jsontext.Value // an object, nil if absent
}
