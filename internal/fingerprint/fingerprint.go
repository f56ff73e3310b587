// Package fingerprint computes fingerprint v1 of MCP listings: canonical text,
// entry digests, leaves and the listing root of docs/spec/fingerprint.md.
//
// It works on raw wire JSON only. It must not know transports, storage or what
// anyone decides about a difference.
package fingerprint

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/listing"
)

var (
	// ErrMalformed is input that is not one JSON value of the expected shape.
	ErrMalformed = errors.New("malformed listing value")
	// ErrDuplicateKey is an object with two members of one name.
	ErrDuplicateKey = errors.New("duplicate object key")
	// ErrCaseVariant is a key that differs only in case from one that the protocol defines.
	ErrCaseVariant = errors.New("key differs only in case from a defined key")
	// ErrNumberTooLong is a number of more than 400 characters, as a token or in canonical form.
	ErrNumberTooLong = errors.New("number is too long")
	// ErrExternalReference is a schema reference that leaves the document.
	ErrExternalReference = errors.New("external schema reference")
)

// Kind is the kind byte of an entry.
type Kind byte

const (
	KindInstructions Kind = 0x01
	KindCapabilities Kind = 0x02
	KindTool         Kind = 0x03
	KindPrompt       Kind = 0x04
	KindTemplate     Kind = 0x05
	KindResource     Kind = 0x06
)

// Digest is a SHA-256 digest.
type Digest [32]byte

// Entry is one fingerprinted entry.
type Entry struct {
	Kind               Kind
	Key                string
	Whole, Behavioural Digest
	Canonical          []byte
}

// Held names an entry key that occurs more than once.
type Held struct {
	Kind Kind
	Key  string
}

// Set is a fingerprinted listing.
type Set struct {
	Entries []Entry
	Held    []Held
	Root    Digest
}

// Leaf is one scalar or empty container.
type Leaf struct {
	Pointer string
	Value   []byte // canonical
	Digest  Digest
}

// Change is one differing leaf; "" means absent.
type Change struct {
	Pointer  string
	Old, New string
}

// String returns lower-case hex.
func (d Digest) String() string { return "" }

// MarshalText writes "sha256:<hex>".
func (d Digest) MarshalText() ([]byte, error) { return nil, nil }

// UnmarshalText reads "sha256:<hex>".
func (d *Digest) UnmarshalText(b []byte) error { return ErrMalformed }

// String returns the kind's name.
func (k Kind) String() string { return "" }

// Canonical returns the canonical text of a value.
func Canonical(raw jsontext.Value) ([]byte, error) { return nil, ErrMalformed }

// Leaves returns the leaves of a value in canonical order.
func Leaves(raw jsontext.Value) ([]Leaf, error) { return nil, ErrMalformed }

// OfEntry fingerprints one entry.
func OfEntry(kind Kind, raw jsontext.Value, volatile []string) (Entry, error) {
	return Entry{}, ErrMalformed
}

// OfListing fingerprints a listing.
func OfListing(l *listing.Listing, volatile []string) (*Set, error) { return nil, ErrMalformed }

// Lookup finds the entry of a key that is not held.
func (s *Set) Lookup(kind Kind, key string) (Entry, bool) { return Entry{}, false }

// Diff lists the leaves in which two values differ.
func Diff(oldRaw, newRaw jsontext.Value) ([]Change, error) { return nil, ErrMalformed }
