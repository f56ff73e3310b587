// Package definition is the file beside an SBOM that holds what its entries
// are: the canonical JSON of every tool, prompt, template and resource, with
// the fingerprints that follow from it. An SBOM names digests; this is what
// they are digests of.
//
// It is a leaf. It must not know storage, HTTP or SBOMs.
package definition

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// Format names version 1 of the file, and MediaType is that of it.
const (
	Format    = "bartizan.definitions.v1"
	MediaType = "application/vnd.bartizan.definitions.v1+json"
)

// MaxBytes bounds a file.
const MaxBytes = 64 << 20

// Errors of Parse.
var (
	ErrMalformed = errors.New("definitions: malformed")
	ErrDigest    = errors.New("definitions: a fingerprint is not that of its definition")
)

// File is the definitions of a server version, one list for each era.
type File struct {
	Format   string    `json:"format"`
	Listings []Listing `json:"listings"`
}

// Listing is the entries of one era, sorted by kind and key. Keys that stand
// twice in a listing are held, and not here.
type Listing struct {
	Era     string             `json:"era,omitzero"`
	Root    fingerprint.Digest `json:"root"`
	Entries []Entry            `json:"entries"`
}

// Entry is one definition with its fingerprints.
type Entry struct {
	Kind        string             `json:"kind"`
	Key         string             `json:"key,omitzero"`
	Behavioural fingerprint.Digest `json:"behavioural"`
	Whole       fingerprint.Digest `json:"whole"`
	Definition  jsontext.Value     `json:"definition"` // canonical
}

// Add appends a fingerprinted listing.
func (f *File) Add(era string, set *fingerprint.Set) {
	f.Format = Format
	l := Listing{Era: era, Root: set.Root, Entries: make([]Entry, 0, len(set.Entries))}
	for _, e := range set.Entries {
		l.Entries = append(l.Entries, Entry{Kind: e.Kind.String(), Key: e.Key, Behavioural: e.Behavioural, Whole: e.Whole, Definition: e.Canonical})
	}
	f.Listings = append(f.Listings, l)
}

// Marshal writes the file. Equal listings give equal bytes.
func (f *File) Marshal() ([]byte, error) {
	// The definitions are canonical as they are, and must stay so.
	b, err := json.Marshal(f, json.Deterministic(true), jsontext.EscapeForHTML(false), jsontext.EscapeForJS(false), jsontext.PreserveRawStrings(true))
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	return b, nil
}

// Parse reads a file strictly and computes every fingerprint anew.
func Parse(b []byte) (*File, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, MaxBytes)
	}
	f := new(File)
	if err := json.Unmarshal(b, f, json.RejectUnknownMembers(true)); err != nil || f.Format != Format {
		return nil, fmt.Errorf("%w: not a file of format %s", ErrMalformed, Format)
	}
	for i, l := range f.Listings {
		for j, e := range l.Entries {
			kind, err := fingerprint.ParseKind(e.Kind)
			if err != nil {
				return nil, fmt.Errorf("%w: /listings/%d/entries/%d/kind", ErrMalformed, i, j)
			}
			made, err := fingerprint.OfEntry(kind, e.Definition, nil)
			if err != nil || made.Key != e.Key {
				return nil, fmt.Errorf("%w: /listings/%d/entries/%d", ErrMalformed, i, j)
			}
			if made.Whole != e.Whole || made.Behavioural != e.Behavioural {
				return nil, fmt.Errorf("%w: /listings/%d/entries/%d", ErrDigest, i, j)
			}
		}
	}
	return f, nil
}
