package registry

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// verifySignatures checks every bundle against the namespace's signers. One
// that verifies and names the stored bytes admits the version; one that does
// not is a reason for quarantine even beside a good one, since somebody sent
// it for some purpose.
func (s *Service) verifySignatures(ctx context.Context, w *work) error {
	v := w.v
	v.Reasons, v.Signers = nil, nil
	if len(v.Bundles) == 0 {
		w.quarantine(admission.ReasonUnsigned, "no signature bundle came with the publication")
		return nil
	}
	policy, err := s.policy(ctx, v.Tenant, w.doc.Namespace())
	if err != nil {
		return err
	}
	for _, digest := range v.Bundles {
		bundle, err := s.get(ctx, digest, attest.MaxBundle)
		if err != nil {
			return err
		}
		verified, err := policy.VerifyArtifact(bundle, w.digests)
		switch {
		case errors.Is(err, attest.ErrSubject):
			w.quarantine(admission.ReasonDigestMismatch, fmt.Sprintf("bundle %s speaks of other bytes than %s", short(digest), v.signed()))
		case errors.Is(err, attest.ErrNoPolicy):
			w.quarantine(admission.ReasonSignatureInvalid, "the namespace has no signers yet")
		case err != nil:
			w.quarantine(admission.ReasonSignatureInvalid, fmt.Sprintf("bundle %s: %s", short(digest),
				hostText(err, attest.ErrIdentity, attest.ErrUnverified, attest.ErrBundle, attest.ErrContent, attest.ErrStatement, attest.ErrTooLarge, attest.ErrTrustedRoot)))
		default:
			w.verified = append(w.verified, verified)
			signer := admission.Signer{Bundle: digest, KeyID: verified.KeyID, Issuer: verified.Issuer, Subject: verified.SAN}
			if verified.Statement != nil {
				signer.PredicateType = verified.Statement.PredicateType
			}
			v.Signers = append(v.Signers, signer)
		}
	}
	return nil
}

// signedDigests computes the digests under which attestations name a blob.
func (s *Service) signedDigests(ctx context.Context, digest string) (map[string]string, error) {
	r, err := s.Blobs.Get(digest)
	if err != nil {
		return nil, classifyBlob(err)
	}
	defer r.Close()
	h256, h384, h512 := sha256.New(), sha512.New384(), sha512.New()
	if _, err := io.Copy(io.MultiWriter(h256, h384, h512), r); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return map[string]string{
		"sha256": hex.EncodeToString(h256.Sum(nil)),
		"sha384": hex.EncodeToString(h384.Sum(nil)),
		"sha512": hex.EncodeToString(h512.Sum(nil)),
	}, nil
}

func short(digest string) string { return digest[:min(len(digest), 19)] }
