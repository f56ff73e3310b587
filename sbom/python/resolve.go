package python

import (
	"fmt"
	"slices"
)

// Limits that keep the product of names and their meanings small.
const (
	maxSameName = 64
	maxNeeds    = 500_000
)

// resolver turns the names in a lockfile into edges and follows them.
type resolver struct {
	entries []*entry
	byName  map[string][]int
	local   bool // some entry is the project's own
}

func newResolver(entries []*entry) *resolver {
	r := &resolver{entries: entries, byName: map[string][]int{}}
	for i, e := range entries {
		r.byName[e.Name] = append(r.byName[e.Name], i)
		r.local = r.local || e.Local
	}
	return r
}

func (r *resolver) bounded() error {
	for name, list := range r.byName {
		if len(list) > maxSameName {
			return fmt.Errorf("%w: %q is locked %d times", ErrTooLarge, name, len(list))
		}
	}
	needs := 0
	for _, e := range r.entries {
		needs += len(e.needs)
		for _, list := range e.extras {
			needs += len(list)
		}
		for _, list := range e.groups {
			needs += len(list)
		}
	}
	if needs > maxNeeds {
		return fmt.Errorf("%w: %d dependencies", ErrTooLarge, needs)
	}
	return nil
}

// targets are the entries that a need can mean.
func (r *resolver) targets(n need) []int {
	all := r.byName[n.name]
	if n.version == "" {
		return all
	}
	var out []int
	for _, i := range all {
		if r.entries[i].Version == n.version {
			out = append(out, i)
		}
	}
	return out
}

// state is a package together with one of its extras, "" for the package alone.
type state struct {
	at    int
	extra string
}

// next are the needs of a state.
func (r *resolver) next(s state) []need {
	e := r.entries[s.at]
	if s.extra == "" {
		return e.needs
	}
	return e.extras[s.extra]
}

// reach follows needs from where they are stated.
func (r *resolver) reach(from []need, follow func(need) bool) map[state]bool {
	seen := map[state]bool{}
	var queue []state
	visit := func(list []need) {
		for _, n := range list {
			if !follow(n) {
				continue
			}
			for _, at := range r.targets(n) {
				for _, extra := range append([]string{""}, n.extras...) {
					if s := (state{at, extra}); !seen[s] {
						seen[s] = true
						queue = append(queue, s)
					}
				}
			}
		}
	}
	visit(from)
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		visit(r.next(s))
	}
	return seen
}

func always(need) bool { return true }

// asked is what the project's own packages ask for, by the scope that it gives.
func (r *resolver) asked(scope Scope) []need {
	var out []need
	for i, e := range r.entries {
		if !e.Local {
			continue
		}
		out = append(out, need{name: r.entries[i].Name, version: e.Version})
		if scope <= Optional {
			for _, list := range e.extras {
				out = append(out, list...)
			}
		}
		if scope <= Development {
			for _, list := range e.groups {
				out = append(out, list...)
			}
		}
	}
	return out
}

// link makes edges of the needs that somebody has: those of a package, and those
// of its extras that are asked for.
func (r *resolver) link() {
	states := map[state]bool{}
	if r.local {
		states = r.reach(r.asked(Development), always)
	}
	for i, e := range r.entries {
		add := func(list []need) {
			for _, n := range list {
				to := r.targets(n)
				e.Guessed = e.Guessed || len(to) > 1
				e.DependsOn = append(e.DependsOn, slices.DeleteFunc(slices.Clone(to), func(j int) bool { return j == i })...)
				if len(to) == 0 && !n.may {
					e.Unresolved = append(e.Unresolved, n.name)
				}
			}
		}
		add(e.needs)
		for extra, list := range e.extras {
			if e.Local || !r.local || states[state{i, extra}] {
				add(list)
			}
		}
		for _, list := range e.groups {
			add(list)
		}
	}
}

// scopes gives every package the strongest scope that reaches it. One that
// nothing reaches is there for a reason that the file does not say: Required.
func (r *resolver) scopes() {
	for _, e := range r.entries {
		e.Scope = Required
	}
	if !r.local {
		return
	}
	for _, scope := range []Scope{Development, Optional, Required} {
		for s := range r.reach(r.asked(scope), always) {
			r.entries[s.at].Scope = scope
		}
	}
}

// raise corrects scopes that the file states and its edges contradict: what a
// needed package needs is needed.
func (r *resolver) raise() {
	queue := make([]int, len(r.entries))
	for i := range queue {
		queue[i] = i
	}
	for len(queue) > 0 {
		e := r.entries[queue[len(queue)-1]]
		queue = queue[:len(queue)-1]
		for _, n := range e.needs {
			for _, at := range r.targets(n) {
				if r.entries[at].Scope < e.Scope {
					r.entries[at].Scope = e.Scope
					queue = append(queue, at)
				}
			}
		}
	}
}

// conditions marks packages that every way to passes a marker, and notes the
// markers that lead straight to a package.
func (r *resolver) conditions() {
	markers, free := make([]map[string]bool, len(r.entries)), make([]bool, len(r.entries))
	note := func(list []need) {
		for _, n := range list {
			for _, at := range r.targets(n) {
				if n.marker == "" {
					free[at] = true
				} else if len(n.marker) <= maxMarker && printable(n.marker) {
					if markers[at] == nil {
						markers[at] = map[string]bool{}
					}
					markers[at][n.marker] = true
				}
			}
		}
	}
	for _, e := range r.entries {
		note(e.needs)
		for _, list := range e.extras {
			note(list)
		}
		for _, list := range e.groups {
			note(list)
		}
	}
	var unconditional map[state]bool
	if r.local {
		unconditional = r.reach(r.asked(Development), func(n need) bool { return n.marker == "" })
	}
	for i, e := range r.entries {
		if len(e.Markers) > 0 { // stated by the file itself
			e.Conditional = true
		}
		if !free[i] && len(markers[i]) > 0 {
			for m := range markers[i] {
				e.Markers = append(e.Markers, m)
			}
			e.Conditional = true
		}
		if r.local && !e.Local && !unconditional[state{i, ""}] && (free[i] || len(markers[i]) > 0) {
			e.Conditional = true
		}
	}
}
