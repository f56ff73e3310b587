// Package upstream holds raw conversations with one MCP server, over stdio and
// streamable HTTP, in both protocol eras. Both doors use it, so that both see
// the same bytes.
//
// It must not know approvals, policies or scanners, and it never interprets
// the content of an answer beyond what the conversation itself needs.
package upstream

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var (
	// ErrEra is a server that does not speak the wanted era.
	ErrEra = errors.New("server does not speak this protocol era")
	// ErrCursorLoop is a list whose cursors repeat or whose pages never end.
	ErrCursorLoop = errors.New("list cursors do not end")
	// ErrTooLarge is an answer beyond Limits.
	ErrTooLarge = errors.New("answer is too large")
	// ErrProtocol is an answer that breaks the protocol.
	ErrProtocol = errors.New("server broke the protocol")
	// ErrRedirect is an HTTP redirect, which is never followed.
	ErrRedirect = errors.New("server answered with a redirect")
	// ErrClosed is a conversation that has ended.
	ErrClosed = errors.New("conversation is closed")
	// ErrTarget is a Target that names neither a command nor a URL, or both.
	ErrTarget = errors.New("bad target")
)

// Target says where a server is. Either Command or URL is set.
type Target struct {
	Command []string
	Dir     string
	Env     []string // the full environment: nothing is inherited
	URL     string
	Header  http.Header
	Client  *http.Client
}

// Limits bound a conversation; zero fields mean the defaults.
type Limits struct {
	MessageBytes int64
	ListPages    int
	ListEntries  int
	CallTimeout  time.Duration
	StartTimeout time.Duration
	StderrBytes  int
}

// Process is a server over stdio.
type Process struct{}

// StartProcess starts Target.Command.
func StartProcess(ctx context.Context, t Target, lim Limits) (*Process, error) {
	return nil, ErrTarget
}

// Send writes one message.
func (p *Process) Send(raw []byte) error { return ErrClosed }

// Messages yields raw lines; it is closed when the process is gone.
func (p *Process) Messages() <-chan []byte { return nil }

// Err says why Messages was closed.
func (p *Process) Err() error { return ErrClosed }

// Stderr returns the last bytes that the process wrote to standard error.
func (p *Process) Stderr() []byte { return nil }

// Close kills the process group.
func (p *Process) Close() error { return nil }

// Stream is one HTTP answer: a single JSON body or server-sent events.
type Stream struct {
	Status int
	Header http.Header
}

// Event is one message of a stream.
type Event struct {
	ID    string
	Retry int // milliseconds, 0 = not given
	Data  []byte
}

// Post sends one message over streamable HTTP.
func Post(ctx context.Context, t Target, raw []byte, header http.Header, lim Limits) (*Stream, error) {
	return nil, ErrTarget
}

// OpenEvents opens the legacy GET stream.
func OpenEvents(ctx context.Context, t Target, header http.Header, lim Limits) (*Stream, error) {
	return nil, ErrTarget
}

// Next returns the next message; io.EOF at the end.
func (s *Stream) Next() (Event, error) { return Event{}, ErrClosed }

// Close ends the stream.
func (s *Stream) Close() error { return nil }

// Client is a conversation of Bartizan's own with a server.
type Client struct{}

// Dial opens a conversation in one era.
func Dial(ctx context.Context, t Target, era protocol.Era, lim Limits) (*Client, error) {
	return nil, ErrEra
}

// Call sends one request and returns the whole response message.
func (c *Client) Call(ctx context.Context, method string, params jsontext.Value) (*jsonrpc.Message, error) {
	return nil, ErrClosed
}

// Listing reads all pages of everything the server lists.
func (c *Client) Listing(ctx context.Context) (*listing.Listing, error) { return nil, ErrClosed }

// OnNotification registers the function that receives server notifications.
func (c *Client) OnNotification(f func(*jsonrpc.Message)) {}

// Done is closed when the conversation has ended.
func (c *Client) Done() <-chan struct{} { return nil }

// Close ends the conversation.
func (c *Client) Close() error { return nil }

// Capture lists the server in every era that it speaks.
func Capture(ctx context.Context, t Target, lim Limits) (*listing.Capture, error) {
	return nil, ErrTarget
}
