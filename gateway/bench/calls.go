package main

import (
	"context"
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// ways are the endpoints that the same call is made through.
type ways struct{ direct, proxy, gateway endpoint }

func (w *world) legacy() ways {
	return ways{
		endpoint{"direct", w.server.First + "/mcp", "", protocol.Legacy},
		endpoint{"raw proxy", w.proxy.First + "/mcp", "", protocol.Legacy},
		endpoint{"gateway", w.url + "/mcp/echo", w.agent, protocol.Legacy},
	}
}

// merged is the endpoint of all servers as one, whose tools have other names.
func (w *world) merged() endpoint {
	return endpoint{"merged", w.url + "/mcp", w.agent, protocol.Legacy}
}

func (w *world) modern() ways {
	return ways{
		endpoint{"direct", w.server.First + "/modern", "", protocol.Modern},
		endpoint{"raw proxy", w.proxy.First + "/modern", "", protocol.Modern},
		endpoint{"gateway", w.url + "/mcp/modern", w.agent, protocol.Modern},
	}
}

// Sizes of the arguments.
const (
	small = 4 << 10
	large = 100 << 10
)

// records is how many records make an acting call durable: its intent and its
// outcome.
const records = 2

// arms are the loads of one run, connected.
type arms struct {
	direct, proxy, gateway, read    *arm // one connection
	directM, gatewayM               *arm // the same in the modern era
	direct16, proxy16, gateway16    *arm
	directM16, gatewayM16           *arm
	merged16                        *arm
	directBig, proxyBig, gatewayBig *arm
}

// callRows measures calls: what they take longer, what they cost, how many of
// them get through.
func callRows(ctx context.Context, w *world, o options) ([]benchtable.Row, error) {
	var a arms
	var all []*arm
	old, now := w.legacy(), w.modern()
	for _, c := range []struct {
		into **arm
		load load
	}{
		{&a.direct, load{old.direct, "echo", small, 1, w.server}},
		{&a.proxy, load{old.proxy, "echo", small, 1, w.proxy}},
		{&a.gateway, load{old.gateway, "echo", small, 1, w.gateway}},
		{&a.read, load{old.gateway, "read", small, 1, w.gateway}},
		{&a.directM, load{now.direct, "store", small, 1, w.server}},
		{&a.gatewayM, load{now.gateway, "store", small, 1, w.gateway}},
		{&a.direct16, load{old.direct, "echo", small, 16, w.server}},
		{&a.proxy16, load{old.proxy, "echo", small, 16, w.proxy}},
		{&a.gateway16, load{old.gateway, "echo", small, 16, w.gateway}},
		{&a.directM16, load{now.direct, "store", small, 16, w.server}},
		{&a.gatewayM16, load{now.gateway, "store", small, 16, w.gateway}},
		{&a.merged16, load{w.merged(), "echo__echo", small, 16, w.gateway}},
		{&a.directBig, load{old.direct, "echo", large, 1, w.server}},
		{&a.proxyBig, load{old.proxy, "echo", large, 1, w.proxy}},
		{&a.gatewayBig, load{old.gateway, "echo", large, 1, w.gateway}},
	} {
		connected, err := c.load.connect(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.load.at.url, err)
		}
		*c.into = connected
		all = append(all, connected)
		defer connected.close(context.WithoutCancel(ctx))
	}
	d, err := newDisk(w.Dir, records)
	if err != nil {
		return nil, err
	}
	defer d.file.Close()
	turns := []func() error{func() error { return d.take(o.slice / 2) }}
	for _, arm := range all {
		turns = append(turns, func() error {
			if err := arm.take(ctx, o.slice); err != nil {
				return fmt.Errorf("%s, %d connections, %d bytes: %w", arm.at.name, arm.conns, arm.bytes, err)
			}
			return nil
		})
	}
	if err := interleave(o.rounds, turns...); err != nil {
		return nil, err
	}
	return a.rows(d), nil
}

// rows holds the arms to the targets.
func (a *arms) rows(d *disk) []benchtable.Row {
	sync, sync99 := d.at(.5), d.at(.99)
	row := func(what, figure, target string, met benchtable.Verdict, format string, args ...any) benchtable.Row {
		return benchtable.Row{What: what, Figure: figure, Target: target, Met: met, Note: fmt.Sprintf(format, args...)}
	}
	none := benchtable.NoTarget
	aside := func(what, figure, format string, args ...any) benchtable.Row {
		return row(what, figure, "", none, format, args...)
	}
	p50, p99 := a.gateway.added(a.direct, .5), a.gateway.added(a.direct, .99)
	big := a.gatewayBig.added(a.directBig, .5)
	calls, cpu, share := len(a.gateway.turns), a.gateway16.cpu(), a.gateway16.share(a.direct16)
	rows := []benchtable.Row{
		aside("two records on disk, nothing else", ms(sync)+" p50", "p99 %s; written and synced beside the audit log, in turns with the calls", ms(sync99)),
		row("4 KB, 1 connection: added p50, net of that", ms(p50-sync), "≤ 0.8 ms", benchtable.AtMost(p50-sync, 0.8),
			"direct %s, gateway %s; aim ≤ 0.6 ms; %d turns each", ms(a.direct.quantile(.5)), ms(a.gateway.quantile(.5)), calls),
		aside("  with it", ms(p50), "as a client sees it on this disk"),
		aside("  tool approved as read-only, with its one record", ms(a.read.added(a.direct, .5)), "no intent is recorded"),
		aside("  modern era, with two records", ms(a.gatewayM.added(a.directM, .5)), "beside direct calls of that era, %s", ms(a.directM.quantile(.5))),
		aside("  raw proxy instead", ms(a.proxy.added(a.direct, .5)), "checks nothing, records nothing"),
		row("4 KB, 1 connection: p99 above direct, net of the disk's p99", ms(p99-sync99), "≤ 2 ms", benchtable.AtMost(p99-sync99, 2),
			"direct %s, gateway %s, disk %s", ms(a.direct.quantile(.99)), ms(a.gateway.quantile(.99)), ms(sync99)),
		aside("  raw proxy instead", ms(a.proxy.added(a.direct, .99)), "nothing to net out"),
		row("processor a call, 16 connections", us(cpu), "≤ 350 µs", benchtable.AtMost(cpu, 350), "all threads of the gateway, user and kernel; aim ≤ 230 µs"),
		aside("  1 connection", us(a.gateway.cpu()), ""),
		aside("  modern era", us(a.gatewayM16.cpu()), "16 connections"),
		aside("  merged endpoint", us(a.merged16.cpu()), "16 connections; the same server among all, its tool by its merged name"),
		aside("  raw proxy instead", us(a.proxy16.cpu()), "16 connections; the server itself %s", us(a.direct16.cpu())),
		aside("  beside the raw proxy", fmt.Sprintf("%.2f×", cpu/a.proxy16.cpu()), "in the same rounds"),
		row("throughput beside direct, 16 connections", fmt.Sprintf("%.2f×", share), "≥ 0.40×", benchtable.AtLeast(share, .4),
			"%.0f calls a second, direct %.0f; aim ≥ 0.47×; waiting for the disk included", a.gateway16.rate(), a.direct16.rate()),
		aside("  modern era", fmt.Sprintf("%.2f×", a.gatewayM16.share(a.directM16)), "direct %.0f calls a second", a.directM16.rate()),
		aside("  raw proxy instead", fmt.Sprintf("%.2f×", a.proxy16.share(a.direct16)), ""),
		aside("  p50 and p99", ms(a.gateway16.quantile(.5))+", "+ms(a.gateway16.quantile(.99)), "direct %s, %s; raw proxy %s, %s",
			ms(a.direct16.quantile(.5)), ms(a.direct16.quantile(.99)), ms(a.proxy16.quantile(.5)), ms(a.proxy16.quantile(.99))),
		row("100 KB, 1 connection: added p50, net of the disk", ms(big-sync), "≤ 4 ms", benchtable.AtMost(big-sync, 4),
			"direct %s, gateway %s; processor %s a call", ms(a.directBig.quantile(.5)), ms(a.gatewayBig.quantile(.5)), us(a.gatewayBig.cpu())),
		aside("  raw proxy instead", ms(a.proxyBig.added(a.directBig, .5)), ""),
	}
	return rows
}
