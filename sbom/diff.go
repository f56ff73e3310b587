package sbom

import (
	"slices"
	"strings"
)

// Diff compares two documents. A component whose package exists once on each
// side with different versions is changed, not removed and added.
func Diff(a, b *Document) Changes {
	var c Changes
	before, after := index(a.Components(), componentKey), index(b.Components(), componentKey)
	removed, added, both := split(before, after)
	for _, k := range both {
		if !sameComponent(before[k], after[k]) {
			c.Changed = append(c.Changed, ComponentChange{before[k], after[k]})
		}
	}
	wasName, isName := group(removed, before), group(added, after)
	for name, olds := range wasName {
		if news := isName[name]; len(olds) == 1 && len(news) == 1 {
			c.Changed = append(c.Changed, ComponentChange{olds[0], news[0]})
			delete(wasName, name)
			delete(isName, name)
		}
	}
	for _, list := range wasName {
		c.Removed = append(c.Removed, list...)
	}
	for _, list := range isName {
		c.Added = append(c.Added, list...)
	}
	byKey := func(x, y Component) int { return strings.Compare(componentKey(x), componentKey(y)) }
	slices.SortFunc(c.Added, byKey)
	slices.SortFunc(c.Removed, byKey)
	slices.SortFunc(c.Changed, func(x, y ComponentChange) int { return byKey(x.After, y.After) })

	c.diffEntries(a.Entries(), b.Entries())
	c.ScopesRemoved, c.ScopesAdded = missing(a.Scopes(), b.Scopes()), missing(b.Scopes(), a.Scopes())
	if x, y := a.Endpoint(), b.Endpoint(); !x.Equal(y) {
		c.Endpoint = []EndpointView{x, y}
	}
	if x, y := a.Completeness(), b.Completeness(); x.Level != y.Level || !slices.Equal(x.Reasons, y.Reasons) {
		c.Completeness = []Completeness{x, y}
	}
	return c
}

func (c *Changes) diffEntries(a, b []EntryView) {
	// Eras may list one key twice with different digests, so the n-th of a key is compared.
	number := func(list []EntryView) map[string]EntryView {
		out, seen := map[string]EntryView{}, map[string]int{}
		for _, e := range list {
			k := e.Kind + "\x00" + e.Key
			out[k+"\x00"+strings.Repeat("+", seen[k])] = e
			seen[k]++
		}
		return out
	}
	before, after := number(a), number(b)
	removed, added, both := split(before, after)
	for _, k := range removed {
		c.EntriesRemoved = append(c.EntriesRemoved, before[k])
	}
	for _, k := range added {
		c.EntriesAdded = append(c.EntriesAdded, after[k])
	}
	for _, k := range both {
		x, y := before[k], after[k]
		if x.Fingerprint != y.Fingerprint || x.Whole != y.Whole || !slices.Equal(x.Scopes, y.Scopes) || !slices.Equal(x.Eras, y.Eras) || !slices.Equal(x.Data, y.Data) {
			c.EntriesChanged = append(c.EntriesChanged, EntryChange{x, y})
		}
	}
}

func componentKey(c Component) string {
	if c.Purl != "" {
		return c.Purl
	}
	return c.Name + "@" + c.Version
}

// packageKey is a component's identity without its version.
func packageKey(c Component) string {
	k := componentKey(c)
	if c.Version != "" {
		if i := strings.LastIndex(k, "@"); i > 0 {
			k = k[:i]
		}
	}
	return k
}

func sameComponent(a, b Component) bool {
	// Where a package is named in the artifact is evidence, not a difference.
	return a.Name == b.Name && a.Version == b.Version && a.Scope == b.Scope &&
		slices.Equal(a.Licenses, b.Licenses) && slices.Equal(a.Hashes, b.Hashes)
}

func index[V any](list []V, key func(V) string) map[string]V {
	out := make(map[string]V, len(list))
	for _, v := range list {
		out[key(v)] = v
	}
	return out
}

func group(keys []string, m map[string]Component) map[string][]Component {
	out := map[string][]Component{}
	for _, k := range keys {
		out[packageKey(m[k])] = append(out[packageKey(m[k])], m[k])
	}
	return out
}

// split sorts the keys into those only in a, only in b, and in both.
func split[V any](a, b map[string]V) (onlyA, onlyB, both []string) {
	for k := range a {
		if _, ok := b[k]; ok {
			both = append(both, k)
		} else {
			onlyA = append(onlyA, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			onlyB = append(onlyB, k)
		}
	}
	slices.Sort(onlyA)
	slices.Sort(onlyB)
	slices.Sort(both)
	return onlyA, onlyB, both
}

func missing(from, in []string) []string {
	var out []string
	for _, s := range from {
		if !slices.Contains(in, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}
