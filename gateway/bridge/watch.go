package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

var (
	errRenew    = errors.New("the client watches other resources now")
	errReplaced = errors.New("the client opened another stream")
)

// watch is the stream of a legacy client outside of any request (GET). It holds
// a subscriptions/listen, and asks anew when the client's subscriptions change.
type watch struct {
	client *Client
	ask    Ask
	ctx    context.Context
	cancel context.CancelCauseFunc
	renew  chan struct{} // has room for one

	id      jsontext.Value
	current Answers
	reading context.Context // of current; its cause says why it ended
	stop    context.CancelCauseFunc
}

// Listen opens the client's stream. A new one takes over from an older one. A
// server without subscriptions answers with status 405.
func (c *Client) Listen(ctx context.Context, ask Ask) (Answers, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{client: c, ask: ask, ctx: ctx, cancel: cancel, renew: make(chan struct{}, 1)}
	c.mu.Lock()
	if c.stream != nil {
		c.stream.cancel(errReplaced)
	}
	c.stream = w
	c.mu.Unlock()
	if err := w.open(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// open asks the server for what the client wants to hear of, until it was asked
// for what the client wants to hear of now.
func (w *watch) open() error {
	for {
		err := w.listen()
		if err == nil || !errors.Is(context.Cause(w.reading), errRenew) {
			return err
		}
	}
}

func (w *watch) listen() error {
	w.reading, w.stop = context.WithCancelCause(w.ctx)
	w.client.mu.Lock()
	wanted := map[string]any{"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true}
	if len(w.client.watched) > 0 {
		wanted["resourceSubscriptions"] = slices.Clone(w.client.watched)
	}
	w.client.mu.Unlock()
	question, err := jsonrpc.Parse(jsonrpc.NewRequest(0, protocol.MethodSubscriptionsListen, map[string]any{"notifications": wanted}), jsonrpc.Limits{})
	if err != nil {
		return err
	}
	params, err := w.client.params(question.Params)
	if err != nil {
		return err
	}
	w.id = w.client.nextID()
	raw, err := replaced(question, map[string]jsontext.Value{"id": w.id, "params": params})
	if err != nil {
		return err
	}
	go func(reading context.Context, stop context.CancelCauseFunc) {
		select {
		case <-w.renew:
			stop(errRenew)
		case <-reading.Done():
		}
	}(w.reading, w.stop)
	w.current, err = w.ask(w.reading, raw)
	return err
}

// Status says whether there is such a stream.
func (w *watch) Status() int {
	switch status := w.current.Status(); status {
	case http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed:
		return http.StatusMethodNotAllowed
	default:
		return status
	}
}

// Close ends the stream.
func (w *watch) Close() {
	w.cancel(upstream.ErrClosed)
	if w.current != nil {
		w.current.Close()
	}
	w.client.mu.Lock()
	defer w.client.mu.Unlock()
	if w.client.stream == w {
		w.client.stream = nil
	}
}

// Next returns the next notification.
func (w *watch) Next(context.Context) (upstream.Event, error) {
	for {
		_, m, err := read(w.reading, w.current, w.id)
		if err == nil && (m == nil || m.Method == protocol.NotificationSubscriptionsAck) {
			continue
		}
		if err == nil && m.Kind == jsonrpc.Notification {
			raw, err := unsubscribed(m)
			return upstream.Event{Data: raw}, err
		}
		if err == nil { // the server has nothing to tell; the client may want other things later
			<-w.reading.Done()
		}
		switch cause := context.Cause(w.reading); {
		case errors.Is(cause, errRenew):
			w.current.Close()
			if err := w.open(); err != nil {
				return upstream.Event{}, err
			}
		case cause != nil:
			return upstream.Event{}, io.EOF
		default:
			return upstream.Event{}, err
		}
	}
}

// unsubscribed is a notification without the name of its subscription.
func unsubscribed(m *jsonrpc.Message) ([]byte, error) {
	meta := at(m.Params, "_meta")
	if at(meta, protocol.MetaSubscriptionID) == nil {
		return m.Raw, nil
	}
	meta, err := without(meta, protocol.MetaSubscriptionID)
	if err != nil {
		return nil, err
	}
	params, err := with(m.Params, "_meta", meta)
	if err != nil {
		return nil, err
	}
	return replaced(m, map[string]jsontext.Value{"params": params})
}

// subscribe answers resources/subscribe and resources/unsubscribe.
func (c *Client) subscribe(m *jsonrpc.Message, on bool) (Answers, error) {
	uri := jsonrpc.Text(m.Params, "/uri")
	if uri == "" {
		return nil, fmt.Errorf("%w: no uri", ErrParams)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.watched, uri)
	switch {
	case on == (i >= 0):
		return done(m.ID), nil
	case on && len(c.watched) >= maxWatched:
		return nil, ErrFull
	case on:
		c.watched = append(c.watched, uri)
	default:
		c.watched = slices.Delete(c.watched, i, i+1)
	}
	if c.stream != nil {
		select {
		case c.stream.renew <- struct{}{}:
		default: // it is about to ask anew
		}
	}
	return done(m.ID), nil
}
