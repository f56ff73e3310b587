// Package bridge carries the messages of a client that only starts commands to
// a gateway and back: JSON-RPC lines on standard input and output, streamable
// HTTP on the other side, in both protocol eras.
//
// Messages pass as raw bytes. It must not know approvals, policies or scanners:
// whatever is refused is refused by the gateway.
package bridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Config is what a bridge connects. Zero durations and numbers mean defaults.
type Config struct {
	URL   string // of the MCP endpoint
	Token string // sent as bearer token
	In    io.Reader
	Out   io.Writer
	Log   *slog.Logger

	MessageBytes int           // of one message; 16 MiB
	MaxCalls     int           // under way at once; 256
	Grace        time.Duration // for answers after the input has ended; 2 s
	Patience     time.Duration // with a gateway that cannot be reached; 30 s
}

const (
	// answerTimeout bounds what a client forgets to cancel. How long a call
	// takes is between client, gateway and server.
	answerTimeout  = 24 * time.Hour
	deliverTimeout = time.Minute
	firstRetry     = 100 * time.Millisecond
	maxRetry       = 5 * time.Second
	maxResumes     = 5 // of one answer, without anything new
)

var (
	errInputEnded = errors.New("standard input has ended")
	errCancelled  = errors.New("cancelled by the client")
)

// bridge is one conversation.
type bridge struct {
	Config
	target upstream.Target
	out    *output
	lane   chan delivery // what needs no answer, in order
	work   sync.WaitGroup

	mu     sync.Mutex
	calls  map[string]*call // by id
	modern bool             // the client has spoken the modern era

	// listening lasts as long as the input: nobody waits for the end of a
	// stream that has none.
	listening context.Context
	hangUp    context.CancelFunc

	session session
	params  paramHeaders
}

// Run serves until the input ends, the output fails or ctx ends. The end of the
// input is no error.
func Run(ctx context.Context, c Config) error {
	c = c.withDefaults()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	transport.DisableCompression = true
	defer transport.CloseIdleConnections()
	b := &bridge{
		Config: c,
		target: upstream.Target{
			URL: c.URL, Client: &http.Client{Transport: transport},
			Header: http.Header{"Authorization": {"Bearer " + c.Token}},
		},
		lane:  make(chan delivery, 64),
		calls: map[string]*call{},
	}
	ctx, stop := context.WithCancelCause(ctx)
	b.out = &output{w: c.Out, fail: stop}
	b.listening, b.hangUp = context.WithCancel(ctx)
	defer b.hangUp()
	lines := make(chan []byte)
	go b.read(ctx, lines, stop)
	delivered := make(chan struct{})
	go func() { defer close(delivered); b.deliver(ctx) }()

	b.takeAll(ctx, lines)
	close(b.lane)
	finished := make(chan struct{})
	go func() { <-delivered; b.work.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	stop(errInputEnded)
	<-finished
	b.session.end(b.target)
	if cause := context.Cause(ctx); !errors.Is(cause, errInputEnded) {
		return cause
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.MessageBytes == 0 {
		c.MessageBytes = jsonrpc.DefaultLimits.Bytes
	}
	if c.MaxCalls == 0 {
		c.MaxCalls = 256
	}
	if c.Grace == 0 {
		c.Grace = 2 * time.Second
	}
	if c.Patience == 0 {
		c.Patience = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// read hands lines over until the input ends. What is under way then has Grace
// to finish; streams without an end have not.
func (b *bridge) read(ctx context.Context, lines chan<- []byte, stop context.CancelCauseFunc) {
	defer close(lines)
	in := newInput(b.In, b.MessageBytes)
	for {
		line, err := in.next()
		if errors.Is(err, errLineTooLong) {
			b.out.send(jsonrpc.NewError(nil, codeInvalidRequest, "the message is too large", nil))
			continue
		}
		if err != nil {
			if err != io.EOF {
				b.Log.Warn("standard input failed", "cause", err)
			}
			b.endEndless()
			time.AfterFunc(b.Grace, func() { stop(errInputEnded) })
			return
		}
		select {
		case lines <- line:
		case <-ctx.Done():
			return
		}
	}
}

func (b *bridge) takeAll(ctx context.Context, lines <-chan []byte) {
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return
			}
			b.take(ctx, line)
		case <-ctx.Done():
			return
		}
	}
}

// limits bound one HTTP exchange.
func (b *bridge) limits(timeout time.Duration) upstream.Limits {
	return upstream.Limits{MessageBytes: int64(b.MessageBytes), CallTimeout: timeout}
}

func (b *bridge) parse(raw []byte) (*jsonrpc.Message, error) {
	return jsonrpc.Parse(raw, jsonrpc.Limits{Bytes: b.MessageBytes})
}
