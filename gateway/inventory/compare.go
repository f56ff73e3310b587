package inventory

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// Ref names an entry.
type Ref struct {
	Kind fingerprint.Kind
	Key  string
}

// State is how an observed entry stands to what was approved.
type State int

const (
	Same       State = iota + 1
	Changed          // approved under another behavioural digest
	Added            // not approved at all
	Duplicate        // listed more than once: none of them counts
	Unreadable       // no fingerprint can be computed
)

// String is the name used in reports and the audit log.
func (s State) String() string {
	return [...]string{"", "same", "changed", "new", "duplicate", "unreadable"}[s]
}

// Observed is one entry as the server lists it now.
type Observed struct {
	Ref
	State  State
	Raw    jsontext.Value // as listed; the last one of duplicates
	Digest fingerprint.Digest
}

// Approved is what observed entries are compared with: behavioural digests of
// one era, and the _meta pointers that reviewers declared volatile.
type Approved struct {
	ID       string // names this set; comparisons are remembered by it
	Entries  map[Ref]fingerprint.Digest
	Volatile []string
}

// Comparison is a listing held against an approval.
type Comparison struct {
	entries map[Ref]Observed
}

// Lookup returns the observed entry; false when the server does not list it.
func (c *Comparison) Lookup(ref Ref) (Observed, bool) {
	o, ok := c.entries[ref]
	return o, ok
}

// All yields every observed entry, in no order.
func (c *Comparison) All(yield func(Observed) bool) {
	for _, o := range c.entries {
		if !yield(o) {
			return
		}
	}
}

// Compare holds the snapshot against an approval, entry by entry: the observed
// entries must be a subset of the approved ones. The root is never compared.
func (s *Snapshot) Compare(approved Approved) *Comparison {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.compared[approved.ID]; ok {
		return c
	}
	c := &Comparison{entries: map[Ref]Observed{}}
	for kind, raws := range entriesOf(s.Listing) {
		for _, raw := range raws {
			o := Judge(kind, raw, approved)
			if _, twice := c.entries[o.Ref]; twice {
				o.State = Duplicate
			}
			c.entries[o.Ref] = o
		}
	}
	s.compared[approved.ID] = c
	return c
}

// Judge fingerprints one raw entry and compares it with what was approved.
func Judge(kind fingerprint.Kind, raw jsontext.Value, approved Approved) Observed {
	entry, err := fingerprint.OfEntry(kind, raw, approved.Volatile)
	if err != nil {
		return Observed{Ref: Ref{Kind: kind, Key: nameOf(kind, raw)}, State: Unreadable, Raw: raw}
	}
	o := Observed{Ref: Ref{kind, entry.Key}, State: Same, Raw: raw, Digest: entry.Behavioural}
	switch want, ok := approved.Entries[o.Ref]; {
	case !ok:
		o.State = Added
	case want != entry.Behavioural:
		o.State = Changed
	}
	return o
}

// nameOf is what an entry without a fingerprint calls itself, so that it is held
// under its name; "" where not even that can be read.
func nameOf(kind fingerprint.Kind, raw jsontext.Value) string {
	var member jsontext.Pointer
	switch kind {
	case fingerprint.KindTool, fingerprint.KindPrompt:
		member = "/name"
	case fingerprint.KindTemplate:
		member = "/uriTemplate"
	case fingerprint.KindResource:
		member = "/uri"
	default:
		return ""
	}
	value, _, _, err := jsonrpc.Get(raw, member)
	if err != nil || value.Kind() != '"' {
		return ""
	}
	name, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return ""
	}
	return string(name)
}

func entriesOf(l *listing.Listing) map[fingerprint.Kind][]jsontext.Value {
	entries := map[fingerprint.Kind][]jsontext.Value{
		fingerprint.KindTool:     l.Tools,
		fingerprint.KindPrompt:   l.Prompts,
		fingerprint.KindTemplate: l.Templates,
		fingerprint.KindResource: l.Resources,
	}
	if l.Instructions != nil {
		text, err := jsontext.AppendQuote(nil, *l.Instructions)
		if err != nil {
			text = jsontext.Value(`null`) // no text: unreadable, so it is never the approved one
		}
		entries[fingerprint.KindInstructions] = []jsontext.Value{text}
	}
	if l.Capabilities != nil {
		entries[fingerprint.KindCapabilities] = []jsontext.Value{l.Capabilities}
	}
	return entries
}
