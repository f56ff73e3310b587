package upstream

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

const (
	watchRetry    = time.Second
	maxWatchRetry = time.Minute
)

const listenParams = `{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}}`

// watchChanges keeps a stream of notifications open while the conversation
// lasts. A server that has none to offer is asked once.
func (c *Client) watchChanges() {
	over, isHTTP := c.conn.(*httpConn)
	if !isHTTP {
		if c.era == protocol.Modern { // a legacy process sends them unasked
			c.listen() // its end is the end of the stream
		}
		return
	}
	follow := over.follow
	if c.era == protocol.Modern {
		follow = c.listen
	}
	for wait := watchRetry; ; wait = min(2*wait, maxWatchRetry) {
		opened := time.Now()
		if !follow() {
			return
		}
		if time.Since(opened) > maxWatchRetry {
			wait = watchRetry // it had been working
		}
		select {
		case <-time.After(wait):
		case <-c.Done():
			return
		}
	}
}

// listen holds a subscriptions/listen request until the server ends it, and
// reports whether to ask again.
func (c *Client) listen() (again bool) {
	raw, m, err := c.request(protocol.MethodSubscriptionsListen, jsontext.Value(listenParams))
	if err != nil {
		return false
	}
	answer, err := c.conn.exchange(c.ctx, raw, m)
	if err != nil {
		var status StatusError
		return !errors.As(err, &status) || status >= 500
	}
	return answer.Error == nil
}

// follow reads the GET stream of the legacy era until it ends, and reports
// whether to open it again. A server without one answers with an error status.
func (h *httpConn) follow() (again bool) {
	ctx, cancel := context.WithCancel(h.client.ctx)
	defer cancel()
	stream, err := OpenEvents(ctx, h.target, h.header(nil), h.client.lim)
	if err != nil {
		return h.client.ctx.Err() == nil
	}
	defer stream.Close()
	if stream.Status >= 300 {
		return stream.Status >= 500
	}
	for {
		event, err := stream.Next()
		if err != nil {
			return true
		}
		if len(event.Data) == 0 {
			continue
		}
		m, err := h.client.parse(event.Data)
		if err != nil {
			return true
		}
		if m.Kind != jsonrpc.Response {
			h.client.receive(ctx, m)
		}
	}
}
