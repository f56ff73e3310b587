package bridge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

var (
	// ErrState is a requestState that no call waits under.
	ErrState = errors.New("no call waits for this input")
	// ErrForgotten is a session that its server knows no more: what was sent
	// did nothing.
	ErrForgotten = errors.New("the server forgot the session")
)

// Server is a legacy server as one session sees it.
type Server interface {
	// Send sends one message; version is the one agreed on, "" before.
	Send(ctx context.Context, m *jsonrpc.Message, version string) (Answers, error)
	// Listen opens the stream outside of any request.
	Listen(ctx context.Context, version string) (Answers, error)
	// Close ends the session.
	Close()
}

// Key separates sessions. Nothing of one key's is ever seen under another.
type Key struct {
	Tenant, Principal, KeyID string
	Instance                 string // the server and the credential used towards it
	client                   string // what the client says of itself: the server sees it once per session
}

func (k Key) owner() string { return k.Tenant + "\x00" + k.Principal }

// Config of Servers.
type Config struct {
	Sessions int           // all callers together
	PerOwner int           // of one principal
	Calls    int           // that wait for input, of one principal
	Idle     time.Duration // a session unused this long is closed
	Patience time.Duration // a call waits this long for input
}

// Servers holds the sessions that the gateway opened with legacy servers for
// modern clients, and the calls in them that wait for a client's input.
type Servers struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	sessions map[Key]*session
	parked   map[string]*call // by requestState
}

// NewServers makes an empty set. Close ends every session.
func NewServers(cfg Config) *Servers {
	s := &Servers{cfg: cfg, sessions: map[Key]*session{}, parked: map[string]*call{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.reap)
	return s
}

// Close ends every session.
func (s *Servers) Close() {
	s.cancel()
	s.CloseIf(func(Key) bool { return true })
	s.work.Wait()
}

// CloseIf ends the sessions whose key the condition holds for.
func (s *Servers) CloseIf(condition func(Key) bool) {
	for _, gone := range s.take(func(k Key, _ *session) bool { return condition(k) }) {
		gone.close()
	}
}

// KeyIDs lists the keys that sessions were opened with.
func (s *Servers) KeyIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for key := range s.sessions {
		if !slices.Contains(ids, key.KeyID) {
			ids = append(ids, key.KeyID)
		}
	}
	return ids
}

func (s *Servers) take(condition func(Key, *session) bool) []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var taken []*session
	for key, open := range s.sessions {
		if condition(key, open) {
			taken = append(taken, open)
			delete(s.sessions, key)
		}
	}
	return taken
}

func (s *Servers) reap() {
	ticker := time.NewTicker(max(s.cfg.Idle/8, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-ticker.C:
			for _, gone := range s.take(func(_ Key, open *session) bool { return open.idle(now.Add(-s.cfg.Idle)) }) {
				gone.close()
			}
		}
	}
}

// Ask answers a request of a modern client. dial opens a new session with the
// server where none fits; it is called with the request's own context.
//
// Errors: ErrFull, ErrParams, ErrState, upstream.ErrProtocol, upstream.ErrEra,
// and what dial and the server fail with.
func (s *Servers) Ask(ctx context.Context, key Key, dial func() (Server, error), m *jsonrpc.Message) (Answers, error) {
	if state := jsonrpc.Text(m.Params, "/requestState"); state != "" {
		return s.resume(key, state, m)
	}
	for tries := 0; ; tries++ {
		open, err := s.session(ctx, key, dial, m)
		if errors.Is(err, ErrForgotten) && tries == 0 {
			continue // whom it was opened for before had no luck
		}
		if err != nil {
			return nil, err
		}
		answers, err := open.answer(ctx, m)
		if err == nil {
			return answers, nil
		}
		open.release()
		if !errors.Is(err, ErrForgotten) {
			return nil, err
		}
		s.forget(open) // the server refused the message because it knows the session no more
		if tries > 0 {
			return nil, err
		}
	}
}

// session finds or opens the session for a request, and marks it as in use.
func (s *Servers) session(ctx context.Context, key Key, dial func() (Server, error), m *jsonrpc.Message) (*session, error) {
	hello, err := helloOf(m)
	if err != nil {
		return nil, err
	}
	key.client = string(hello)
	s.mu.Lock()
	open, oldest, own := s.sessions[key], (*session)(nil), 0
	if open == nil {
		for _, other := range s.sessions {
			if other.key.owner() == key.owner() {
				own++
				if other.idle(time.Now()) && (oldest == nil || other.lastUsed().Before(oldest.lastUsed())) {
					oldest = other
				}
			}
		}
		full := own >= s.cfg.PerOwner || len(s.sessions) >= s.cfg.Sessions
		if full && oldest == nil || s.ctx.Err() != nil {
			s.mu.Unlock()
			return nil, ErrFull
		}
		if full {
			delete(s.sessions, oldest.key)
			defer oldest.close()
		}
		open = newSession(s, key)
		s.sessions[key] = open
	}
	open.use()
	s.mu.Unlock()
	if err := open.ready(ctx, dial, hello); err != nil {
		open.release()
		s.forget(open)
		return nil, err
	}
	return open, nil
}

// forget drops a session that is of no use any more.
func (s *Servers) forget(gone *session) {
	s.mu.Lock()
	if s.sessions[gone.key] == gone {
		delete(s.sessions, gone.key)
	}
	s.mu.Unlock()
	gone.close()
}

// park keeps a call until its client comes back with input.
func (s *Servers) park(c *call, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := 0
	for _, other := range s.parked {
		if other.session.key.owner() == c.session.key.owner() {
			own++
		}
	}
	if own >= s.cfg.Calls {
		return ErrFull
	}
	s.parked[state] = c
	c.timer = time.AfterFunc(s.cfg.Patience, func() {
		if s.unpark(state) == c {
			c.end()
		}
	})
	return nil
}

func (s *Servers) unpark(state string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.parked[state]
	delete(s.parked, state)
	return c
}

// resume continues the call that waits under a state, once and for its owner.
func (s *Servers) resume(key Key, state string, m *jsonrpc.Message) (Answers, error) {
	s.mu.Lock()
	c := s.parked[state]
	if c == nil || c.session.key.owner() != key.owner() || c.session.key.Instance != key.Instance || c.method != m.Method {
		s.mu.Unlock()
		return nil, ErrState
	}
	delete(s.parked, state)
	s.mu.Unlock()
	c.timer.Stop()
	return c.resume(m)
}

// helloOf is what initialize says for a modern client.
func helloOf(m *jsonrpc.Message) (jsontext.Value, error) {
	meta := at(m.Params, "_meta")
	capabilities, info := at(meta, metaCapabilities), at(meta, metaClientInfo)
	if info.Kind() != '{' {
		info = jsontext.Value(`{"name":"","version":""}`)
	}
	if capabilities.Kind() != '{' {
		capabilities = jsontext.Value("{}")
	}
	hello, err := with(nil, "clientInfo", info)
	if err == nil {
		hello, err = with(hello, "capabilities", capabilities)
	}
	if err == nil {
		hello, err = with(hello, "protocolVersion", []byte(`"`+latestLegacy+`"`))
	}
	return hello, err
}
