package message

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// ErrMalformed means that the input is no MCP message of the expected shape.
var ErrMalformed = errors.New("message: malformed")

// FromListing returns the texts of a whole listing. Pointers start at the
// listing: /instructions, /tools/3/description, /resourceTemplates/0/name.
func FromListing(server string, l *listing.Listing) (*Message, error) { return nil, ErrMalformed }

// FromEntry returns the texts of one entry of a listing, pointers starting at
// the entry itself.
func FromEntry(server string, kind fingerprint.Kind, raw jsontext.Value) (*Message, error) {
	return nil, ErrMalformed
}

// FromRequest returns the texts of what a client sends, a reply to an upstream
// request included. Pointers start at the JSON-RPC message.
func FromRequest(server string, m *jsonrpc.Message) (*Message, error) { return nil, ErrMalformed }

// FromResult returns the texts of what an upstream sends: a response to method
// (entry names what was called), a request or a notification. Pointers start at
// the JSON-RPC message.
func FromResult(server, method, entry string, m *jsonrpc.Message) (*Message, error) {
	return nil, ErrMalformed
}

// FromTool returns what a listing with this one tool would hold.
func FromTool(server string, raw jsontext.Value) (*Message, error) { return nil, ErrMalformed }

// FromArguments returns what a tools/call of this tool would hold.
func FromArguments(server, tool string, arguments jsontext.Value) (*Message, error) {
	return nil, ErrMalformed
}

// FromContent returns what a tools/call result with this one text would hold.
func FromContent(server, tool, content string) (*Message, error) { return nil, ErrMalformed }

// ContextOf returns an entry as other servers' scanners see it.
func ContextOf(server string, kind fingerprint.Kind, raw jsontext.Value) (ContextEntry, error) {
	return ContextEntry{}, ErrMalformed
}
