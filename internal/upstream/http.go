package upstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	typeJSON   = "application/json"
	typeEvents = "text/event-stream"
)

// plain serves targets that bring no client of their own.
var plain = plainTransport()

// idleConns is how many connections to one server are kept for the next call.
// With fewer than there are calls at once, most calls would begin by dialling.
const idleConns = 64

// bufferBytes lets a message of a few kilobytes and its header go out, and come
// in, in one piece.
const bufferBytes = 8 << 10

func plainTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.DisableCompression = true
	t.MaxIdleConns = 0 // as many as there are hosts
	t.MaxIdleConnsPerHost = idleConns
	t.ReadBufferSize, t.WriteBufferSize = bufferBytes, bufferBytes
	return t
}

// ClientOf is a client for targets whose servers are verified by the
// authorities of a PEM file alone.
func ClientOf(roots string) (*http.Client, error) {
	pem, err := os.ReadFile(roots)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in PEM")
	}
	t := plainTransport()
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t}, nil
}

// Post sends one message over streamable HTTP. header is added to the target's
// and wins over it. The server has CallTimeout to begin its answer, and to end
// it when it is a single JSON body; the caller bounds an event stream by ctx.
func Post(ctx context.Context, t Target, raw []byte, header http.Header, lim Limits) (*Stream, error) {
	fixed := http.Header{"Content-Type": {typeJSON}, "Accept": {typeJSON + ", " + typeEvents}}
	return open(ctx, t, http.MethodPost, raw, []http.Header{t.Header, header, fixed}, lim)
}

// OpenEvents opens the GET stream of the legacy era.
func OpenEvents(ctx context.Context, t Target, header http.Header, lim Limits) (*Stream, error) {
	return open(ctx, t, http.MethodGet, nil, []http.Header{t.Header, header, {"Accept": {typeEvents}}}, lim)
}

// RequestHeader returns the headers that mirror a message into HTTP: the
// protocol version, and in the modern era Mcp-Method and Mcp-Name.
func RequestHeader(version, method string, params jsontext.Value) http.Header {
	h := http.Header{}
	if version != "" {
		h.Set(protocol.HeaderProtocolVersion, version)
	}
	if protocol.EraOf(version) != protocol.Modern {
		return h
	}
	h.Set(protocol.HeaderMethod, method)
	if row, ok := protocol.Lookup(method); ok && row.Entry != "" {
		if raw, _, _, err := jsonrpc.Get(params, jsontext.Pointer("/"+row.Entry)); err == nil && raw.Kind() == '"' {
			if name, err := jsontext.AppendUnquote(nil, raw); err == nil {
				h.Set(protocol.HeaderName, protocol.EncodeHeader(string(name)))
			}
		}
	}
	return h
}

func open(ctx context.Context, t Target, method string, raw []byte, headers []http.Header, lim Limits) (*Stream, error) {
	if _, err := t.endpoint(); err != nil {
		return nil, err
	}
	lim = lim.withDefaults()
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Stream{ctx: ctx, cancel: cancel, max: lim.MessageBytes, timer: time.AfterFunc(lim.CallTimeout, func() {
		cancel(fmt.Errorf("no answer within %s: %w", lim.CallTimeout, context.DeadlineExceeded))
	})}
	req, err := http.NewRequestWithContext(ctx, method, t.URL, bytes.NewReader(raw))
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%w: not a usable request", ErrTarget)
	}
	for _, h := range headers {
		maps.Copy(req.Header, h) // values are shared, and nobody changes them
	}
	req.Header.Set("Accept-Encoding", "identity")
	carrier, err := transport(t)
	if err != nil {
		s.Close()
		return nil, err
	}
	resp, err := carrier.RoundTrip(req)
	if err != nil {
		err = s.failure(err)
		s.Close()
		return nil, err
	}
	s.Status, s.Header, s.body, s.size = resp.StatusCode, resp.Header, resp.Body, resp.ContentLength
	if err := s.accept(resp, method); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// transport is what carries a target's requests. It follows no redirect, as a
// client does that is not told otherwise.
func transport(t Target) (http.RoundTripper, error) {
	var base http.RoundTripper = plain
	switch {
	case t.Client == nil:
	case t.Client.Transport == nil:
		base = http.DefaultTransport
	default:
		base = t.Client.Transport
	}
	if t.Pin == "" {
		return base, nil
	}
	return pinned(base, t.Pin)
}

// Stream is one HTTP answer: a single JSON body, server-sent events, or no
// message at all, which is what a body of any other type counts as. An error
// status is no error: its JSON body, if any, is the message.
type Stream struct {
	Status int
	Header http.Header

	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	body   io.ReadCloser
	max    int64
	size   int64        // that the server says the body has, -1 where it does not
	single bool         // one JSON body, not read yet
	events *eventReader // nil unless an event stream
}

// accept decides how the body is read.
func (s *Stream) accept(resp *http.Response, method string) error {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	encoding := resp.Header.Get("Content-Encoding")
	switch {
	case s.Status >= 300 && s.Status < 400:
		return fmt.Errorf("%w: status %d", ErrRedirect, s.Status)
	case encoding != "" && encoding != "identity", resp.Uncompressed:
		return protocolError("a compressed answer that nobody asked for")
	case resp.ContentLength > s.max:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, resp.ContentLength, s.max)
	case mediaType == typeEvents && s.Status < 300:
		s.timer.Stop()
		s.events = &eventReader{lines: lineReader{src: s.body, max: s.max, ends: "\r\n"}, max: s.max}
	case mediaType == typeJSON && method == http.MethodPost:
		s.single = true
	}
	return nil
}

// maxExpected is how much of a body is made room for before it comes.
const maxExpected = 256 << 10

// Next returns the next message. io.EOF ends a complete stream; a stream cut
// off inside an event is io.ErrUnexpectedEOF.
func (s *Stream) Next() (Event, error) {
	if s.events != nil {
		ev, err := s.events.next()
		return ev, s.failure(err)
	}
	if !s.single {
		return Event{}, io.EOF
	}
	s.single = false
	var body bytes.Buffer
	body.Grow(int(min(max(s.size, 0), maxExpected)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(s.body, s.max+1))
	s.timer.Stop()
	switch {
	case err != nil:
		return Event{}, s.failure(err)
	case int64(body.Len()) > s.max:
		return Event{}, fmt.Errorf("%w: a body of more than %d bytes", ErrTooLarge, s.max)
	case len(bytes.TrimSpace(body.Bytes())) == 0:
		return Event{}, io.EOF
	}
	return Event{Data: body.Bytes()}, nil
}

// Close ends the stream; in the modern era that cancels the request.
func (s *Stream) Close() error {
	s.timer.Stop()
	s.cancel(ErrClosed)
	if s.body == nil {
		return nil
	}
	return s.body.Close()
}

// failure prefers the reason of a cancelled context, and drops the URL that
// net/http puts into its errors: a query may hold a secret.
func (s *Stream) failure(err error) error {
	if err == nil || err == io.EOF || errors.Is(err, ErrTooLarge) {
		return err
	}
	if cause := context.Cause(s.ctx); cause != nil {
		return cause
	}
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return fmt.Errorf("request to server: %w", withURL.Err)
	}
	return err
}
