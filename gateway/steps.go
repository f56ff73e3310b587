package gateway

import "context"

// A step examines one client message and either lets it go on (nil) or ends it.
type step interface {
	do(ctx context.Context, x *exchange) *refusal
}

// grouped is a step with the group that its time is counted for.
type grouped struct {
	group string
	step
}

// An inboundStep examines one message of an upstream. It may edit or drop it.
type inboundStep interface {
	do(ctx context.Context, x *exchange, in *inbound) *refusal
}

// steps is the pipeline, in the order that is part of the contract. Limits of
// the connection (limits.go) come before, forwarding (relay.go) in between.
func (g *Gateway) steps() ([]grouped, []inboundStep) {
	entries := fingerprintEntry{listings: g.listings, drift: g.drift}
	scan := listingScan{scanners: g.cfg.Scanners, record: g.record, seen: &pages{}}
	request := []grouped{
		{GroupIdentify, authenticate{keys: g.cfg.Keys, now: g.cfg.Now}},
		{GroupIdentify, parse{sessions: g.sessions, limit: int(g.cfg.BodyBytes)}},
		{GroupIdentify, startSpan{tracer: g.cfg.Tracer}},
		{GroupIdentify, stillOpen{doorway: g.doorway}},
		{GroupApprove, g.approve()},
		{GroupApprove, notSuspended{ledger: g.strikes.ledger}},
		{GroupApprove, admitMethod{}},
		{GroupApprove, admitReply{}},
		{GroupApprove, openState{key: g.seal}},
		{GroupApprove, ownTask{ledger: g.tasks, entries: entries}},
		{GroupFingerprint, entries},
		{GroupFingerprint, scanEntry{scan: scan}},
		{GroupFingerprint, permitted{book: g.rulebook}},
		{GroupScan, scanRequest{scanners: g.cfg.Scanners, record: g.record, recollection: g.recollection}},
		{GroupScan, permittedAsScanned{book: g.rulebook}},
		{GroupIntent, recordIntent{record: g.record}},
	}
	inbound := []inboundStep{
		knownInbound{},
		foreignTask{ledger: g.tasks, entries: entries},
		noteChange{listings: g.listings},
		checkIntroduction{scanners: g.cfg.Scanners, record: g.record, drift: g.drift},
		checkList{entries: entries, scan: scan},
		scanResult{scanners: g.cfg.Scanners, record: g.record, recollection: g.recollection},
		bindState{key: g.seal},
		noteTask{ledger: g.tasks},
	}
	return request, inbound
}
