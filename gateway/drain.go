package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// doorway counts the HTTP requests under way. While it drains, what finishes
// calls under way still comes in; once the last one has left, or the patience
// is over, nothing does.
type doorway struct {
	mu       sync.Mutex
	open     int
	draining bool
	closed   bool
	empty    chan struct{} // closed with the last request, while draining
}

func newDoorway() *doorway { return &doorway{empty: make(chan struct{})} }

// enter counts a request in unless the doorway is closed.
func (d *doorway) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.open++
	return true
}

func (d *doorway) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	d.settle()
}

// settle closes a draining doorway that is empty. The caller holds d.mu.
func (d *doorway) settle() {
	if d.draining && d.open == 0 && !d.closed {
		d.closed = true
		close(d.empty)
	}
}

func (d *doorway) drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
	d.settle()
}

func (d *doorway) isDraining() bool {
	_, draining := d.state()
	return draining
}

func (d *doorway) state() (open int, draining bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open, d.draining
}

// stillOpen refuses new calls while the gateway drains. Replies and
// notifications pass: calls under way wait for them.
type stillOpen struct{ doorway *doorway }

func (s stillOpen) do(_ context.Context, x *exchange) *refusal {
	if x.msg.Kind == jsonrpc.Request && s.doorway.isDraining() {
		return refuse(ReasonShuttingDown)
	}
	return nil
}

// Shutdown drains: /readyz says so at once, streams that have no end of their
// own are ended once no call in their session is under way, new sessions and calls are refused, and calls under way finish
// until ctx ends. Then they are cut, each with its outcome on record, and
// everything is closed.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	server := g.server
	g.mu.Unlock()
	g.doorway.drain()
	if server != nil {
		server.SetKeepAlivesEnabled(false) // clients come back elsewhere
	}
	err := g.await(ctx, g.callers.closeStreams)
	if err != nil {
		cutting, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutPatience)
		defer cancel()
		if g.await(cutting, g.callers.closeAll) != nil {
			g.log.Error("calls did not end when they were cut; their outcome is recorded as unknown")
		}
	}
	if server != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
		defer cancel()
		if late := server.Shutdown(closing); late != nil {
			err = errors.Join(err, late, server.Close())
		}
	}
	g.stop()
	var closing sync.WaitGroup // at once: each may hold what does not want to end
	for _, end := range []func(){g.sessions.closeAll, g.bridges.Close, g.local.Close, g.listings.Close} {
		closing.Go(end)
	}
	closing.Wait()
	g.work.Wait()
	g.drift.close()
	return err
}

// await does what ends exchanges, again and again since new ones were on their
// way, until none is left.
func (g *Gateway) await(ctx context.Context, end func()) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		end()
		select {
		case <-g.doorway.empty:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// cutPatience is for the records and answers of calls that were cut.
const cutPatience = 5 * time.Second

// Close is Shutdown without patience.
func (g *Gateway) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	return g.Shutdown(ctx)
}

const closePatience = 2 * time.Second
