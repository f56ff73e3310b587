package jsonrpc

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Edit replaces the bytes [Start, End) by New.
type Edit struct {
	Start, End int
	New        []byte
}

// Splice applies edits, which must be sorted and must not overlap, and returns
// new bytes. Every byte outside the edits is kept.
func Splice(raw []byte, edits ...Edit) ([]byte, error) {
	size, at := len(raw), 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(raw) {
			return nil, fmt.Errorf("%w: bytes %d to %d of %d", ErrEdit, e.Start, e.End, len(raw))
		}
		size, at = size+len(e.New)-(e.End-e.Start), e.End
	}
	out, at := make([]byte, 0, size), 0
	for _, e := range edits {
		out = append(append(out, raw[at:e.Start]...), e.New...)
		at = e.End
	}
	return append(out, raw[at:]...), nil
}

// RemoveElements drops the elements of an array for which drop answers true,
// each with one neighbouring comma. Every other byte is kept.
func RemoveElements(arr jsontext.Value, drop func(i int) bool) (jsontext.Value, error) {
	elements, err := Elements(arr)
	if err != nil {
		return nil, err
	}
	items := make([]Span, len(elements))
	for i, e := range elements {
		items[i] = Span{e.Start, e.End}
	}
	return Splice(arr, removals(items, drop)...)
}

// RemoveMember drops a member of an object with one neighbouring comma. An
// object without that member is returned unchanged.
func RemoveMember(obj jsontext.Value, name string) (jsontext.Value, error) {
	members, err := Members(obj)
	if err != nil {
		return nil, err
	}
	items := make([]Span, len(members))
	for i, m := range members {
		items[i] = Span{m.KeyStart, m.End}
	}
	return Splice(obj, removals(items, func(i int) bool { return members[i].Name == name })...)
}

// removals deletes a dropped item together with the separator before it, or,
// where no kept item precedes, with the separator after it.
func removals(items []Span, drop func(i int) bool) []Edit {
	var edits []Edit
	kept := false
	for i, it := range items {
		switch {
		case !drop(i):
			kept = true
		case kept:
			edits = append(edits, Edit{Start: items[i-1].End, End: it.End})
		case i+1 < len(items):
			edits = append(edits, Edit{Start: it.Start, End: items[i+1].Start})
		default:
			edits = append(edits, Edit{Start: it.Start, End: it.End})
		}
	}
	return edits
}
