package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// checkList goes through a list answer element by element, on the very bytes
// that go to the client: what is not the approved entry, or what a scanner
// blocks, is cut out.
type checkList struct {
	entries  fingerprintEntry
	scanners *engine.Set
	record   *recorder
	seen     *pages
}

// listed is what each list holds.
var listed = map[string]fingerprint.Kind{
	"tools": fingerprint.KindTool, "prompts": fingerprint.KindPrompt,
	"resources": fingerprint.KindResource, "resourceTemplates": fingerprint.KindTemplate,
}

func (s checkList) do(ctx context.Context, x *exchange, in *inbound) *refusal {
	member := in.listOf()
	if member == "" {
		return nil
	}
	kind, ok := listed[member]
	pointer := jsontext.Pointer("/result").AppendToken(member)
	array, start, end, err := jsonrpc.Get(in.msg.Raw, pointer)
	if err != nil || !ok {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	elements, err := jsonrpc.Elements(array)
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	if no := s.entries.list(ctx, x); no != nil {
		return no
	}
	hide, no := s.unapproved(ctx, x, kind, elements)
	if no != nil {
		return no
	}
	if no := s.scan(ctx, x, kind, member, elements, hide); no != nil {
		return no
	}
	in.counts = &audit.Counts{Served: len(elements) - len(hide), Hidden: len(hide)}
	if len(hide) > 0 {
		kept, err := jsonrpc.RemoveElements(array, func(i int) bool { return hide[i] })
		if err != nil {
			return refuse(ReasonInternal).because(err)
		}
		if no := in.splice(jsonrpc.Edit{Start: start, End: end, New: kept}); no != nil {
			return no
		}
	}
	if in.cacheable() && len(hide) > 0 {
		if no := makePrivate(in); no != nil {
			return no
		}
	}
	return capTTL(in)
}

// unapproved marks the elements that are not the approved entry, or that the
// server lists more than once anywhere.
func (s checkList) unapproved(ctx context.Context, x *exchange, kind fingerprint.Kind, elements []jsonrpc.Element) (map[int]bool, *refusal) {
	hide := map[int]bool{}
	at := map[inventory.Ref]int{}
	for i, e := range elements {
		o := inventory.Judge(kind, e.Value, x.svc.approved[x.era])
		if first, twice := at[o.Ref]; twice {
			hide[first], o.State = true, inventory.Duplicate
		}
		at[o.Ref] = i
		if own, ok := x.listed.Lookup(o.Ref); ok && own.State == inventory.Duplicate {
			o.State = inventory.Duplicate
		}
		if o.State != inventory.Same {
			hide[i] = true
			if no := s.entries.drift.report(ctx, x, o); no != nil {
				return nil, no
			}
		}
	}
	return hide, nil
}

// scan has the remaining elements examined as listing and marks those that are
// blocked. A scanner that fails says nothing about any of them.
func (s checkList) scan(ctx context.Context, x *exchange, kind fingerprint.Kind, member string, elements []jsonrpc.Element, hide map[int]bool) *refusal {
	var kept []jsontext.Value
	var index []int
	for i, e := range elements {
		if !hide[i] {
			kept, index = append(kept, e.Value), append(index, i)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	key := pageKey(x, kind, kept)
	if blocked, ok := s.seen.get(key); ok {
		for _, i := range blocked {
			hide[index[i]] = true
		}
		return nil
	}
	page := &listing.Listing{Era: x.era}
	switch kind {
	case fingerprint.KindTool:
		page.Tools = kept
	case fingerprint.KindPrompt:
		page.Prompts = kept
	case fingerprint.KindResource:
		page.Resources = kept
	case fingerprint.KindTemplate:
		page.Templates = kept
	}
	m, err := message.FromListing(x.svc.approval.Server, page)
	if err != nil {
		return refuse(ReasonUnexamined).because(err)
	}
	v, no := examine(ctx, x, s.scanners, s.record, m)
	if no != nil {
		return no
	}
	if v.Unexamined || len(v.Failures) > 0 {
		if no := refusalOf(v, engine.ActionBlock); no != nil {
			return no
		}
	}
	blocked := []int{}
	for _, f := range v.Findings {
		i, tail, ok := elementOf(f.Pointer, member)
		switch {
		case f.Action.Less(engine.ActionBlock):
		case !ok || i >= len(kept):
			return refusalOf(v, engine.ActionBlock)
		case !waivedElsewhere(f, member, tail, kept[i], x.svc.waivers):
			blocked = append(blocked, i)
			hide[index[i]] = true
		}
	}
	s.seen.put(key, blocked)
	return nil
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

// pages remembers which elements of a page were blocked: the same bytes under
// the same approval get the same verdict.
type pages struct {
	mu      sync.Mutex
	blocked map[[32]byte][]int
}

const keptPages = 4096

func pageKey(x *exchange, kind fingerprint.Kind, kept []jsontext.Value) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %d", x.caller.Tenant, x.svc.approval.Digest, x.caller.Kind, kind)
	for _, raw := range kept {
		fmt.Fprintf(h, " %d:", len(raw))
		h.Write(raw)
	}
	return [32]byte(h.Sum(nil))
}

func (p *pages) get(key [32]byte) ([]int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	blocked, ok := p.blocked[key]
	return blocked, ok
}

func (p *pages) put(key [32]byte, blocked []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.blocked) >= keptPages || p.blocked == nil {
		p.blocked = map[[32]byte][]int{}
	}
	p.blocked[key] = blocked
}
