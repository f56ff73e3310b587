// Package approval is what both doors share: the trust document, reviewers'
// votes, the signed approval of one server version, the snapshot of approvals
// in force, and the Keeper that follows a registry and answers which server may
// be talked to. Formats: docs/spec/trust.md.
//
// It must not know how approvals are stored, decided or transported, nor what a
// gateway does with them. Nothing in it believes a database: every answer rests
// on signatures under the operator's trust document.
package approval

import (
	"errors"
	"time"
)

// Every failure of this package wraps one of these.
var (
	// ErrTrust: the trust document is missing, malformed, not signed as it must
	// be, or contradicts itself.
	ErrTrust = errors.New("approval: trust document refused")
	// ErrTrustExpired: the trust document's time is over; everything is denied.
	ErrTrustExpired = errors.New("approval: trust document expired")
	// ErrTrustRollback: a lower version than the one already accepted, or another
	// document of the same version.
	ErrTrustRollback = errors.New("approval: trust document older than the accepted one")
	// ErrTrustGap: a version was skipped; install the versions one by one.
	ErrTrustGap = errors.New("approval: trust document skips a version")

	// ErrSignature: not signed by a key that the trust document names for this role.
	ErrSignature = errors.New("approval: not signed by a trusted key")
	// ErrMalformed: a predicate or state that is not what docs/spec/trust.md says.
	ErrMalformed = errors.New("approval: malformed document")
	// ErrRegistry and ErrTenant: the document speaks for someone else.
	ErrRegistry = errors.New("approval: document of another registry")
	ErrTenant   = errors.New("approval: document of another tenant")

	// ErrNotYet and ErrExpired: outside the approval's own dates.
	ErrNotYet  = errors.New("approval: not valid yet")
	ErrExpired = errors.New("approval: expired")
	// ErrSubject: the reviewed subject is not the one that the approval describes.
	ErrSubject = errors.New("approval: votes are about another subject")
	// ErrTier: the approval names a tier that the trust document does not know.
	ErrTier = errors.New("approval: unknown tier")
	// ErrQuorum: too few votes that count.
	ErrQuorum = errors.New("approval: quorum of votes not reached")
	// ErrVote: a vote that does not verify, or is not by a registered reviewer.
	ErrVote = errors.New("approval: vote refused")
	// ErrBinding: bound more weakly than required.
	ErrBinding = errors.New("approval: binding below the required minimum")

	// ErrNotApproved: no listed approval in force for this server (or version).
	ErrNotApproved = errors.New("approval: server not approved")
	// ErrSnapshotExpired: no snapshot within its time plus grace; everything is denied.
	ErrSnapshotExpired = errors.New("approval: snapshot expired")
	// ErrSnapshotRollback: a sequence lower than one already seen, or another
	// snapshot under the same sequence.
	ErrSnapshotRollback = errors.New("approval: snapshot older than the accepted one")
	// ErrClock: a document from the future, or the local clock is wrong.
	ErrClock = errors.New("approval: document from the future")
	// ErrState: the state on disk is damaged or cannot be written. Never reset
	// silently: that would forget the highest sequence.
	ErrState = errors.New("approval: state on disk unusable")
	// ErrSource: the registry could not be asked.
	ErrSource = errors.New("approval: registry not reachable")
)

// DefaultTenant is the tenant of a single-tenant install.
const DefaultTenant = "default"

// Bounds.
const (
	MaxTrust        = 8 << 20 // bytes of a trust file
	MaxApproval     = 16 << 20
	MaxVote         = 1 << 20
	MaxSnapshot     = 16 << 20
	MaxEntries      = 30_000 // of one approval, all eras
	MaxVotes        = 64
	MaxListed       = 100_000 // approvals of one snapshot
	maxVoters       = 1024
	maxTrustKeys    = 64
	maxName         = 512
	SnapshotLife    = time.Minute      // longest life of a snapshot
	SnapshotEvery   = 30 * time.Second // a registry signs one at least this often
	DefaultGrace    = 10 * time.Minute
	DefaultInterval = 10 * time.Second
	maxSkew         = time.Minute // tolerated lead of the signer's clock
)
