package gateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/seal"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// session is a legacy session as the client knows it. Its id is the gateway's
// own; the upstream's is never shown.
type session struct {
	id        string
	tenant    string
	principal string
	keyID     string
	alias     string
	instance  string
	server    string         // the approved name; "" for a session with all servers
	spoken    protocol.Era   // the era of the server's side
	bridge    *bridge.Client // set where the server speaks the modern era
	upstream  string         // the upstream's own session id, "" if it has none
	local     *stdio.Session // set for a local server
	events    *eventSession  // set for a server over HTTP+SSE
	end       func()         // tells the upstream; set once, before the session is found
	merged    *mergedSession // set for a session with all servers
	client    *policy.Client // what the client said of itself

	mu      sync.Mutex
	version string
	used    time.Time
	open    int                 // requests and streams under way
	streams int                 // streams among them
	asked   map[string]struct{} // server requests whose reply is awaited
	calls   map[string]sent     // recent requests, to make sense of replayed answers
	order   []string
	closed  bool
}

// sent is a request that went upstream in this session.
type sent struct{ method, entry string }

// Bounds of what one session remembers.
const (
	maxAsked = 256
	maxSent  = 512
)

func (s *session) protocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

func (s *session) setVersion(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = v
}

// noteAsked expects a reply to a server request; false when too many wait.
func (s *session) noteAsked(id jsontext.Value) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) >= maxAsked {
		return false
	}
	s.asked[idKey(id)] = struct{}{}
	return true
}

// takeAsked reports whether a reply to id is awaited; then it no longer is.
func (s *session) takeAsked(id jsontext.Value) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.asked[idKey(id)]
	delete(s.asked, idKey(id))
	return ok
}

func (s *session) noteSent(id jsontext.Value, call sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := idKey(id)
	if _, again := s.calls[key]; !again {
		s.order = append(s.order, key)
		if len(s.order) > maxSent {
			delete(s.calls, s.order[0])
			s.order = s.order[1:]
		}
	}
	s.calls[key] = call
}

func (s *session) sentAs(id jsontext.Value) (sent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call, ok := s.calls[idKey(id)]
	return call, ok
}

// use marks the session as in use until the returned function is called.
func (s *session) use(now func() time.Time) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.used = now()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		s.used = now()
	}
}

// stream counts a stream that is no request, until the returned function is called.
func (s *session) stream() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.streams--
	}
}

// calling reports whether a request is under way.
func (s *session) calling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open > s.streams
}

func (s *session) idleSince() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, s.open == 0
}

// idKey makes ids comparable: a peer may spell the same string with other escapes.
func idKey(id jsontext.Value) string {
	if s, err := unquote(id); err == nil {
		return "s" + s
	}
	return "n" + string(id)
}

// sessions holds every open session.
type sessions struct {
	cfg Config

	mu   sync.Mutex
	byID map[string]*session
}

func newSessions(cfg Config) *sessions {
	return &sessions{cfg: cfg, byID: map[string]*session{}}
}

// find returns a session to its owner; for anybody else it does not exist.
func (s *sessions) find(id string, caller identity.Caller, alias string) (*session, bool) {
	if !seal.ValidSessionID(id) {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byID[id]
	if !ok || found.tenant != caller.Tenant || found.principal != caller.Principal || found.alias != alias {
		return nil, false
	}
	if found.gone() {
		return nil, false
	}
	return found, true
}

// add opens a session for the caller of x, closing the caller's longest idle
// one if there are too many.
func (s *sessions) add(x *exchange, opened *session) *refusal {
	opened.id = seal.NewSessionID()
	opened.tenant, opened.principal, opened.keyID = x.caller.Tenant, x.caller.Principal, x.caller.KeyID
	opened.alias, opened.spoken = x.alias, x.spoken
	opened.client = x.claimed()
	if x.svc != nil {
		opened.instance, opened.server = x.svc.instance, x.svc.approval.Server
	}
	opened.asked, opened.calls = map[string]struct{}{}, map[string]sent{}
	opened.used = s.cfg.Now()

	s.mu.Lock()
	var oldest *session
	var since time.Time
	own := 0
	for _, other := range s.byID {
		if other.tenant != opened.tenant || other.principal != opened.principal {
			continue
		}
		own++
		if used, idle := other.idleSince(); idle && (oldest == nil || used.Before(since)) {
			oldest, since = other, used
		}
	}
	full := own >= s.cfg.SessionsPerCaller || len(s.byID) >= s.cfg.Sessions
	if full && oldest == nil {
		s.mu.Unlock()
		return refuse(ReasonSessionsExceeded)
	}
	if full {
		delete(s.byID, oldest.id)
	}
	s.byID[opened.id] = opened
	s.mu.Unlock()
	if full {
		oldest.close()
	}
	return nil
}

// remove closes a session.
func (s *sessions) remove(gone *session) {
	s.mu.Lock()
	delete(s.byID, gone.id)
	s.mu.Unlock()
	gone.close()
}

// gone reports whether the server's side of the session has ended by itself.
func (s *session) gone() bool {
	return s.local != nil && s.local.Gone() || s.events != nil && s.events.Gone()
}

func (s *session) close() {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return
	}
	if s.local != nil {
		s.local.Close()
	}
	if s.events != nil {
		s.events.stream.Close()
	}
	if s.bridge != nil {
		s.bridge.Close()
	}
	if s.end != nil {
		go s.end()
	}
}

// closeIf closes every session that the condition holds for, at once: a local
// server that does not want to end must not keep others' sessions open.
func (s *sessions) closeIf(condition func(*session) bool) {
	s.mu.Lock()
	var gone []*session
	for id, candidate := range s.byID {
		if condition(candidate) {
			gone = append(gone, candidate)
			delete(s.byID, id)
		}
	}
	s.mu.Unlock()
	var work sync.WaitGroup
	for _, g := range gone {
		work.Go(g.close)
	}
	work.Wait()
}

func (s *sessions) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}

func (s *sessions) closeAll() { s.closeIf(func(*session) bool { return true }) }

// keyIDs lists the keys that opened sessions, each once.
func (s *sessions) keyIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, open := range s.byID {
		if !slices.Contains(ids, open.keyID) {
			ids = append(ids, open.keyID)
		}
	}
	return ids
}

// reap closes sessions that nobody used during Idle.
func (s *sessions) reap(ctx context.Context) {
	ticker := time.NewTicker(max(s.cfg.Idle/8, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			before := s.cfg.Now().Add(-s.cfg.Idle)
			s.closeIf(func(open *session) bool {
				used, idle := open.idleSince()
				return idle && used.Before(before) || open.gone()
			})
		}
	}
}
