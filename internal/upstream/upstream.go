// Package upstream holds raw conversations with one MCP server, over stdio and
// streamable HTTP in both protocol eras, and over the deprecated HTTP+SSE. Both doors use it, so that both see
// the same bytes.
//
// It must not know approvals, policies or scanners, and it never interprets
// the content of an answer beyond what the conversation itself needs.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

var (
	// ErrTarget is a Target that names neither a command nor a URL, or both, or
	// one that cannot be used.
	ErrTarget = errors.New("bad target")
	// ErrEra is a server that does not speak the wanted era.
	ErrEra = errors.New("server does not speak this protocol era")
	// ErrBound is a command that is not what its Target is bound to; it was not
	// started. The cause is that of Target.Bind.
	ErrBound = errors.New("not started as bound")
	// ErrPin is a server that did not prove to be who Target.Pin names.
	ErrPin = errors.New("the server is not who the pin names")
	// ErrClosed is a conversation that has ended.
	ErrClosed = errors.New("conversation is closed")
	// ErrProtocol is an answer that breaks the protocol.
	ErrProtocol = errors.New("server broke the protocol")
	// ErrTooLarge is an answer beyond Limits.
	ErrTooLarge = errors.New("answer is too large")
	// ErrCursorLoop is a list whose cursors repeat or whose pages do not end.
	ErrCursorLoop = errors.New("list cursors do not end")
	// ErrRedirect is an HTTP redirect, which is never followed.
	ErrRedirect = errors.New("server answered with a redirect")
	// ErrStatus is an HTTP error status without a JSON-RPC answer.
	ErrStatus = errors.New("server answered with an HTTP error")
)

// Baseline are the variables that a local server gets beside those that its
// approval names: without them an interpreter is not even found. Both doors
// start servers with them, so that both see the same listing.
var Baseline = []string{"PATH", "HOME"}

// Target says where a server is. Either Command or URL is set.
type Target struct {
	// Command is the program and its arguments. A program without a slash is
	// looked up in the PATH of Env.
	Command []string
	Dir     string
	Env     []string // the full environment: nothing is inherited
	// Bind, if set, is asked right before every start, and what it answers is
	// started in the place of Command, Dir and Env.
	Bind func(context.Context) (*Bound, error)
	// ClientName is who Dial says that it is; "" is this program's own name.
	ClientName string

	// URL is the MCP endpoint, http or https. Header goes out with every
	// request. Client carries the caller's dial rules and TLS in its Transport, of
	// which alone use is made; nil is a plain client without proxy. Redirects are
	// refused with any client. Transport is "" for streamable HTTP, or
	// protocol.TransportSSE.
	URL       string
	Transport string
	Header    http.Header
	Client    *http.Client
	// Pin is who must answer, beside the checks that Client makes: "sha256:" and
	// the hex SHA-256 of a public key of the verified chain, or a SPIFFE id.
	Pin string
}

// Bound is a command that was checked a moment ago.
type Bound struct {
	Command []string // [0] is a path
	Dir     string
	Env     []string
	// Program is what is executed, whatever has its name by then; nil goes by
	// name. Whoever starts it closes it.
	Program *os.File
	Fence   confine.Fence
	// Start, if set, starts the command in a way of the binder's own, such as a
	// sandbox; Program, Fence and Limits.Process are for nothing then. When the
	// process that it starts is killed, everything that it started must be.
	Start func(cmd *exec.Cmd, patience time.Duration) error
	// Stdout and Stderr get a copy of what the command writes; nil is nobody. An
	// error of theirs ends the conversation.
	Stdout, Stderr io.Writer
}

// Limits bound a conversation; zero fields mean the defaults.
type Limits struct {
	MessageBytes int64         // one message; 16 MiB
	ListPages    int           // of one list; 200
	ListEntries  int           // of one list; 10 000
	CallTimeout  time.Duration // one call, one whole list, one blocked write; 60 s
	StartTimeout time.Duration // start and handshake; 20 s
	CloseGrace   time.Duration // of a local server, from closed stdin to SIGTERM, and on to SIGKILL; 500 ms
	StderrBytes  int           // kept of standard error; 64 KiB
	Process      confine.Limits
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if l.MessageBytes == 0 {
		l.MessageBytes = 16 << 20
	}
	if l.CallTimeout == 0 {
		l.CallTimeout = 60 * time.Second
	}
	if l.StartTimeout == 0 {
		l.StartTimeout = 20 * time.Second
	}
	if l.CloseGrace == 0 {
		l.CloseGrace = 500 * time.Millisecond
	}
	def(&l.ListPages, 200)
	def(&l.ListEntries, 10_000)
	def(&l.StderrBytes, 64<<10)
	return l
}

// endpoint checks that the target is a URL this package talks to.
func (t Target) endpoint() (*url.URL, error) {
	u, err := url.Parse(t.URL)
	switch {
	case t.URL == "" || len(t.Command) > 0:
		return nil, fmt.Errorf("%w: a URL and no command is needed here", ErrTarget)
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, fmt.Errorf("%w: not an absolute http or https URL", ErrTarget)
	case u.User != nil || u.Fragment != "":
		return nil, fmt.Errorf("%w: a URL with user information or fragment", ErrTarget)
	case t.Pin != "" && u.Scheme != "https":
		return nil, fmt.Errorf("%w: a pin without TLS", ErrTarget)
	case t.Transport != "" && t.Transport != protocol.TransportSSE:
		return nil, fmt.Errorf("%w: unknown transport", ErrTarget)
	}
	return u, nil
}

func protocolError(why string) error { return fmt.Errorf("%w: %s", ErrProtocol, why) }
