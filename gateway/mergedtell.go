package gateway

import (
	"context"
	"net/http"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// What the gateway itself says to the servers of a merged session, through
// every step that a client's message goes through.

// tell sends a server a message whose answer nobody waits for.
func (g *Gateway) tell(ctx context.Context, x *exchange, alias string, s *session, raw []byte) {
	y := x.towards(alias, raw)
	within(y, s)
	_, _ = g.aside(ctx, y) // a refusal is on record
}

// aside passes a message of the gateway's own through all steps and returns
// what the client of a single server would have been answered.
func (g *Gateway) aside(ctx context.Context, y *exchange) (answer *jsonrpc.Message, no *refusal) {
	y.id = audit.NewID()
	p := &part{g: g, x: y, quiet: true, got: func(m *jsonrpc.Message) { answer = m }}
	out := &responder{w: &tracked{ResponseWriter: discard{}}, timeout: g.cfg.WriteTimeout, seal: g.seal, part: p}
	g.pass(ctx, y, out)
	return answer, out.refused
}

// broadcast tells every server that has a session, all at once.
func (g *Gateway) broadcast(ctx context.Context, x *exchange, raw func() []byte) {
	open, _ := x.session.merged.open()
	ctx, cancel := context.WithTimeoutCause(ctx, g.cfg.MergePatience, errTooLong)
	defer cancel()
	var work sync.WaitGroup
	for alias, s := range open {
		work.Go(func() { g.survive(ctx, func() { g.tell(ctx, x, alias, s, raw()) }) })
	}
	work.Wait()
}

// discard is nobody: what is written is gone.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) WriteHeader(int)             {}
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Flush()                      {}
