package gateway

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Drift is an observed entry that is not the approved one. Old is the raw entry
// as it was when it last equalled the approval, nil if this gateway never saw
// it so; both texts are hostile and belong in front of a reviewer, escaped.
type Drift struct {
	Tenant   string
	Alias    string
	Server   string
	Version  string
	Approval string // digest of the approval bundle
	Era      protocol.Era
	Kind     fingerprint.Kind
	Key      string
	State    string // changed, new, duplicate or unreadable
	Pointers []string
	Old, New jsontext.Value
}

// driftReporter tells of every observed entry that is not the approved one,
// once per approval and content: in the audit log, then to the hook.
type driftReporter struct {
	hook   func(context.Context, Drift)
	record *recorder
	work   sync.WaitGroup

	mu       sync.Mutex
	seen     map[seenEntry]*inventory.Comparison // last comparison gone through
	good     map[seenEntry]jsontext.Value        // entries as they were when approved
	reported map[seenEntry]bool
	budgets  map[seenEntry]*budget // of records, by approved entry, and for all others together (zero ref)
}

// seenEntry names an entry of an approval, or an approval in an era (zero ref).
type seenEntry struct {
	approval string
	instance string
	era      protocol.Era
	ref      inventory.Ref
	state    inventory.State
	digest   fingerprint.Digest
}

func newDriftReporter(cfg Config, record *recorder) *driftReporter {
	return &driftReporter{
		hook: cfg.OnDrift, record: record, seen: map[seenEntry]*inventory.Comparison{},
		good: map[seenEntry]jsontext.Value{}, reported: map[seenEntry]bool{}, budgets: map[seenEntry]*budget{},
	}
}

// observe goes through a comparison that was not gone through before.
func (d *driftReporter) observe(ctx context.Context, x *exchange) *refusal {
	name := seenEntry{approval: x.svc.approval.Digest, instance: x.svc.instance, era: x.spoken}
	d.mu.Lock()
	known := d.seen[name] == x.listed
	d.mu.Unlock()
	if known {
		return nil
	}
	for o := range x.listed.All {
		if no := d.report(ctx, x, o); no != nil {
			return no
		}
	}
	d.mu.Lock()
	d.seen[name] = x.listed
	d.mu.Unlock()
	return nil
}

// maxRemembered bounds what a hostile server can make the reporter remember;
// beyond it old reports are forgotten and may repeat.
const maxRemembered = 1 << 16

// How many drifts of one approved entry, or of all others of a server together,
// are told of one by one within a while. What is beyond is held as they are, and
// told of in one record: neither the log nor the reviewers are a server's to flood,
// and entries that nobody approved crowd out none that somebody did.
const (
	driftBudget = 64
	driftWindow = 10 * time.Minute
	driftMany   = "many" // reason of the one record
)

// budget is what was spent since.
type budget struct {
	since time.Time
	spent int
}

// spend takes one from a budget and returns what was left of it: 0 once in a
// window. The caller holds d.mu.
func (d *driftReporter) spend(name seenEntry) (left int) {
	now := d.record.now()
	b := d.budgets[name]
	if b == nil || now.Sub(b.since) >= driftWindow {
		if len(d.budgets) >= maxRemembered {
			clear(d.budgets)
		}
		b = &budget{since: now}
		d.budgets[name] = b
	}
	b.spent++
	return driftBudget - b.spent + 1
}

// report tells of one entry.
func (d *driftReporter) report(ctx context.Context, x *exchange, o inventory.Observed) *refusal {
	name := seenEntry{approval: x.svc.approval.Digest, instance: x.svc.instance, era: x.spoken, ref: o.Ref}
	d.mu.Lock()
	if o.State == inventory.Same {
		d.remember(name, o.Raw)
		d.mu.Unlock()
		return nil
	}
	old := d.good[name]
	once := name
	once.state, once.digest = o.State, o.Digest
	again := d.reported[once]
	want, approved := x.svc.approved[x.spoken].Entries[o.Ref]
	left := driftBudget
	if !again {
		left = d.spend(either(approved, name, seenEntry{approval: name.approval, instance: name.instance, era: name.era}))
	}
	d.mu.Unlock()
	switch {
	case again || left < 0:
		return nil
	case left == 0:
		return d.record.append(ctx, audit.DriftFound(audit.Drift{
			Tenant: x.caller.Tenant, Server: x.svc.approval.Server, Version: x.svc.approval.Version, Alias: x.alias,
			Approval: x.svc.approval.Digest, Kind: o.Kind.String(), Key: either(approved, o.Key, ""), Reason: driftMany,
		}))
	}

	drift := Drift{
		Tenant: x.caller.Tenant, Alias: x.alias, Server: x.svc.approval.Server, Version: x.svc.approval.Version,
		Approval: x.svc.approval.Digest, Era: x.spoken, Kind: o.Kind, Key: o.Key, State: o.State.String(),
		Pointers: changedPointers(old, o.Raw), Old: old, New: bytes.Clone(o.Raw),
	}
	event := audit.Drift{
		Tenant: drift.Tenant, Server: drift.Server, Version: drift.Version, Alias: drift.Alias, Approval: drift.Approval,
		Kind: o.Kind.String(), Key: o.Key, Reason: drift.State, Pointers: drift.Pointers, NewDigest: "sha256:" + o.Digest.String(),
	}
	if approved {
		event.OldDigest = "sha256:" + want.String()
	}
	if no := d.record.append(ctx, audit.DriftFound(event)); no != nil {
		return no
	}
	d.mu.Lock()
	if len(d.reported) >= maxRemembered {
		clear(d.reported)
	}
	again = d.reported[once]
	d.reported[once] = true
	d.mu.Unlock()
	if d.hook != nil && !again {
		d.work.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			d.hook(ctx, drift)
		})
	}
	return nil
}

// remember keeps an approved entry's text. The caller holds d.mu.
func (d *driftReporter) remember(name seenEntry, raw jsontext.Value) {
	if _, ok := d.good[name]; ok {
		return
	}
	if len(d.good) >= maxRemembered {
		clear(d.good)
	}
	d.good[name] = bytes.Clone(raw)
}

// pointersFor says where an entry differs from what it was when approved.
func (d *driftReporter) pointersFor(x *exchange, o inventory.Observed) []string {
	d.mu.Lock()
	old := d.good[seenEntry{approval: x.svc.approval.Digest, instance: x.svc.instance, era: x.spoken, ref: o.Ref}]
	d.mu.Unlock()
	return changedPointers(old, o.Raw)
}

func changedPointers(old, now jsontext.Value) []string {
	if old == nil || now == nil {
		return nil
	}
	changes, err := fingerprint.Diff(old, now)
	if err != nil {
		return nil
	}
	var pointers []string
	for _, c := range changes {
		pointers = appendOnce(pointers, c.Pointer)
	}
	return pointers
}

func (d *driftReporter) close() { d.work.Wait() }
