package gateway

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/strikes"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// Strikes says when a server that keeps saying what is blocked is told of, and
// whether it is suspended. Zero fields mean the defaults.
type Strikes struct {
	Limit   int           // blocked messages of one server within Window; 20, from 2 to strikes.MaxLimit
	Window  time.Duration // 10 min
	Suspend time.Duration // 0: no server is suspended
}

// striking are the reasons that scanners give. A server that breaks the protocol
// or speaks out of turn is refused for it and counted nowhere: honest ones do.
var striking = []Reason{ReasonFinding, ReasonRedaction}

// serverStrikes counts what a server said that was blocked, against the server
// and never against whoever asked.
type serverStrikes struct {
	ledger *strikes.Ledger
	record *recorder
	stats  *stats
	log    *slog.Logger
}

func (s serverStrikes) note(ctx context.Context, x *exchange, no *refusal) {
	if !slices.Contains(striking, no.reason) {
		return
	}
	s.stats.struck(x.alias)
	count := s.ledger.Strike(struckServer(x), x.caller.Principal)
	reason := audit.StrikesReached
	switch {
	case !count.Until.IsZero():
		reason = audit.ServerSuspended
	case !count.Reached:
		return
	}
	s.log.WarnContext(ctx, "a server keeps saying what is blocked", "alias", x.alias, "server", x.svc.approval.Server,
		"reason", reason, "strikes", count.Strikes, "principals", count.Principals)
	s.record.complain(ctx, s.record.append(ctx, audit.ServerStruck(audit.Strikes{
		Origin: audit.Origin{Caller: x.caller, Source: x.source},
		Alias:  x.alias, Server: x.svc.approval.Server, Version: x.svc.approval.Version,
		Reason: reason, Strikes: count.Strikes, Principals: count.Principals, Until: count.Until,
	})))
}

func struckServer(x *exchange) strikes.Server {
	return strikes.Server{Tenant: x.caller.Tenant, Name: x.svc.approval.Server, Approval: x.svc.approval.Digest}
}

// notSuspended refuses requests and streams to a suspended server. What calls
// under way need passes: each message of theirs is examined as ever.
type notSuspended struct{ ledger *strikes.Ledger }

func (s notSuspended) do(_ context.Context, x *exchange) *refusal {
	if x.msg != nil && x.msg.Kind != jsonrpc.Request {
		return nil
	}
	left := s.ledger.Suspended(struckServer(x))
	if left == 0 {
		return nil
	}
	no := refuse(ReasonSuspended)
	no.retry = left
	return no
}
