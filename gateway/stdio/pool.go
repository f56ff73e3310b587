// Package stdio runs local MCP servers for the gateway and lets several client
// messages share one without mixing: a process per client session in the
// legacy era, a process per caller with rewritten ids in the modern era.
//
// It supervises: a cap of processes, idle processes killed with their group,
// growing pauses after crashes, and never a second try of a call. It must not
// know approvals, scanners or HTTP.
package stdio

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/restart"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// ErrBusy is a process that may not be started because too many run, or
// because the last one crashed a moment ago.
var ErrBusy = errors.New("no process available")

// Server is what a pool starts for somebody.
type Server struct {
	// Key names the server together with its owner and credential: what dies
	// for one owner is not held against another's.
	Key    string
	Owner  string // whose cap it counts towards
	Name   string // for CloseIf
	Target upstream.Target
	// Before runs before every start; its error keeps the process from being
	// started.
	Before func() error
	// Ended is told of every end that nobody here asked for.
	Ended func(End)
}

// End is how a process ended by itself.
type End struct {
	Err    error // host-owned text: the exit status, or what was broken
	Ran    time.Duration
	Early  int           // ends in a row of servers that did not settle
	Pause  time.Duration // until the next start
	Stderr []byte        // last bytes of standard error; the server's text
}

// Config of a Pool.
type Config struct {
	Limits    upstream.Limits
	Processes int           // at once
	PerOwner  int           // at once for one owner
	Idle      time.Duration // a shared process unused this long is closed
}

// Pool starts processes and counts them.
type Pool struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu       sync.Mutex
	total    int
	owners   map[string]int
	shared   map[string]*Shared
	backoffs map[string]*restart.Backoff
}

// NewPool makes an empty pool. Close kills everything in it.
func NewPool(cfg Config) *Pool {
	p := &Pool{cfg: cfg, owners: map[string]int{}, shared: map[string]*Shared{}, backoffs: map[string]*restart.Backoff{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.work.Go(p.reap)
	return p
}

// Close kills every process.
func (p *Pool) Close() {
	p.cancel()
	p.work.Wait()
	p.mu.Lock()
	shared := p.shared
	p.shared = map[string]*Shared{}
	p.mu.Unlock()
	closeAll(slices.Collect(maps.Values(shared)))
}

// closeAll closes processes at once: one that does not want to end must not
// keep the others.
func closeAll(all []*Shared) {
	var work sync.WaitGroup
	for _, s := range all {
		work.Go(func() { s.Close() })
	}
	work.Wait()
}

// SetLimits changes the limits of processes started from now on.
func (p *Pool) SetLimits(l upstream.Limits) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cfg.Limits = l
}

// Running is the number of processes.
func (p *Pool) Running() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// running is one process that counts towards its owner until release.
type running struct {
	*upstream.Process
	release func()
	ended   func() // after its last message, by whoever reads them
}

// start starts a process. It is ErrBusy while its server is in a pause.
func (p *Pool) start(s Server) (*running, error) {
	p.mu.Lock()
	backoff := p.backoffs[s.Key]
	waits := backoff != nil && backoff.Wait(time.Now()) > 0
	if waits || p.ctx.Err() != nil || p.total >= p.cfg.Processes || p.owners[s.Owner] >= p.cfg.PerOwner {
		p.mu.Unlock()
		return nil, ErrBusy
	}
	p.total++
	p.owners[s.Owner]++
	limits := p.cfg.Limits
	p.mu.Unlock()
	release := sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.total--
		if p.owners[s.Owner]--; p.owners[s.Owner] <= 0 {
			delete(p.owners, s.Owner)
		}
	})
	err := s.Before()
	var proc *upstream.Process
	began := time.Now()
	if err == nil {
		if proc, err = upstream.StartProcess(p.ctx, s.Target, limits); err != nil {
			p.noteEnd(s, End{Err: err})
		}
	}
	if err != nil {
		release()
		return nil, err
	}
	return &running{Process: proc, release: release, ended: func() {
		release()
		if proc.Closed() || p.ctx.Err() != nil {
			return
		}
		p.noteEnd(s, End{Err: proc.Err(), Ran: time.Since(began), Stderr: proc.Stderr()})
	}}, nil
}

// noteEnd counts an end that nobody asked for, and tells whose server it was.
func (p *Pool) noteEnd(s Server, e End) {
	p.mu.Lock()
	backoff := p.backoffs[s.Key]
	if backoff == nil {
		backoff = &restart.Backoff{}
		p.backoffs[s.Key] = backoff
	}
	p.mu.Unlock()
	e.Early, e.Pause = backoff.Ended(time.Now(), e.Ran)
	if s.Ended != nil {
		s.Ended(e)
	}
}

// Session starts a process of its own for one legacy client session.
func (p *Pool) Session(s Server) (*Session, error) {
	proc, err := p.start(s)
	if err != nil {
		return nil, err
	}
	return newSession(proc), nil
}

// Shared returns the process that all modern messages with this server's key
// go through; it is started by the first.
func (p *Pool) Shared(server Server) *Shared {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shared[server.Key]
	if s == nil {
		s = &Shared{pool: p, server: server, used: time.Now(), refusing: make(chan struct{}, refusalsAtOnce)}
		p.shared[server.Key] = s
	}
	return s
}

// CloseIf kills the shared processes of the servers whose name the condition
// holds for.
func (p *Pool) CloseIf(condition func(name string) bool) {
	p.mu.Lock()
	var gone []*Shared
	for key, s := range p.shared {
		if condition(s.server.Name) {
			gone = append(gone, s)
			delete(p.shared, key)
		}
	}
	p.mu.Unlock()
	closeAll(gone)
}

// reap closes shared processes that nobody used during Idle, and forgets
// crashes that say nothing any more.
func (p *Pool) reap() {
	ticker := time.NewTicker(max(p.cfg.Idle/4, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-ticker.C:
			p.mu.Lock()
			var idle []*Shared
			for key, s := range p.shared {
				if s.idle(now.Add(-p.cfg.Idle)) {
					idle = append(idle, s)
					delete(p.shared, key)
				}
			}
			for key, b := range p.backoffs {
				if b.Forgettable(now) {
					delete(p.backoffs, key)
				}
			}
			p.mu.Unlock()
			for _, s := range idle {
				s.Close()
			}
		}
	}
}
