package gateway

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/measure"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// RequestKind is what requests are counted by. Every member is from a closed
// list or an approval: nobody can make up new ones.
type RequestKind struct {
	Alias   string // of an approved server; "" where none was found, and for all together
	Method  string // as the protocol defines it; "other", "response", "GET", "DELETE"
	Outcome string // "answered" or a Reason
}

// Groups of steps, as their durations are shown.
const (
	GroupIdentify    = "identify"    // authenticate, parse
	GroupApprove     = "approve"     // approval, method, state
	GroupFingerprint = "fingerprint" // the entry, and its own scan
	GroupScan        = "scan"        // of the request
	GroupIntent      = "intent"      // its durable record
	GroupUpstream    = "upstream"    // from sending to the response
	GroupResult      = "result"      // examining the response
	GroupOutcome     = "outcome"     // its durable record
)

// Groups lists them in the order of the pipeline.
var Groups = []string{GroupIdentify, GroupApprove, GroupFingerprint, GroupScan, GroupIntent, GroupUpstream, GroupResult, GroupOutcome}

// Stats are counters since the start, and what is open now.
type Stats struct {
	Requests    map[RequestKind]uint64
	LocalEnds   map[string]uint64          // ends of local servers that nobody asked for, by alias
	Strikes     map[string]uint64          // blocked messages of servers, by alias
	Suspended   int                        // servers, for their strikes
	Total       measure.Reading            // of requests, but for streams without an end of their own
	Groups      map[string]measure.Reading // likewise
	AuditWrite  measure.Reading
	AuditFailed uint64 // records that could not be written
	InFlight    int    // HTTP requests
	Streams     int    // without an end of their own, to clients and for the merged endpoint to servers
	Sessions    int    // of clients
	Bridged     int    // that the gateway holds with legacy servers for modern clients
	Waiting     int    // calls that wait for a modern client's input
	Processes   int
	Draining    bool
}

// stats counts.
type stats struct {
	total, audit measure.Histogram
	auditFailed  atomic.Uint64
	groups       map[string]*measure.Histogram // complete from the start

	mu       sync.Mutex
	requests map[RequestKind]*atomic.Uint64
	ends     map[string]uint64
	strikes  map[string]uint64
}

func newStats() *stats {
	s := &stats{groups: map[string]*measure.Histogram{}, requests: map[RequestKind]*atomic.Uint64{}, ends: map[string]uint64{}, strikes: map[string]uint64{}}
	for _, g := range Groups {
		s.groups[g] = &measure.Histogram{}
	}
	return s
}

// timed counts the time since began for a group and returns the present time.
func (s *stats) timed(group string, began time.Time) time.Time {
	now := time.Now()
	s.groups[group].Observe(now.Sub(began))
	return now
}

// wrote counts the time since began for a record, and that it failed.
func (s *stats) wrote(began time.Time, err error) {
	s.audit.Observe(time.Since(began))
	if err != nil {
		s.auditFailed.Add(1)
	}
}

// done counts an exchange that is over.
func (s *stats) done(x *exchange, httpMethod string, began time.Time) {
	kind := RequestKind{Method: "other", Outcome: "answered"}
	if x.svc != nil {
		kind.Alias = x.alias
	}
	switch {
	case httpMethod == http.MethodGet || httpMethod == http.MethodDelete:
		kind.Method = httpMethod
	case x.msg != nil && x.msg.Kind == jsonrpc.Response:
		kind.Method = "response"
	case x.method.Name != "":
		kind.Method = x.method.Name
	}
	if x.ended != "" {
		kind.Outcome = string(x.ended)
	}
	s.mu.Lock()
	counter := s.requests[kind]
	if counter == nil {
		counter = &atomic.Uint64{}
		s.requests[kind] = counter
	}
	s.mu.Unlock()
	counter.Add(1)
	if httpMethod != http.MethodGet && !x.endless() {
		s.total.Observe(time.Since(began))
	}
}

func (s *stats) localEnded(alias string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[alias]++
}

func (s *stats) struck(alias string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strikes[alias]++
}

// Stats reads the counters.
func (g *Gateway) Stats() Stats {
	s := g.stats
	out := Stats{
		Requests: map[RequestKind]uint64{}, LocalEnds: map[string]uint64{}, Strikes: map[string]uint64{}, Groups: map[string]measure.Reading{},
		Total: s.total.Read(), AuditWrite: s.audit.Read(), AuditFailed: s.auditFailed.Load(),
		Sessions: g.sessions.len(), Processes: g.local.Running(), Suspended: g.strikes.ledger.Suspensions(),
	}
	out.InFlight, out.Draining = g.doorway.state()
	out.Bridged, out.Waiting = g.bridges.Open()
	for _, h := range g.callers.all() {
		if h.endless {
			out.Streams++
		}
	}
	for name, h := range s.groups {
		out.Groups[name] = h.Read()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, n := range s.requests {
		out.Requests[kind] = n.Load()
	}
	for alias, n := range s.ends {
		out.LocalEnds[alias] = n
	}
	for alias, n := range s.strikes {
		out.Strikes[alias] = n
	}
	return out
}
