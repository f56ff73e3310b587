package engine

import (
	"slices"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Scope is what a binding is about: every message, those of one server, or those
// about one entry of it.
type Scope struct {
	Server string
	Entry  string // a tool's or prompt's name, or a resource's URI; wants a Server
}

func (s Scope) covers(server, entry string) bool {
	return (s.Server == "" || s.Server == server) && (s.Entry == "" || s.Entry == entry)
}

// narrowness orders the scopes that cover the same message.
func (s Scope) narrowness() int {
	switch {
	case s.Entry != "":
		return 2
	case s.Server != "":
		return 1
	}
	return 0
}

// Demand is what the approval of a server asks of a scanner for the server's
// messages. It only ever adds to how the operator has the scanner run: what is
// milder is not obeyed, and a scanner that is not there denies.
type Demand struct {
	Scanner   string
	Entries   []string // that it is about; none means the whole server
	Digest    string   // the module, sha256:<hex>; "" means any
	Mode      Mode
	OnFailure OnFailure
	// Config has the scanner run once more, with this in place of the operator's
	// configuration. Both verdicts count.
	Config []byte
}

func (d *Demand) concerns(entry string) bool {
	return len(d.Entries) == 0 || slices.Contains(d.Entries, entry)
}

// about reports whether a demand has to do with a message at all.
func (d *Demand) about(m *message.Message) bool {
	if m.Phase != message.PhaseListing {
		return d.concerns(m.Entry)
	}
	return len(d.Entries) == 0 || slices.ContainsFunc(m.Items, func(it message.Item) bool { return d.concerns(it.Key) })
}

// tightened returns o, or a stricter copy of it.
func (d *Demand) tightened(o *Options) *Options {
	enforce := d.Mode == ModeEnforce && (o.Mode != ModeEnforce || o.Tiers.milder())
	deny := d.OnFailure == OnFailureDeny && o.OnFailure != OnFailureDeny
	if !enforce && !deny {
		return o
	}
	strict := *o
	if enforce {
		strict.Mode, strict.Tiers = ModeEnforce, o.Tiers.atLeastDefault()
	}
	if deny {
		strict.OnFailure = OnFailureDeny
	}
	return &strict
}

// binding is how one message is examined and judged by one scanner.
type binding struct {
	scanner *Scanner
	whole   *Options   // for what is said about the message as such
	items   []*Options // by item of a listing; nil means all as whole
}

// of returns how a finding in an item is judged.
func (b *binding) of(item int) *Options {
	if item < len(b.items) {
		return b.items[item]
	}
	return b.whole
}

// asBound is how a scanner is bound itself.
func asBound(s *Scanner) binding { return binding{scanner: s, whole: &s.opts} }

// bind returns how the scanner of a module examines a message: bound as
// narrowly as the operator said, then as strictly as the demands ask. Nothing is
// returned for a scanner that is bound to other servers alone.
func (s *Set) bind(wide *Scanner, m *message.Message, demands []Demand) (b binding, ok bool) {
	narrower := s.narrower[wide]
	if len(narrower) == 0 && len(demands) == 0 && wide.opts.Scope == (Scope{}) {
		return asBound(wide), true
	}
	listing := m.Phase == message.PhaseListing
	entry := m.Entry
	if listing {
		entry = "" // an entry of it is judged by itself, below
	}
	chosen := narrowest(wide, narrower, m.Server, entry)
	if chosen == nil {
		return b, false
	}
	b = asBound(chosen)
	for i := range demands {
		if d := &demands[i]; d.Scanner == wide.manifest.Name && (len(d.Entries) == 0 || !listing && d.concerns(entry)) {
			b.whole = d.tightened(b.whole)
		}
	}
	if listing {
		b.bindItems(wide, narrower, m, demands)
	}
	return b, true
}

// bindItems judges each entry of a listing by its own binding. What is said
// about the listing as such is judged by the strictest of them: an entry that
// was not examined must not hide among others.
func (b *binding) bindItems(wide *Scanner, narrower []*Scanner, m *message.Message, demands []Demand) {
	server := b.whole
	own := make([]*Options, len(m.Items))
	differ := false
	for i, it := range m.Items {
		own[i] = server
		if s := narrowest(wide, narrower, m.Server, it.Key); s != nil && s.opts.Scope.Entry != "" {
			own[i] = &s.opts
		}
		for k := range demands {
			if d := &demands[k]; d.Scanner == wide.manifest.Name && d.concerns(it.Key) {
				own[i] = d.tightened(own[i])
			}
		}
		if own[i] != server {
			differ = true
			strictest := Demand{Mode: own[i].Mode, OnFailure: own[i].OnFailure}
			b.whole = strictest.tightened(b.whole)
		}
	}
	if differ {
		b.items = own
	}
}

// narrowest returns the scanner whose binding covers an entry of a server and
// no wider than it must, nil if none does.
func narrowest(wide *Scanner, narrower []*Scanner, server, entry string) *Scanner {
	var chosen *Scanner
	if wide.opts.Scope.covers(server, entry) {
		chosen = wide
	}
	for _, s := range narrower {
		if s.opts.Scope.covers(server, entry) && (chosen == nil || s.opts.Scope.narrowness() > chosen.opts.Scope.narrowness()) {
			chosen = s
		}
	}
	return chosen
}

// unmet is the failure of a demand that this set cannot meet for a message, nil
// if it can.
func (s *Set) unmet(d *Demand, m *message.Message) *Failure {
	for _, scanner := range s.scanners {
		switch {
		case scanner.manifest.Name != d.Scanner || !scanner.opts.Scope.covers(m.Server, m.Entry):
		case d.Digest != "" && scanner.digest != d.Digest:
			return &Failure{Scanner: d.Scanner, Kind: FailureRefused, Detail: "the server's approval demands another module of this name"}
		default:
			return nil
		}
	}
	return &Failure{Scanner: d.Scanner, Kind: FailureRefused, Detail: "the server's approval demands it, and it is not loaded"}
}
