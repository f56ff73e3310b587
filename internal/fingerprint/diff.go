package fingerprint

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Change is one differing leaf. Old and New are canonical JSON; "" means that
// there is no leaf at the pointer.
type Change struct {
	Pointer  string
	Old, New string
}

// Diff lists the leaves in which two values differ, canonically equal values
// giving none. A nil value is an absent entry. Arrays are compared by position.
// The order is that of the old canonical text; what a container gained follows
// what it had.
func Diff(oldRaw, newRaw jsontext.Value) ([]Change, error) {
	var before, after *node
	var err error
	if oldRaw != nil {
		if before, err = parseCanonical(oldRaw); err != nil {
			return nil, err
		}
	}
	if newRaw != nil {
		if after, err = parseCanonical(newRaw); err != nil {
			return nil, err
		}
	}
	return compare(nil, "", before, after), nil
}

// compare walks both values at once; either may be nil.
func compare(changes []Change, pointer string, before, after *node) []Change {
	if was, is := before.leafText(), after.leafText(); was != is {
		changes = append(changes, Change{pointer, was, is})
	}
	gained := map[string]*node{}
	for _, c := range after.children() {
		gained[c.name] = c.value
	}
	for _, c := range before.children() {
		changes = compare(changes, pointer+"/"+escapeToken(c.name), c.value, gained[c.name])
		delete(gained, c.name)
	}
	for _, c := range after.children() {
		if gained[c.name] != nil {
			changes = compare(changes, pointer+"/"+escapeToken(c.name), nil, c.value)
		}
	}
	return changes
}

// leafText is the canonical text of a leaf, "" for anything else.
func (n *node) leafText() string {
	if n == nil || len(n.members)+len(n.elements) > 0 {
		return ""
	}
	return string(n.append(nil))
}

// children are members, and elements under their index.
func (n *node) children() []member {
	if n == nil {
		return nil
	}
	if n.kind == '{' {
		return n.members
	}
	all := make([]member, len(n.elements))
	for i, e := range n.elements {
		all[i] = member{strconv.Itoa(i), e}
	}
	return all
}
