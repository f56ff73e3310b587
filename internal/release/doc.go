// Package release signs what a scanner module is (its name, its version, its
// bytes) and decides whether a module that came from elsewhere may be used
// under that name: signed by whom an operator named, the pinned one, and no
// older than what was seen before.
//
// It must not know how modules travel nor how they are run: it sees a name, a
// version, a digest and a Sigstore bundle.
package release

import (
	"errors"
	"fmt"
)

// Reason is why a module is refused. The list is closed and part of the
// command line's contract (docs/configuration.md).
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Malformed Reason = "malformed" // no scanner module, or no bundle of ours; or beyond a bound
	Unknown   Reason = "unknown"   // nobody was named whose modules of this name count
	Unsigned  Reason = "unsigned"  // no bundle
	Signature Reason = "signature" // by no key and under no root that counts
	Identity  Reason = "identity"  // a valid certificate, of somebody who does not count
	Tampered  Reason = "tampered"  // the bytes are not those that were signed
	Swapped   Reason = "swapped"   // signed, but as another scanner or another version
	Pinned    Reason = "pinned"    // not the digest that the operator pinned
	Rollback  Reason = "rollback"  // older than demanded, or than what was seen before
	Replaced  Reason = "replaced"  // the version that was seen before, with other bytes
)

// Reasons lists all of them.
func Reasons() []Reason {
	return []Reason{Malformed, Unknown, Unsigned, Signature, Identity, Tampered, Swapped, Pinned, Rollback, Replaced}
}

// Refusal is a module that is not let in.
type Refusal struct {
	Reason  Reason
	Scanner string // as it was asked for
	Err     error  // what exactly
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("scanner %s refused: %s: %v", r.Scanner, r.Reason, r.Err)
}

func (r *Refusal) Unwrap() error { return r.Err }

// Refuse makes a Refusal.
func Refuse(scanner string, why Reason, format string, args ...any) error {
	return &Refusal{Reason: why, Scanner: scanner, Err: fmt.Errorf(format, args...)}
}

// ReasonOf returns why an error refuses a module, "" if it says something else.
func ReasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

// BundleSuffix is what a module's bundle is called beside it.
const BundleSuffix = ".sigstore.json"

// MaxBundle bounds a bundle in bytes: the statement is small, and a certificate
// with its log entry and timestamp takes some ten kilobytes.
const MaxBundle = 1 << 20
