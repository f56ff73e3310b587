package stdio

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/demux"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Shared is a local server that several modern clients of one caller talk to.
// Request ids and progress tokens are rewritten on the way in and restored on
// the way out, so that two clients may use the same ones.
type Shared struct {
	pool     *Pool
	server   Server
	refusing chan struct{} // holds a place for each refusal on its way to the process

	mu      sync.Mutex // before that of the pool
	proc    *running
	calls   map[int64]*rewritten
	last    int64
	used    time.Time
	retired bool // another one has taken its place
}

// rewritten is one request under way, with what the client called things.
type rewritten struct {
	*demux.Conversation
	id, token jsontext.Value
	listens   bool // to changes: what names no subscription is for others first
}

// errRetired is a Shared that was found a moment before it ended.
var errRetired = errors.New("the process has been closed")

// Call sends a request, starting the process if it does not run.
func (s *Shared) Call(m *jsonrpc.Message) (*demux.Conversation, error) {
	r, raw, proc, err := s.register(m)
	if errors.Is(err, errRetired) {
		return s.pool.Shared(s.server).Call(m)
	}
	if err != nil {
		return nil, err
	}
	// Never under the lock: a server that does not read until its own output
	// is taken would stop the pump, and with it everybody.
	if err := proc.Send(raw); err != nil {
		r.Close()
		return nil, demux.ErrGone
	}
	return r.Conversation, nil
}

func (s *Shared) register(m *jsonrpc.Message) (*rewritten, []byte, *running, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = time.Now()
	if err := s.ensure(); err != nil {
		return nil, nil, nil, err
	}
	s.last++
	id := s.last
	raw, token, err := rewriteRequest(m, id)
	if err != nil {
		return nil, nil, nil, err
	}
	r := &rewritten{id: m.ID, token: token, listens: m.Method == protocol.MethodSubscriptionsListen}
	r.Conversation = demux.New(func() { s.abandon(id) })
	s.calls[id] = r
	return r, raw, s.proc, nil
}

// Send sends a notification.
func (s *Shared) Send(raw []byte) error {
	s.mu.Lock()
	s.used = time.Now()
	err := s.ensure()
	proc := s.proc
	s.mu.Unlock()
	if errors.Is(err, errRetired) {
		return s.pool.Shared(s.server).Send(raw)
	}
	if err != nil {
		return err
	}
	if err := proc.Send(raw); err != nil {
		return demux.ErrGone
	}
	return nil
}

// Close ends the process.
func (s *Shared) Close() error {
	s.mu.Lock()
	proc := s.proc
	s.mu.Unlock()
	if proc == nil {
		return nil
	}
	return proc.Close()
}

// retireIf lets nobody new in, and has the pool forget the process, if the
// condition holds; false also when that was done before.
func (s *Shared) retireIf(condition func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retired || !condition() {
		return false
	}
	s.retired = true
	s.pool.forget(s)
	return true
}

// ensure starts the process. The caller holds s.mu.
func (s *Shared) ensure() error {
	if s.retired {
		return errRetired
	}
	if s.proc != nil {
		return nil
	}
	proc, err := s.pool.start(s.server)
	if err != nil {
		return err
	}
	s.proc, s.calls = proc, map[int64]*rewritten{}
	go s.pump(proc)
	return nil
}

func (s *Shared) pump(proc *running) {
	for raw := range proc.Messages() {
		if m, err := jsonrpc.Parse(raw, jsonrpc.Limits{}); err == nil {
			s.mu.Lock()
			s.route(m)
			s.mu.Unlock()
		}
	}
	proc.ended() // before a next call can start another
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.calls {
		r.End(demux.ErrGone)
	}
	s.proc, s.calls = nil, nil
}

// route hands a message to the request it names. One that names none, as log
// messages do, goes to the only request under way, subscriptions aside; among
// several it goes nowhere rather than to the wrong client. The caller holds s.mu.
func (s *Shared) route(m *jsonrpc.Message) {
	switch m.Kind {
	case jsonrpc.Response:
		if r, id := s.named(m.ID); r != nil {
			r.Deliver(restore(m, r, subInResult, m.ID))
			r.End(nil)
			delete(s.calls, id)
		}
	case jsonrpc.Request: // the modern era has none: input is asked for inside results
		s.refuse(m)
	case jsonrpc.Notification:
		if token, _, _ := member(m, tokenInNotice); token != nil && m.Method == protocol.NotificationProgress {
			if r, _ := s.named(token); r != nil && r.token != nil {
				r.Deliver(restore(m, r, tokenInNotice, token))
			}
			return
		}
		if sub, _, _ := member(m, subInNotice); sub != nil {
			if r, _ := s.named(sub); r != nil {
				r.Deliver(restore(m, r, subInNotice, sub))
			}
			return
		}
		if r := s.only(); r != nil {
			r.Deliver(m.Raw)
		}
	}
}

// only is the one request under way, subscriptions aside unless there is nothing
// else; nil among several.
func (s *Shared) only() (found *rewritten) {
	for _, r := range s.calls {
		switch {
		case r.listens && len(s.calls) > 1:
		case found != nil:
			return nil
		default:
			found = r
		}
	}
	return found
}

// refusalsAtOnce bounds how many refusals wait for a process to read them.
const refusalsAtOnce = 32

// refuse answers a request of the server's. One that asks faster than it reads
// goes without. The caller holds s.mu.
func (s *Shared) refuse(m *jsonrpc.Message) {
	select {
	case s.refusing <- struct{}{}:
	default:
		return
	}
	proc := s.proc
	go func() {
		defer func() { <-s.refusing }()
		_ = proc.Send(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "the client takes no requests", nil))
	}()
}

// named finds the request that the gateway called by this id or token.
func (s *Shared) named(token jsontext.Value) (*rewritten, int64) {
	id, err := strconv.ParseInt(string(token), 10, 64)
	if err != nil {
		return nil, 0
	}
	return s.calls[id], id
}

// abandon forgets a request whose client left, and tells the server.
func (s *Shared) abandon(id int64) {
	s.mu.Lock()
	r, ok := s.calls[id]
	delete(s.calls, id)
	proc := s.proc
	s.mu.Unlock()
	if ok {
		r.End(nil)
		go proc.Send(jsonrpc.NewNotification(protocol.NotificationCancelled, map[string]int64{"requestId": id}))
	}
}

// rewriteRequest gives a request the id that the process sees, which also
// takes the place of its progress token.
func rewriteRequest(m *jsonrpc.Message, id int64) (raw []byte, token jsontext.Value, err error) {
	name := []byte(strconv.FormatInt(id, 10))
	_, idStart, idEnd, err := jsonrpc.Get(m.Raw, "/id")
	if err != nil {
		return nil, nil, err
	}
	edits := []jsonrpc.Edit{{Start: idStart, End: idEnd, New: name}}
	if value, start, end := member(m, tokenInRequest); value != nil {
		token = value.Clone()
		edit := jsonrpc.Edit{Start: start, End: end, New: name}
		if start < idStart {
			edits = []jsonrpc.Edit{edit, edits[0]}
		} else {
			edits = append(edits, edit)
		}
	}
	raw, err = jsonrpc.Splice(m.Raw, edits...)
	return raw, token, err
}

// restore puts the client's own id or token back: at ptr, and as the id of a
// response. A message that cannot be edited is not delivered as it is, for it
// would name something else to the client.
func restore(m *jsonrpc.Message, r *rewritten, ptr jsontext.Pointer, ours jsontext.Value) []byte {
	var edits []jsonrpc.Edit
	if m.Kind == jsonrpc.Response {
		if _, start, end := member(m, "/id"); end > 0 {
			edits = append(edits, jsonrpc.Edit{Start: start, End: end, New: r.id})
		}
	}
	if value, start, end := member(m, ptr); value != nil && string(value) == string(ours) {
		original := r.id
		if ptr == tokenInNotice {
			original = r.token
		}
		edit := jsonrpc.Edit{Start: start, End: end, New: original}
		if len(edits) > 0 && start < edits[0].Start {
			edits = []jsonrpc.Edit{edit, edits[0]}
		} else {
			edits = append(edits, edit)
		}
	}
	raw, err := jsonrpc.Splice(m.Raw, edits...)
	if err != nil {
		return jsonrpc.NewError(r.id, protocol.CodeInternalError, "the server's answer breaks the protocol", nil)
	}
	return raw
}

// member returns a raw value below a message, nil if absent.
func member(m *jsonrpc.Message, ptr jsontext.Pointer) (val jsontext.Value, start, end int) {
	val, start, end, err := jsonrpc.Get(m.Raw, ptr)
	if err != nil {
		return nil, 0, 0
	}
	return val, start, end
}

const (
	tokenInRequest = jsontext.Pointer("/params/_meta/progressToken")
	tokenInNotice  = jsontext.Pointer("/params/progressToken")
	subInNotice    = jsontext.Pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId")
	subInResult    = jsontext.Pointer("/result/_meta/io.modelcontextprotocol~1subscriptionId")
)
