package registry

import (
	"context"
	"errors"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/signer"
)

// Shown is a signer that looks for itself at what it signs, and so has to be
// shown it (internal/signer).
type Shown interface {
	attest.Signer
	// With is the signer for one statement, beside which evidence is shown.
	With(evidence ...[]byte) attest.Signer
	// Introduce tells it of an approval that it may not remember.
	Introduce(ctx context.Context, bundle []byte) error
}

// beside is the signer for a statement about what evidence shows.
func beside(s attest.Signer, evidence ...[]byte) attest.Signer {
	if shown, ok := s.(Shown); ok {
		return shown.With(evidence...)
	}
	return s
}

// introduce tells a separate signer of an approval that is about to be listed.
func (s *Service) introduce(ctx context.Context, bundle []byte) error {
	if shown, ok := s.SnapshotSigner.(Shown); ok {
		return shown.Introduce(ctx, bundle)
	}
	return nil
}

// unsigned is why an approval was not signed. What the reviewers can mend is
// theirs to read; anything else is a fault.
func unsigned(err error, tier string) error {
	var r *signer.Refusal
	if errors.As(err, &r) {
		switch r.Reason {
		case signer.ReasonQuorum:
			return noQuorum(tier)
		case signer.ReasonSessionVotes:
			return &Refusal{Class: ErrConflict, Reason: RefusedBlocked, Detail: "the signer counts votes with keys alone", Blocking: []string{"votes"}}
		}
	}
	return refuse(ErrUnavailable, RefusedSigning, "the approval cannot be signed now")
}

func noQuorum(tier string) error {
	return &Refusal{Class: ErrConflict, Reason: RefusedBlocked, Detail: "the votes do not make the quorum of tier " + tier, Blocking: []string{"votes"}}
}
