package bridge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var (
	// ErrState is a requestState that no call waits under, for this caller and
	// this request.
	ErrState = errors.New("no call waits for this input")
	// ErrForgotten is a session that its server knows no more: what was sent
	// did nothing.
	ErrForgotten = errors.New("the server forgot the session")
	// ErrSessions is a caller, or all together, with as many sessions in use as
	// there may be.
	ErrSessions = errors.New("too many sessions are in use")
	// ErrBusy is what dial answers when a session could be opened if another one
	// of the same caller were closed.
	ErrBusy = errors.New("no room for another session")
)

// Server is a legacy server as one session sees it.
type Server interface {
	// Send sends one message; version is the one agreed on, "" before.
	Send(ctx context.Context, m *jsonrpc.Message, version string) (Answers, error)
	// Listen opens the stream outside of any request, or goes on with a stream
	// after an event of it. ErrForgotten where there is no session any more.
	Listen(ctx context.Context, version, lastEvent string) (Answers, error)
	// Close ends the session.
	Close()
}

// Key separates sessions. Nothing of one key's is ever seen under another.
type Key struct {
	Tenant, Principal, KeyID string
	Server                   string // its name, for Config.Changed
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
	// Changed is told when a server says that one of its lists changed.
	Changed func(Key)
}

// Servers holds the sessions that the gateway opened with legacy servers for
// modern clients, and the calls in them that wait for a client's input.
type Servers struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex // before that of any session
	sessions map[Key]*session
	parked   map[string]*call // by requestState
}

// NewServers makes an empty set. Close ends every session.
func NewServers(cfg Config) *Servers {
	if cfg.Changed == nil {
		cfg.Changed = func(Key) {}
	}
	s := &Servers{cfg: cfg, sessions: map[Key]*session{}, parked: map[string]*call{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.reap)
	return s
}

// Ask answers a request of a modern client. dial opens a new session with the
// server where none fits.
//
// Errors: ErrFull, ErrParams, ErrSessions, ErrState, upstream.ErrProtocol,
// upstream.ErrEra, and what dial and the server fail with.
func (s *Servers) Ask(ctx context.Context, key Key, dial func() (Server, error), m *jsonrpc.Message) (Answers, error) {
	if state := jsonrpc.Text(m.Params, "/requestState"); state != "" && slices.Contains(asksInput, m.Method) {
		return s.resume(key, state, m)
	}
	var answers Answers
	err := s.within(ctx, key, dial, m, func(open *session) (err error) {
		answers, err = open.answer(ctx, m)
		return err
	})
	return answers, err
}

// Tell takes a notification of a modern client to the session that the client
// uses. Those of the protocol end here: a legacy server is told of a cancelled
// call when its answer is closed, and sends no requests to report progress on.
func (s *Servers) Tell(ctx context.Context, key Key, dial func() (Server, error), m *jsonrpc.Message) error {
	if _, defined := protocol.Lookup(m.Method); defined {
		return nil
	}
	return s.within(ctx, key, dial, m, func(open *session) error {
		params, _, err := legacyParams(m.Method, m.Params)
		if err != nil {
			return err
		}
		raw := []byte(m.Raw)
		if m.Params != nil {
			if raw, err = replaced(m, map[string]jsontext.Value{"params": params}); err != nil {
				return err
			}
		}
		if err := open.tell(ctx, raw); err != nil {
			return err
		}
		open.release()
		return nil
	})
}

// within does something in the session that fits, which counts as in use from
// then on unless it fails. Where the server refused the message because it knows
// the session no more, it is done once again, in a new one.
func (s *Servers) within(ctx context.Context, key Key, dial func() (Server, error), m *jsonrpc.Message, do func(*session) error) error {
	for again := true; ; again = false {
		open, err := s.session(ctx, key, dial, m)
		if err == nil {
			if err = do(open); err == nil {
				return nil
			}
			open.release()
			if errors.Is(err, ErrForgotten) {
				s.retire(open)
			}
		}
		forgotten := errors.Is(err, ErrForgotten)
		busy := errors.Is(err, ErrBusy)
		if !again || !forgotten && !(busy && s.makeRoom(key)) {
			return err
		}
	}
}

// Open is the number of sessions, and Waiting that of calls which wait for input.
func (s *Servers) Open() (sessions, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), len(s.parked)
}

// KeyIDs lists the keys that sessions were opened with, those included that let
// nobody new in but hold calls which wait for input.
func (s *Servers) KeyIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	note := func(key Key) {
		if !slices.Contains(ids, key.KeyID) {
			ids = append(ids, key.KeyID)
		}
	}
	for key := range s.sessions {
		note(key)
	}
	for _, c := range s.parked {
		note(c.session.key)
	}
	return ids
}

// CloseIf ends the sessions whose key the condition holds for, and every call
// in them.
func (s *Servers) CloseIf(condition func(Key) bool) {
	s.closeIf(func(k Key, _ *session) bool { return condition(k) })
}

// Close ends every session.
func (s *Servers) Close() {
	s.cancel()
	s.CloseIf(func(Key) bool { return true })
	s.work.Wait()
}

func (s *Servers) closeIf(condition func(Key, *session) bool) {
	s.mu.Lock()
	var gone []*session
	for key, open := range s.sessions {
		if condition(key, open) {
			gone = append(gone, open)
			delete(s.sessions, key)
		}
	}
	for _, c := range s.parked { // of retired sessions, too
		if condition(c.session.key, c.session) {
			gone = append(gone, c.session)
		}
	}
	s.mu.Unlock()
	for _, open := range gone {
		open.close()
	}
}
