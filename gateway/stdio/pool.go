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

	mu       sync.Mutex // after that of any Shared
	closed   bool
	running  map[*running]struct{}
	total    int // running, or about to
	owners   map[string]int
	shared   map[string]*Shared
	backoffs map[string]*restart.Backoff
}

// NewPool makes an empty pool. Close ends everything in it.
func NewPool(cfg Config) *Pool {
	p := &Pool{cfg: cfg, running: map[*running]struct{}{}, owners: map[string]int{}, shared: map[string]*Shared{}, backoffs: map[string]*restart.Backoff{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.work.Go(p.reap)
	return p
}

// Close ends every process, those of sessions included, and starts none any more.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	clear(p.shared)
	left := slices.Collect(maps.Keys(p.running))
	p.mu.Unlock()
	closeAll(left)
	p.cancel() // and with it what was being started
	p.work.Wait()
}

// closeAll closes processes at once: one that does not want to end must not
// keep the others.
func closeAll[P interface{ Close() error }](all []P) {
	var work sync.WaitGroup
	for _, p := range all {
		work.Go(func() { _ = p.Close() })
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
	if waits || p.closed || p.total >= p.cfg.Processes || p.owners[s.Owner] >= p.cfg.PerOwner {
		p.mu.Unlock()
		return nil, ErrBusy
	}
	p.total++
	p.owners[s.Owner]++
	limits := p.cfg.Limits
	p.mu.Unlock()
	started := &running{}
	started.release = sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.running, started)
		p.total--
		if p.owners[s.Owner]--; p.owners[s.Owner] <= 0 {
			delete(p.owners, s.Owner)
		}
	})
	err := s.Before()
	var proc *upstream.Process
	began := time.Now()
	if err == nil {
		if proc, err = upstream.StartProcess(p.ctx, s.Target, limits); err != nil && !errors.Is(err, upstream.ErrBound) {
			p.noteEnd(s, End{Err: err})
		}
	}
	if err != nil {
		started.release()
		return nil, err
	}
	started.Process = proc
	started.ended = func() {
		started.release()
		if proc.Closed() || p.ctx.Err() != nil {
			return
		}
		p.noteEnd(s, End{Err: proc.Err(), Ran: time.Since(began), Stderr: proc.Stderr()})
	}
	p.mu.Lock()
	p.running[started] = struct{}{}
	p.mu.Unlock()
	return started, nil
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

// CloseIf ends the shared processes of the servers whose name the condition
// holds for.
func (p *Pool) CloseIf(condition func(name string) bool) {
	p.closeIf(func(s *Shared) bool {
		return condition(s.server.Name) && s.retireIf(func() bool { return true })
	})
}

// closeIf asks without the lock, which comes after theirs.
func (p *Pool) closeIf(retired func(*Shared) bool) {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.shared))
	p.mu.Unlock()
	closeAll(slices.DeleteFunc(all, func(s *Shared) bool { return !retired(s) }))
}

// forget makes room for another Shared under the same key.
func (p *Pool) forget(gone *Shared) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared[gone.server.Key] == gone {
		delete(p.shared, gone.server.Key)
	}
}

// reap sweeps again and again.
func (p *Pool) reap() {
	ticker := time.NewTicker(max(p.cfg.Idle/4, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-ticker.C:
			p.sweep(now)
		}
	}
}

// sweep ends shared processes that nobody used during Idle, and forgets crashes
// that say nothing any more.
func (p *Pool) sweep(now time.Time) {
	unused := now.Add(-p.cfg.Idle)
	p.closeIf(func(s *Shared) bool {
		return s.retireIf(func() bool { return len(s.calls) == 0 && s.used.Before(unused) })
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, b := range p.backoffs {
		if b.Forgettable(now) {
			delete(p.backoffs, key)
		}
	}
}
