// Package stdio runs local MCP servers for the gateway and lets several client
// messages share one without mixing: a process per client session in the
// legacy era, a process per caller with rewritten ids in the modern era.
//
// It supervises: a cap of processes, idle processes killed with their group, a
// pause after a crash, and never a second try of a call. It must not know
// approvals, scanners or HTTP.
package stdio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

var (
	// ErrBusy is a process that may not be started because too many run, or
	// because the last one crashed a moment ago.
	ErrBusy = errors.New("no process available")
	// ErrGone is a process that ended before it answered.
	ErrGone = errors.New("process ended")
	// ErrIDInUse is a request whose id is under way in the same session.
	ErrIDInUse = errors.New("request id is in use")
	// ErrOverflow is a client that takes messages slower than the server writes them.
	ErrOverflow = errors.New("too many messages wait for the client")
)

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

	mu     sync.Mutex
	total  int
	owners map[string]int
	shared map[string]*Shared
}

// NewPool makes an empty pool. Close kills everything in it.
func NewPool(cfg Config) *Pool {
	p := &Pool{cfg: cfg, owners: map[string]int{}, shared: map[string]*Shared{}}
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
	for _, s := range shared {
		s.Close()
	}
}

// start starts a process that counts towards its owner until release. before
// runs first; its error keeps the process from being started.
func (p *Pool) start(owner string, t upstream.Target, before func() error) (proc *upstream.Process, release func(), err error) {
	p.mu.Lock()
	if p.ctx.Err() != nil || p.total >= p.cfg.Processes || p.owners[owner] >= p.cfg.PerOwner {
		p.mu.Unlock()
		return nil, nil, ErrBusy
	}
	p.total++
	p.owners[owner]++
	p.mu.Unlock()
	release = sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.total--
		if p.owners[owner]--; p.owners[owner] <= 0 {
			delete(p.owners, owner)
		}
	})
	if err = before(); err == nil {
		proc, err = upstream.StartProcess(p.ctx, t, p.cfg.Limits)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return proc, release, nil
}

// Session starts a process of its own for one legacy client session.
func (p *Pool) Session(owner string, t upstream.Target, before func() error) (*Session, error) {
	proc, release, err := p.start(owner, t, before)
	if err != nil {
		return nil, err
	}
	return newSession(proc, release), nil
}

// Shared returns the process that all modern messages with this key go
// through; it is started by the first, and before runs at every start.
func (p *Pool) Shared(key, owner string, t upstream.Target, before func() error) *Shared {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shared[key]
	if s == nil {
		s = &Shared{pool: p, owner: owner, target: t, before: before, used: time.Now()}
		p.shared[key] = s
	}
	return s
}

// reap closes shared processes that nobody used during Idle.
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
			p.mu.Unlock()
			for _, s := range idle {
				s.Close()
			}
		}
	}
}
