package gateway

import (
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// recollection is what scanners marked in what went to callers, for as long as it
// may come back in what they send: the memory, and with which keys they asked,
// so that a principal who has none any more is forgotten.
type recollection struct {
	memory *flow.Memory

	mu   sync.Mutex
	keys map[flow.Owner][]string
}

// keptKeys is how many keys of one principal are looked up.
const keptKeys = 8

func newRecollection(cfg flow.Config) *recollection {
	return &recollection{memory: flow.New(cfg), keys: map[flow.Owner][]string{}}
}

func ownerOf(c *identity.Caller) flow.Owner {
	return flow.Owner{Tenant: c.Tenant, Principal: c.Principal}
}

func (r *recollection) of(c *identity.Caller) flow.Scope { return r.memory.Of(ownerOf(c)) }

// note keeps the key of a caller of whom something is remembered now.
func (r *recollection) note(c *identity.Caller, now time.Time) {
	if r.of(c).Quiet(now) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	owner := ownerOf(c)
	known := r.keys[owner]
	if slices.Contains(known, c.KeyID) {
		return
	}
	if len(known) == keptKeys {
		known = known[1:]
	}
	r.keys[owner] = append(slices.Clip(known), c.KeyID)
}

// keyIDs are the keys of those of whom something is remembered.
func (r *recollection) keyIDs() (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.keys {
		ids = append(ids, known...)
	}
	return ids
}

// forget drops what has had its time, what came from servers whose approval has
// ended, and what went to principals all of whose keys are dead.
func (r *recollection) forget(tenant string, now time.Time, dead []string, withdrawn func(server string) bool) {
	r.memory.Sweep(now)
	r.memory.ForgetServer(tenant, withdrawn)
	r.mu.Lock()
	defer r.mu.Unlock()
	for owner, known := range r.keys {
		gone := !slices.ContainsFunc(known, func(id string) bool { return !slices.Contains(dead, id) })
		if gone {
			r.memory.Forget(owner)
		}
		if gone || r.memory.Of(owner).Quiet(now) {
			delete(r.keys, owner)
		}
	}
}

// flowOf is what a verdict's record says of earlier messages: where, and from
// where, never what.
func flowOf(hits []engine.FlowHit) (all []audit.FlowHit) {
	for _, h := range hits {
		all = append(all, audit.FlowHit(h))
	}
	return all
}
