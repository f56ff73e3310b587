package gateway

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/restart"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// serverOf is the local server of an exchange: its start, unless behind a
// fence, goes on record before it happens, an end that nobody asked for afterwards.
func (g *Gateway) serverOf(x *exchange) stdio.Server {
	owner := x.caller.Tenant + "\x00" + x.caller.Principal
	origin, alias, server, version := audit.Origin{Caller: x.caller, Source: x.source}, x.alias, x.svc.approval.Server, x.svc.approval.Version
	return stdio.Server{
		Key: owner + "\x00" + x.svc.instance, Owner: owner, Name: server, Target: x.svc.target,
		Before: func() error {
			if fenced(x.svc.target) {
				return nil
			}
			_, err := g.cfg.Audit.Append(context.Background(), audit.UnsafeUsed(origin, "unsafe-run", server))
			return err
		},
		Ended: func(e stdio.End) { g.noteEnded(origin, alias, server, version, e) },
	}
}

// noteEnded tells operator and auditor of a local server that ended by itself.
// What it wrote to standard error is its own text: quoted, bounded, and only
// for whoever turned debugging on.
func (g *Gateway) noteEnded(by audit.Origin, alias, server, version string, e stdio.End) {
	ctx := context.Background()
	g.stats.localEnded(alias)
	reason, level := audit.ServerExited, slog.LevelInfo
	if e.Early >= restart.LoopFrom {
		reason, level = audit.ServerCrashLoop, slog.LevelWarn
	}
	g.log.Log(ctx, level, "local server ended", "alias", alias, "server", server, "reason", reason,
		"ran", e.Ran, "early", e.Early, "pause", e.Pause, "cause", e.Err)
	if g.log.Enabled(ctx, slog.LevelDebug) && len(e.Stderr) > 0 {
		shown := e.Stderr[max(0, len(e.Stderr)-shownStderr):]
		g.log.DebugContext(ctx, "standard error of a local server", "alias", alias, "tail", fmt.Sprintf("%+q", shown))
	}
	_, no := g.record.appendID(ctx, audit.ServerEnded(by, alias, server, version, reason, e.Early))
	g.record.complain(ctx, no)
}

// shownStderr bounds what is shown of a local server's own text.
const shownStderr = 2 << 10

// beforeListing puts the start of a local server for the gateway's own
// conversation on record.
func (g *Gateway) beforeListing(key inventory.Key, t upstream.Target) error {
	if len(t.Command) == 0 || fenced(t) {
		return nil
	}
	_, err := g.cfg.Audit.Append(context.Background(), audit.UnsafeUsed(audit.Origin{}, "unsafe-run", key.Server))
	return err
}
