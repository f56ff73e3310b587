package upstream

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

const maxSessionID = 1024

// httpConn is a conversation over streamable HTTP. In the modern era nothing
// connects its requests; in the legacy era the server may name a session.
type httpConn struct {
	client *Client
	target Target

	mu      sync.Mutex
	version string // negotiated; "" before
	session string
}

func dialHTTP(_ context.Context, c *Client, t Target) error {
	if _, err := t.endpoint(); err != nil {
		return err
	}
	h := &httpConn{client: c, target: t}
	if c.era == protocol.Modern {
		h.version = protocol.VersionModern
	}
	c.conn = h
	return nil
}

// exchange posts a request and reads its answer, which must be the only
// response of the stream.
func (h *httpConn) exchange(ctx context.Context, raw []byte, m *jsonrpc.Message) (*jsonrpc.Message, error) {
	ctx, cancel := h.bound(ctx)
	defer cancel()
	stream, err := Post(ctx, h.target, raw, h.header(m), h.client.lim)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	for {
		event, err := stream.Next()
		switch {
		case err == io.EOF && stream.Status >= 400:
			return nil, h.refused(stream.Status)
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return nil, protocolError("the answer ended without a response")
		case err != nil:
			return nil, err
		case len(event.Data) == 0:
			continue
		}
		got, err := h.client.parse(event.Data)
		switch {
		case err != nil && stream.Status >= 400:
			return nil, h.refused(stream.Status) // JSON, but none of ours
		case err != nil:
			return nil, err
		case got.Kind != jsonrpc.Response:
			h.client.receive(ctx, got)
		case got.IDKey() == m.IDKey():
			return got, h.remember(m, stream.Header)
		case anonymous(got):
			return got, nil
		default:
			return nil, protocolError("a response to another request")
		}
	}
}

func (h *httpConn) send(ctx context.Context, raw []byte, m *jsonrpc.Message) error {
	ctx, cancel := h.bound(ctx)
	defer cancel()
	stream, err := Post(ctx, h.target, raw, h.header(m), h.client.lim)
	if err != nil {
		return err
	}
	defer stream.Close()
	if stream.Status >= 400 {
		return h.refused(stream.Status)
	}
	return nil
}

// bound ends ctx with the conversation too.
func (h *httpConn) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.client.ctx, func() { cancel(h.client.Err()) })
	return ctx, func() { stop(); cancel(nil) }
}

func (h *httpConn) header(m *jsonrpc.Message) http.Header {
	h.mu.Lock()
	defer h.mu.Unlock()
	header := http.Header{}
	if m != nil {
		header = RequestHeader(h.version, m.Method, m.Params)
	} else if h.version != "" {
		header.Set(protocol.HeaderProtocolVersion, h.version)
	}
	if h.session != "" {
		header.Set(protocol.HeaderSessionID, h.session)
	}
	return header
}

// remember takes the session that the answer to initialize names.
func (h *httpConn) remember(m *jsonrpc.Message, header http.Header) error {
	id := header.Get(protocol.HeaderSessionID)
	if m.Method != protocol.MethodInitialize || id == "" {
		return nil
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' || len(id) > maxSessionID {
			return protocolError("a session id that is not visible ASCII")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.session = id
	return nil
}

// refused reads an HTTP error status: 404 within a session ends it.
func (h *httpConn) refused(status int) error {
	h.mu.Lock()
	lost := h.session != "" && status == http.StatusNotFound
	h.mu.Unlock()
	if lost {
		h.client.end(ErrClosed)
	}
	return StatusError(status)
}

func (h *httpConn) negotiated(version string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version = version
}

// close gives the session back, as the legacy specification asks.
func (h *httpConn) close() error {
	header := h.header(nil)
	if header.Get(protocol.HeaderSessionID) == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.client.ctx), closeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, h.target.URL, nil)
	if err != nil {
		return nil
	}
	maps.Copy(req.Header, h.target.Header.Clone())
	maps.Copy(req.Header, header)
	carrier, err := transport(h.target)
	if err != nil {
		return nil
	}
	if resp, err := carrier.RoundTrip(req); err == nil {
		resp.Body.Close() // whatever the server thinks of it, the session is over
	}
	return nil
}

const closeTimeout = 2 * time.Second
