package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// listingScan has the scanners examine raw entries as listing, and remembers
// what they said: the same bytes under the same approval get the same verdict.
type listingScan struct {
	scanners *engine.Live
	record   *recorder
	seen     *pages
}

// objection is why an entry is blocked; pointers lead into the entry.
type objection struct{ rules, pointers []string }

// kindListed is what each list holds.
var kindListed = map[string]fingerprint.Kind{
	"tools": fingerprint.KindTool, "prompts": fingerprint.KindPrompt,
	"resources": fingerprint.KindResource, "resourceTemplates": fingerprint.KindTemplate,
}

// scanEntry examines the entry that a request names, so that what is cut out
// of lists cannot be called either.
type scanEntry struct{ scan listingScan }

func (s scanEntry) do(ctx context.Context, x *exchange) *refusal {
	if x.entry.State != inventory.Same {
		return nil // none is named
	}
	blocked, no := s.scan.examine(ctx, x, x.entry.Kind, []jsontext.Value{x.entry.Raw})
	if no != nil {
		return no
	}
	if why, ok := blocked[0]; ok {
		no := refuse(ReasonFinding)
		no.rules, no.pointers = why.rules, why.pointers
		return no
	}
	return nil
}

// examine returns the objections by index. A scanner that fails says nothing
// about any entry: then the refusal is about all of them.
func (s listingScan) examine(ctx context.Context, x *exchange, kind fingerprint.Kind, entries []jsontext.Value) (map[int]objection, *refusal) {
	if len(entries) == 0 {
		return nil, nil
	}
	key := pageKey(x, kind, entries, s.scanners.Generation())
	if blocked, ok := s.seen.get(key); ok {
		return blocked, nil
	}
	page, member := pageOf(kind, entries)
	page.Era = x.spoken
	m, err := message.FromListing(x.svc.approval.Server, page)
	if err != nil {
		return nil, refuse(ReasonUnexamined).because(err)
	}
	v, no := examine(ctx, x, s.scanners, s.record, m)
	if no != nil {
		return nil, no
	}
	if v.Unexamined || len(v.Failures) > 0 {
		if no := refusalOf(v, engine.ActionBlock); no != nil {
			return nil, no
		}
	}
	blocked := map[int]objection{}
	for _, f := range v.Findings {
		i, tail, ok := elementOf(f.Pointer, member)
		switch {
		case f.Action.Less(engine.ActionBlock):
		case !ok || i >= len(entries):
			return nil, refusalOf(v, engine.ActionBlock)
		case !waivedElsewhere(f, member, tail, entries[i], x.svc.waivers):
			why := blocked[i]
			why.rules, why.pointers = appendOnce(why.rules, f.Rule), appendOnce(why.pointers, tail)
			blocked[i] = why
		}
	}
	if !v.Unexamined && len(v.Failures) == 0 { // else the next look may see more
		s.seen.put(key, blocked)
	}
	return blocked, nil
}

// pageOf is a listing of these entries and nothing else.
func pageOf(kind fingerprint.Kind, entries []jsontext.Value) (page *listing.Listing, member string) {
	switch kind {
	case fingerprint.KindTool:
		return &listing.Listing{Tools: entries}, "tools"
	case fingerprint.KindPrompt:
		return &listing.Listing{Prompts: entries}, "prompts"
	case fingerprint.KindTemplate:
		return &listing.Listing{Templates: entries}, "resourceTemplates"
	default:
		return &listing.Listing{Resources: entries}, "resources"
	}
}

// elementOf takes "/tools/3/description" apart.
func elementOf(pointer, member string) (index int, tail string, ok bool) {
	rest, ok := strings.CutPrefix(pointer, "/"+member+"/")
	if !ok {
		return 0, "", false
	}
	number, tail, deeper := strings.Cut(rest, "/")
	index, err := strconv.Atoi(number)
	if deeper {
		tail = "/" + tail
	}
	return index, tail, err == nil && index >= 0
}

// waivedElsewhere reports whether a finding is one that was waived at review,
// where the entry stood at another index of the listing: same rule, same place
// in the entry, same value.
func waivedElsewhere(f engine.Finding, member, tail string, raw jsontext.Value, waivers []engine.Waiver) bool {
	value, _, _, err := jsonrpc.Get(raw, jsontext.Pointer(tail))
	if err != nil {
		return false
	}
	canonical, err := fingerprint.Canonical(value)
	if err != nil {
		return false
	}
	for _, w := range waivers {
		_, waivedTail, ok := elementOf(w.Pointer, member)
		if ok && w.Rule == f.Rule && waivedTail == tail && time.Now().Before(w.Expires) &&
			strings.TrimPrefix(w.Leaf, "sha256:") == fingerprint.LeafDigest(w.Pointer, canonical).String() {
			return true
		}
	}
	return false
}

// pages remembers objections by the bytes examined.
type pages struct {
	mu      sync.Mutex
	blocked map[[32]byte]map[int]objection
}

const keptPages = 4096

// pageKey names what a verdict depends on. Scanners that were swapped in
// meanwhile are asked anew.
func pageKey(x *exchange, kind fingerprint.Kind, entries []jsontext.Value, scanners uint64) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %d %d", x.caller.Tenant, x.svc.approval.Digest, x.caller.Kind, kind, scanners)
	for _, raw := range entries {
		fmt.Fprintf(h, " %d:", len(raw))
		h.Write(raw)
	}
	return [32]byte(h.Sum(nil))
}

func (p *pages) get(key [32]byte) (map[int]objection, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	blocked, ok := p.blocked[key]
	return blocked, ok
}

func (p *pages) put(key [32]byte, blocked map[int]objection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.blocked) >= keptPages || p.blocked == nil {
		p.blocked = map[[32]byte]map[int]objection{}
	}
	p.blocked[key] = blocked
}
