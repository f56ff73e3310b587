package gateway

import "context"

// A step examines one client message and either lets it go on (nil) or ends it.
type step interface {
	do(ctx context.Context, x *exchange) *refusal
}

// An inboundStep examines one message of an upstream. It may edit or drop it.
type inboundStep interface {
	do(ctx context.Context, x *exchange, in *inbound) *refusal
}

// steps is the pipeline, in the order that is part of the contract. Limits of
// the connection (limits.go) come before, forwarding (relay.go) in between.
func (g *Gateway) steps() ([]step, []inboundStep) {
	entries := fingerprintEntry{listings: g.listings, drift: g.drift}
	scan := listingScan{scanners: g.cfg.Scanners, record: g.record, seen: &pages{}}
	request := []step{
		authenticate{keys: g.cfg.Keys, now: g.cfg.Now},
		parse{sessions: g.sessions, limit: int(g.cfg.BodyBytes)},
		stillOpen{doorway: g.doorway},
		approve{routes: g.routes, unsafeRun: g.cfg.UnsafeRun, minBinding: g.cfg.MinBinding},
		admitMethod{},
		admitReply{},
		openState{key: g.seal},
		entries,
		scanEntry{scan: scan},
		scanRequest{scanners: g.cfg.Scanners, record: g.record},
		recordIntent{record: g.record},
	}
	inbound := []inboundStep{
		knownInbound{},
		noteChange{listings: g.listings},
		checkIntroduction{scanners: g.cfg.Scanners, record: g.record, drift: g.drift},
		checkList{entries: entries, scan: scan},
		scanResult{scanners: g.cfg.Scanners, record: g.record},
		bindState{key: g.seal},
	}
	return request, inbound
}
