// Package signer holds the registry's signing keys in a process of its own. It
// does not take the registry's word for anything that it can look at itself: an
// approval is signed only when the votes in it make the quorum of its tier and
// its fingerprints are those of the listing that is shown; a snapshot only when
// it lists approvals of this signer that are in force, under a sequence that is
// higher than every one before; a bill of materials only when its bytes are
// shown. Whoever takes over the registry can then withhold, and can neither
// approve nor bring back. Protocol and operation: docs/signer.md.
//
// The package must not know how a review is conducted, where blobs lie or what a
// gateway does with what was signed.
package signer

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrRefused is a statement that this signer does not sign; a Refusal says why.
	ErrRefused = errors.New("signer: refused")
	// ErrState is a memory of what was signed that is damaged or cannot be
	// written. It is never reset silently: that would forget the sequences.
	ErrState = errors.New("signer: state on disk unusable")
	// ErrUnreachable is a signer that does not answer.
	ErrUnreachable = errors.New("signer: not reachable")
)

// Role is what a key signs.
type Role string

// Roles, and with them keys.
const (
	RoleApproval Role = "approval"
	RoleSnapshot Role = "snapshot"
	RoleSBOM     Role = "sbom"
)

// Bounds.
const (
	MaxEvidence = 64 << 20 // bytes shown beside one statement
	// MaxAge is how long ago an approval or a snapshot may say that it began.
	MaxAge = 5 * time.Minute
	// maxLifetime is the longest life of an approval.
	maxLifetime = 90 * 24 * time.Hour
	// maxSkew is how far the registry's clock may be ahead of the signer's.
	maxSkew = time.Minute
)

// Reason says why a statement was not signed. The list is closed.
type Reason string

// Reasons.
const (
	ReasonMalformed    Reason = "malformed"        // no statement of this role, or not of its form
	ReasonRegistry     Reason = "other_registry"   // of another registry than trust.json speaks for
	ReasonTrust        Reason = "trust"            // trust.json is over, damaged, or does not follow from the accepted one
	ReasonKey          Reason = "key_not_trusted"  // trust.json does not name this signer's key
	ReasonQuorum       Reason = "quorum"           // the votes in it do not make the quorum
	ReasonSessionVotes Reason = "session_votes"    // votes without a key, where this signer counts none
	ReasonDates        Reason = "dates"            // begins in the past or future, or lives too long
	ReasonEvidence     Reason = "evidence_missing" // what it speaks of was not shown
	ReasonListing      Reason = "listing_mismatch" // its fingerprints are not those of the listing shown
	ReasonSBOM         Reason = "sbom_mismatch"    // its digest is not that of the document shown
	ReasonUnknown      Reason = "unknown_approval" // lists an approval that this signer does not know
	ReasonSequence     Reason = "sequence"         // not higher than one already signed
)

// Refusal is a statement that was not signed. It wraps ErrRefused.
type Refusal struct {
	Reason Reason
	Detail string
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return fmt.Sprintf("%s: %s", ErrRefused, r.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", ErrRefused, r.Reason, r.Detail)
}

// Unwrap makes every refusal an ErrRefused.
func (r *Refusal) Unwrap() error { return ErrRefused }

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
