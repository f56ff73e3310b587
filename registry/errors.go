package registry

import (
	"errors"
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Classes of refusal. Every error of this package wraps one of them, or is a
// fault of the machine.
var (
	ErrInvalid     = errors.New("invalid")                // what was sent cannot be used
	ErrForbidden   = errors.New("forbidden")              // the caller may not do this
	ErrNotFound    = errors.New("not found")              // in the caller's tenant
	ErrConflict    = errors.New("conflict")               // the present state does not allow it
	ErrUnavailable = errors.New("unavailable")            // the audit log or a key cannot be used; nothing changed
	ErrFull        = errors.New("no storage space left")  // nothing was written
	ErrTooLarge    = errors.New("larger than the limits") // of the part or blob
)

// Reasons of a Refusal. The list is closed: clients branch on it.
const (
	RefusedServerJSON     = "invalid_server_json"
	RefusedOptions        = "invalid_options"
	RefusedListing        = "invalid_listing"
	RefusedListingMissing = "listing_required"
	RefusedCapture        = "capture_failed"
	RefusedProbe          = "probe_required"
	RefusedIsolation      = "probe_unavailable"
	RefusedLaunch         = "launch_required"
	RefusedArtifact       = "invalid_artifact"
	RefusedBundle         = "invalid_bundle"
	RefusedNamespace      = "namespace_not_covered"
	RefusedRole           = "role_required"
	RefusedSelf           = "self_approval"
	RefusedVersionExists  = "version_exists"
	RefusedAlias          = "alias_taken"
	RefusedState          = "wrong_state"
	RefusedStatus         = "invalid_status"
	RefusedProof          = "proof_refused"
	RefusedStale          = "stale_subject"
	RefusedBlocked        = "review_incomplete"
	RefusedVote           = "invalid_vote"
	RefusedWaiver         = "invalid_waiver"
	RefusedAnswer         = "invalid_answer"
	RefusedWindow         = "attach_window_closed"
	RefusedKey            = "invalid_key"
	RefusedSigner         = "invalid_signer"
	RefusedUnknown        = "not_found"
	RefusedTooLarge       = "too_large"
	RefusedAudit          = "audit_unavailable"
	RefusedSigning        = "signing_unavailable"
	RefusedFull           = "storage_full"
)

// Refusal says why something was not done. It wraps one of the classes.
type Refusal struct {
	Class    error
	Reason   string
	Detail   string               // for the caller; never text of a third party
	Problems []serverjson.Problem // with RefusedServerJSON
	Blocking []string             // with RefusedBlocked: item codes and "votes"
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Reason, r.Detail) }

func (r *Refusal) Unwrap() error { return r.Class }

func refuse(class error, reason, format string, args ...any) error {
	return &Refusal{Class: class, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func notFound(what string) error {
	return refuse(ErrNotFound, RefusedUnknown, "no such %s", what)
}

// classify turns the sentinels of the layers below into refusals, once.
func classify(err error) error {
	var already *Refusal
	switch {
	case err == nil, errors.As(err, &already):
		return err
	case errors.Is(err, audit.ErrUnavailable): // also for lack of space
		return refuse(ErrUnavailable, RefusedAudit, "the audit log cannot be written; nothing was changed")
	case store.IsFull(err):
		return refuse(ErrFull, RefusedFull, "the registry has no storage space left; nothing was written")
	case errors.Is(err, store.ErrNotFound):
		return notFound("record")
	}
	return err
}
