package fingerprint

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// Held names an entry key that occurs more than once: no entry of it may be
// used, since clients differ in which one they take.
type Held struct {
	Kind Kind
	Key  string
}

// Refused is an entry that fingerprint v1 does not accept.
type Refused struct {
	Kind  Kind
	Key   string
	Index int // in its list
	Err   error
}

// Set is a fingerprinted listing.
type Set struct {
	Entries []Entry   // sorted by kind and key; without held and refused ones
	Held    []Held    // sorted likewise
	Refused []Refused // empty after OfListing
	Root    Digest    // over all entries but refused ones, held ones included
}

// OfListing fingerprints a listing. One refused entry refuses the listing.
func OfListing(l *listing.Listing, volatile []string) (*Set, error) {
	s, err := Observe(l, volatile)
	if err != nil {
		return nil, err
	}
	if len(s.Refused) > 0 {
		return nil, s.Refused[0].Err
	}
	return s, nil
}

// Observe fingerprints what a running server lists: an entry that v1 refuses
// for its content is named in Refused and stands alone, its neighbours keep
// their fingerprints. An entry whose key cannot be read refuses the listing.
func Observe(l *listing.Listing, volatile []string) (*Set, error) {
	s := &Set{}
	var all []Entry
	count := map[Held]int{}
	for _, part := range parts(l) {
		for i, raw := range part.raw {
			n, key, err := parseEntry(part.kind, raw)
			if err != nil {
				return nil, err
			}
			count[Held{part.kind, key}]++
			e, err := fingerprintOf(part.kind, key, n, volatile)
			switch {
			case errors.Is(err, ErrVolatile):
				return nil, err
			case err != nil:
				s.Refused = append(s.Refused, Refused{part.kind, key, i, err})
			default:
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, compareEntries)
	s.Root = root(all)
	for _, e := range all {
		if count[Held{e.Kind, e.Key}] == 1 {
			s.Entries = append(s.Entries, e)
		}
	}
	for h, n := range count {
		if n > 1 {
			s.Held = append(s.Held, h)
		}
	}
	slices.SortFunc(s.Held, func(a, b Held) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key)) })
	return s, nil
}

// Lookup finds an entry. An absent, held or refused key is not found.
func (s *Set) Lookup(kind Kind, key string) (Entry, bool) {
	i, found := slices.BinarySearchFunc(s.Entries, Held{kind, key}, func(e Entry, h Held) int {
		return cmp.Or(cmp.Compare(e.Kind, h.Kind), cmp.Compare(e.Key, h.Key))
	})
	if !found {
		return Entry{}, false
	}
	return s.Entries[i], true
}

type part struct {
	kind Kind
	raw  []jsontext.Value
}

// parts orders a listing by kind. Absent instructions and capabilities have no
// entry, empty ones have.
func parts(l *listing.Listing) []part {
	var instructions, capabilities []jsontext.Value
	if l.Instructions != nil {
		text, err := jsontext.AppendQuote(nil, *l.Instructions)
		if err != nil {
			text = nil // not UTF-8: refused as malformed
		}
		instructions = []jsontext.Value{text}
	}
	if l.Capabilities != nil {
		capabilities = []jsontext.Value{l.Capabilities}
	}
	return []part{
		{KindInstructions, instructions}, {KindCapabilities, capabilities},
		{KindTool, l.Tools}, {KindPrompt, l.Prompts}, {KindTemplate, l.Templates}, {KindResource, l.Resources},
	}
}

// compareEntries orders by kind, key bytes and, among held ones, digest, so
// that the order on the wire never matters.
func compareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key), slices.Compare(a.Behavioural[:], b.Behavioural[:]))
}

// root is the RFC 6962 §2.1 tree hash over
// kind byte ‖ len ‖ key ‖ behavioural digest of sorted entries.
func root(entries []Entry) Digest {
	leaves := make([]Digest, len(entries))
	for i, e := range entries {
		b := appendSized([]byte{0x00, byte(e.Kind)}, e.Key)
		leaves[i] = sha256.Sum256(append(b, e.Behavioural[:]...))
	}
	return treeHash(leaves)
}

func treeHash(leaves []Digest) Digest {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := treeHash(leaves[:k]), treeHash(leaves[k:])
	return sha256.Sum256(slices.Concat([]byte{0x01}, left[:], right[:]))
}
