package bridge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// listener is one subscriptions/listen, answered from the session's stream.
type listener struct {
	session *session
	id      jsontext.Value
	wants   map[string]bool // methods
	uris    []string        // the session's to read
	queue   chan []byte     // closed by whoever takes the listener out of the session
	out     [][]byte        // before what is queued
	ended   bool
}

// maxQueued bounds what waits for a client that listens.
const maxQueued = 256

// changes are the notifications of changed lists, each with the member of
// subscriptions/listen that asks for it and the capability of the server's.
var changes = map[string]struct{ wish, capability string }{
	protocol.NotificationToolsListChanged:     {"toolsListChanged", "tools"},
	protocol.NotificationPromptsListChanged:   {"promptsListChanged", "prompts"},
	protocol.NotificationResourcesListChanged: {"resourcesListChanged", "resources"},
}

// listen answers subscriptions/listen. The acknowledgement names what the server
// can tell of (2026-07-28, subscriptions, "Acknowledgment").
func (s *session) listen(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	asked := at(m.Params, "notifications")
	l := &listener{session: s, id: m.ID, wants: map[string]bool{}, queue: make(chan []byte, maxQueued)}
	agreed := map[string]any{}
	for method, change := range changes {
		if string(at(asked, change.wish)) == "true" && string(at(s.hello, "capabilities", change.capability, "listChanged")) == "true" {
			agreed[change.wish], l.wants[method] = true, true
		}
	}
	s.mu.Lock()
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	s.hear(ctx)
	if string(at(s.hello, "capabilities", "resources", "subscribe")) == "true" {
		if err := l.subscribe(ctx, at(asked, "resourceSubscriptions")); err != nil {
			l.drop()
			return nil, err
		}
		if len(l.uris) > 0 {
			agreed["resourceSubscriptions"] = l.uris
		}
	}
	l.out = append(l.out, jsonrpc.NewNotification(protocol.NotificationSubscriptionsAck, map[string]any{
		"_meta": map[string]any{protocol.MetaSubscriptionID: l.id}, "notifications": agreed,
	}))
	return l, nil
}

// subscribe watches resources for this listener, those that the server lets it.
func (l *listener) subscribe(ctx context.Context, list jsontext.Value) error {
	if list == nil {
		return nil
	}
	elements, err := jsonrpc.Elements(list)
	if err != nil || len(elements) > maxWatched {
		return fmt.Errorf("%w: resourceSubscriptions", ErrParams)
	}
	s := l.session
	if err := s.watching.enter(ctx); err != nil {
		return err
	}
	defer s.watching.leave()
	for _, e := range elements {
		params, err := with(nil, "uri", e.Value)
		if err != nil {
			return err
		}
		uri := jsonrpc.Text(params, "/uri")
		if slices.Contains(l.uris, uri) {
			continue
		}
		s.mu.Lock()
		known := s.watched[uri] > 0
		s.mu.Unlock()
		if !known {
			answer, err := s.ask(ctx, protocol.MethodResourcesSubscribe, params)
			if err != nil {
				return err
			}
			if answer.Error != nil {
				continue
			}
		}
		s.mu.Lock()
		s.watched[uri]++
		l.uris = append(l.uris, uri)
		s.mu.Unlock()
	}
	return nil
}

// Next returns the next message; after the last one the result that says that
// the subscription is over.
func (l *listener) Next(ctx context.Context) (upstream.Event, error) {
	if len(l.out) > 0 {
		raw := l.out[0]
		l.out = l.out[1:]
		return upstream.Event{Data: raw}, nil
	}
	if l.ended {
		return upstream.Event{}, io.EOF
	}
	select {
	case raw, ok := <-l.queue:
		if !ok {
			l.ended = true
			raw = jsonrpc.NewResult(l.id, map[string]any{
				"resultType": "complete", "_meta": map[string]any{protocol.MetaSubscriptionID: l.id},
			})
		}
		return upstream.Event{Data: raw}, nil
	case <-ctx.Done():
		return upstream.Event{}, context.Cause(ctx)
	case <-l.session.ctx.Done():
		return upstream.Event{}, io.EOF
	}
}

// Status is that of a success.
func (l *listener) Status() int { return http.StatusOK }

// Close ends the subscription.
func (l *listener) Close() {
	l.drop()
	l.session.release()
}

// drop stops listening, and lets go of the resources that nobody else watches.
func (l *listener) drop() {
	s := l.session
	s.mu.Lock()
	delete(s.listeners, l)
	uris := l.uris
	s.mu.Unlock()
	if len(uris) == 0 {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(s.ctx, replyPatience)
		defer cancel()
		if s.watching.enter(ctx) != nil {
			return // it stays watched as long as the session lives
		}
		defer s.watching.leave()
		for _, uri := range uris {
			s.mu.Lock()
			s.watched[uri]--
			last := s.watched[uri] == 0
			if last {
				delete(s.watched, uri)
			}
			s.mu.Unlock()
			if last {
				params := jsontext.Value(`{"uri":` + string(quoted(uri)) + `}`)
				_, _ = s.ask(ctx, protocol.MethodResourcesUnsubscribe, params) // more than asked for harms nobody
			}
		}
	}()
}

// endListeners tells all who listen that it is over: they ask anew.
func (s *session) endListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		s.endListener(l)
	}
}

// endListener is endListeners for one. The caller holds s.mu.
func (s *session) endListener(l *listener) {
	delete(s.listeners, l)
	close(l.queue)
}

// announce hands a notification to the listeners that want it.
func (s *session) announce(m *jsonrpc.Message) {
	if _, changed := changes[m.Method]; changed {
		s.servers.cfg.Changed(s.key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		if !l.wants[m.Method] && (m.Method != protocol.NotificationResourcesUpdated || !slices.Contains(l.uris, jsonrpc.Text(m.Params, "/uri"))) {
			continue
		}
		raw, err := subscribed(m, l.id)
		if err != nil {
			continue
		}
		select {
		case l.queue <- raw:
		default: // too slow
			s.endListener(l)
		}
	}
}

// subscribed is a notification with the name of its subscription.
func subscribed(m *jsonrpc.Message, id jsontext.Value) ([]byte, error) {
	meta, err := with(at(m.Params, "_meta"), protocol.MetaSubscriptionID, id)
	if err != nil {
		return nil, err
	}
	params, err := with(m.Params, "_meta", meta)
	if err != nil {
		return nil, err
	}
	return replaced(m, map[string]jsontext.Value{"params": params})
}
