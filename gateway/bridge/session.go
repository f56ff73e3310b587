package bridge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

const (
	metaCapabilities = protocol.MetaClientCapabilities
	metaClientInfo   = protocol.MetaClientInfo
	latestLegacy     = protocol.LatestLegacy
)

// session is one legacy session that the gateway opened for one client.
type session struct {
	servers *Servers
	key     Key
	ctx     context.Context
	cancel  context.CancelFunc

	opening sync.Mutex // held while the session is opened
	server  Server     // nil until then
	hello   jsontext.Value
	version string

	mu        sync.Mutex
	last      int64
	open      int
	used      time.Time
	level     int // index into levels that the server was told, -1 none
	watched   map[string]int
	listeners map[*listener]struct{}
	pumping   bool
}

func newSession(s *Servers, key Key) *session {
	open := &session{servers: s, key: key, level: -1, used: time.Now(), watched: map[string]int{}, listeners: map[*listener]struct{}{}}
	open.ctx, open.cancel = context.WithCancel(s.ctx)
	return open
}

func (s *session) use() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.used = time.Now()
}

func (s *session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.used = time.Now()
}

func (s *session) idle(before time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open == 0 && s.used.Before(before)
}

func (s *session) lastUsed() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

func (s *session) close() {
	s.cancel()
	go func() {
		s.opening.Lock()
		defer s.opening.Unlock()
		if s.server != nil {
			s.server.Close()
		}
	}()
}

func (s *session) nextID() jsontext.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return strconv.AppendInt(nil, s.last, 10)
}

// ready opens the session unless it is open.
func (s *session) ready(ctx context.Context, dial func() (Server, error), hello jsontext.Value) (err error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.ctx.Err() != nil {
		return ErrForgotten
	}
	if s.server != nil {
		return nil
	}
	defer func() {
		if err != nil {
			s.cancel() // whoever waited for it opens another
		}
	}()
	server, err := dial()
	if err != nil {
		return err
	}
	s.server = server
	answer, err := s.ask(ctx, protocol.MethodInitialize, hello)
	if err != nil {
		return err
	}
	version := jsonrpc.Text(answer.Result, "/protocolVersion")
	if answer.Error != nil || protocol.EraOf(version) != protocol.Legacy {
		return upstream.ErrEra
	}
	s.hello, s.version = answer.Result.Clone(), version
	return s.tell(ctx, jsonrpc.NewNotification(protocol.NotificationInitialized, nil))
}

// ask sends a request of the gateway's own.
func (s *session) ask(ctx context.Context, method string, params jsontext.Value) (*jsonrpc.Message, error) {
	id := s.nextID()
	n, _ := strconv.ParseInt(string(id), 10, 64)
	return respond(ctx, func(ctx context.Context, raw []byte) (Answers, error) {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil {
			return nil, err
		}
		return s.send(ctx, m)
	}, jsonrpc.NewRequest(n, method, params), id)
}

// tell sends what no message answers.
func (s *session) tell(ctx context.Context, raw []byte) error {
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		return err
	}
	answers, err := s.send(ctx, m)
	if err != nil {
		return err
	}
	defer answers.Close()
	if status := answers.Status(); status < 200 || status > 299 {
		return upstream.StatusError(status)
	}
	return nil
}

func (s *session) send(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	answers, err := s.server.Send(ctx, m, s.version)
	if err != nil {
		return nil, err
	}
	if s.version != "" && answers.Status() == http.StatusNotFound {
		answers.Close()
		return nil, ErrForgotten
	}
	return answers, nil
}

// answer serves one request. The caller gives the session back on error; else
// closing the answers does.
func (s *session) answer(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	switch m.Method {
	case protocol.MethodDiscover:
		raw, err := discovery(s.hello, m.ID)
		if err != nil {
			return nil, err
		}
		return &held{single: single{raw: raw}, session: s}, nil
	case protocol.MethodSubscriptionsListen:
		return s.listen(ctx, m)
	}
	return s.call(ctx, m)
}

// held is an answer of the gateway's own.
type held struct {
	single
	session *session
}

func (h *held) Close() { h.session.release() }

// discovery turns the result of initialize into that of server/discover.
func discovery(hello, id jsontext.Value) ([]byte, error) {
	info := at(hello, "serverInfo").Clone()
	result, err := without(hello, "protocolVersion", "serverInfo")
	if err == nil && info.Kind() == '{' {
		var meta jsontext.Value
		if meta, err = with(at(result, "_meta"), protocol.MetaServerInfo, info); err == nil {
			result, err = with(result, "_meta", meta)
		}
	}
	if err == nil {
		result, err = with(result, "supportedVersions", []byte(`["`+protocol.VersionModern+`"]`))
	}
	if err == nil {
		result, err = complete(protocol.MethodDiscover, result)
	}
	if err != nil {
		return nil, err
	}
	return jsonrpc.NewResult(id, result), nil
}

// cached are the methods whose results say how long they may be kept.
var cached = []string{
	protocol.MethodDiscover, protocol.MethodToolsList, protocol.MethodPromptsList, protocol.MethodResourcesList,
	protocol.MethodResourcesTemplatesList, protocol.MethodResourcesRead,
}

// complete adds what the modern era demands of every result.
func complete(method string, result jsontext.Value) (jsontext.Value, error) {
	var err error
	if slices.Contains(cached, method) {
		if at(result, "cacheScope") == nil {
			result, err = with(result, "cacheScope", []byte(`"private"`))
		}
		if err == nil && at(result, "ttlMs") == nil {
			result, err = with(result, "ttlMs", []byte("0"))
		}
		if err != nil {
			return nil, err
		}
	}
	return with(result, "resultType", []byte(`"complete"`))
}

// listener is one subscriptions/listen.
type listener struct {
	session *session
	ctx     context.Context
	id      jsontext.Value
	wants   map[string]bool // methods
	uris    []string
	queue   chan []byte
	first   []byte
	once    sync.Once
}

// listen answers subscriptions/listen from the session's stream.
func (s *session) listen(ctx context.Context, m *jsonrpc.Message) (Answers, error) {
	asked := at(m.Params, "notifications")
	l := &listener{session: s, ctx: ctx, id: m.ID, wants: map[string]bool{}, queue: make(chan []byte, 256)}
	agreed := map[string]any{}
	for name, kind := range map[string][2]string{
		"toolsListChanged":     {"tools", protocol.NotificationToolsListChanged},
		"promptsListChanged":   {"prompts", protocol.NotificationPromptsListChanged},
		"resourcesListChanged": {"resources", protocol.NotificationResourcesListChanged},
	} {
		if string(at(asked, name)) == "true" && string(at(s.hello, "capabilities", kind[0], "listChanged")) == "true" {
			agreed[name], l.wants[kind[1]] = true, true
		}
	}
	s.mu.Lock()
	s.listeners[l] = struct{}{}
	if !s.pumping {
		s.pumping = true
		go s.pump()
	}
	s.mu.Unlock()
	if string(at(s.hello, "capabilities", "resources", "subscribe")) == "true" {
		if err := l.subscribe(at(asked, "resourceSubscriptions")); err != nil {
			l.drop()
			return nil, err
		}
		if len(l.uris) > 0 {
			agreed["resourceSubscriptions"] = l.uris
		}
	}
	l.first = jsonrpc.NewNotification(protocol.NotificationSubscriptionsAck, map[string]any{
		"_meta": map[string]any{protocol.MetaSubscriptionID: l.id}, "notifications": agreed,
	})
	return l, nil
}

// subscribe watches resources for this listener, those that the server lets it.
func (l *listener) subscribe(list jsontext.Value) error {
	if list == nil {
		return nil
	}
	elements, err := jsonrpc.Elements(list)
	if err != nil || len(elements) > maxWatched {
		return fmt.Errorf("%w: resourceSubscriptions", ErrParams)
	}
	for _, e := range elements {
		params, err := with(nil, "uri", e.Value)
		if err != nil {
			return err
		}
		uri := jsonrpc.Text(params, "/uri")
		if slices.Contains(l.uris, uri) {
			continue
		}
		l.session.mu.Lock()
		l.session.watched[uri]++
		first := l.session.watched[uri] == 1
		l.session.mu.Unlock()
		if first {
			answer, err := l.session.ask(l.ctx, protocol.MethodResourcesSubscribe, params)
			if err != nil {
				return err
			}
			if answer.Error != nil {
				l.session.unwatch(uri)
				continue
			}
		}
		l.session.mu.Lock() // the pump reads it
		l.uris = append(l.uris, uri)
		l.session.mu.Unlock()
	}
	return nil
}

// unwatch reports whether nobody watches the resource any more.
func (s *session) unwatch(uri string) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched[uri]--; s.watched[uri] > 0 {
		return false
	}
	delete(s.watched, uri)
	return true
}

func (l *listener) Next(ctx context.Context) (upstream.Event, error) {
	if l.first != nil {
		raw := l.first
		l.first = nil
		return upstream.Event{Data: raw}, nil
	}
	select {
	case raw, ok := <-l.queue:
		if !ok {
			return upstream.Event{}, io.EOF
		}
		return upstream.Event{Data: raw}, nil
	case <-ctx.Done():
		return upstream.Event{}, context.Cause(ctx)
	case <-l.session.ctx.Done():
		return upstream.Event{}, io.EOF
	}
}

func (l *listener) Status() int { return http.StatusOK }
func (l *listener) Close()      { l.drop(); l.session.release() }

// drop stops listening.
func (l *listener) drop() {
	l.session.mu.Lock()
	delete(l.session.listeners, l)
	uris := l.uris
	l.session.mu.Unlock()
	for _, uri := range uris {
		if l.session.unwatch(uri) {
			go func() {
				ctx, cancel := context.WithTimeout(l.session.ctx, 10*time.Second)
				defer cancel()
				if params, err := with(nil, "uri", strconv.AppendQuote(nil, uri)); err == nil {
					_, _ = l.session.ask(ctx, protocol.MethodResourcesUnsubscribe, params) // less than asked for harms nobody
				}
			}()
		}
	}
}

// pump reads the session's stream for all listeners, as long as there are any.
func (s *session) pump() {
	opened := false
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.pumping = false; !opened {
			return // a server without such a stream has nothing to tell
		}
		for l := range s.listeners { // the stream is over; clients ask anew
			l.once.Do(func() { close(l.queue) })
			delete(s.listeners, l)
		}
	}()
	answers, err := s.server.Listen(s.ctx, s.version)
	if err != nil {
		return
	}
	defer answers.Close()
	if opened = answers.Status() == http.StatusOK; !opened {
		return
	}
	for {
		ev, err := answers.Next(s.ctx)
		if err != nil {
			return
		}
		if m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{}); err == nil {
			s.outside(m)
		}
	}
}

// outside handles what the server says outside of any request.
func (s *session) outside(m *jsonrpc.Message) {
	switch m.Kind {
	case jsonrpc.Request:
		reply := jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no request is under way", nil)
		if m.Method == protocol.MethodPing {
			reply = jsonrpc.NewResult(m.ID, nil)
		}
		go s.reply(reply)
	case jsonrpc.Notification:
		s.announce(m)
	}
}

func (s *session) reply(raw []byte) {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	_ = s.tell(ctx, raw) // a server that does not take the reply goes without
}

// announce hands a notification to the listeners that want it.
func (s *session) announce(m *jsonrpc.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		if !l.wants[m.Method] && (m.Method != protocol.NotificationResourcesUpdated || !slices.Contains(l.uris, jsonrpc.Text(m.Params, "/uri"))) {
			continue
		}
		meta, err := with(at(m.Params, "_meta"), protocol.MetaSubscriptionID, l.id)
		if err != nil {
			continue
		}
		params, err := with(m.Params, "_meta", meta)
		if err != nil {
			continue
		}
		raw, err := replaced(m, map[string]jsontext.Value{"params": params})
		if err != nil {
			continue
		}
		select {
		case l.queue <- raw:
		default: // too slow: the stream ends, and the client asks anew
			l.once.Do(func() { close(l.queue) })
			delete(s.listeners, l)
		}
	}
}
