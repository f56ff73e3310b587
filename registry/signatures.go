package registry

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// verifySignatures checks every bundle against the namespace's signers. One
// that verifies and names the stored bytes admits the version; one that does
// not is a reason for quarantine even beside a good one, since somebody sent
// it for some purpose.
func (s *Service) verifySignatures(ctx context.Context, w *work) error {
	found, err := s.checkDigests(ctx, w.v, w.doc, w.digests)
	if err != nil {
		return err
	}
	w.v.Reasons, w.v.Signers, w.verified = nil, found.signers, found.verified
	for _, r := range found.reasons {
		w.because(r)
	}
	return nil
}

// signatures is what the bundles of a version prove, and why some prove nothing.
type signatures struct {
	verified []*attest.Verified
	signers  []admission.Signer
	reasons  []admission.Reason
}

// checkDigests checks everything that speaks of the stored bytes: the bundles, and
// what server.json says of its packages' files.
func (s *Service) checkDigests(ctx context.Context, v *version, doc *serverjson.Document, digests map[string]string) (*signatures, error) {
	found, err := s.checkBundles(ctx, v, doc, digests)
	if err == nil {
		found.reasons = append(found.reasons, otherFile(v, doc)...)
	}
	return found, err
}

func (s *Service) checkBundles(ctx context.Context, v *version, doc *serverjson.Document, digests map[string]string) (*signatures, error) {
	found := new(signatures)
	if len(v.Bundles) == 0 {
		found.reasons = []admission.Reason{{Code: admission.ReasonUnsigned, Detail: "no signature bundle came with the publication"}}
		return found, nil
	}
	policy, err := s.policy(ctx, v.Tenant, doc.Namespace())
	if err != nil {
		return nil, err
	}
	for _, digest := range v.Bundles {
		bundle, err := s.get(ctx, digest, attest.MaxBundle)
		if err != nil {
			return nil, err
		}
		verified, err := policy.VerifyArtifact(bundle, digests)
		if err == nil && isStatement(verified) {
			found.verified = append(found.verified, verified) // it informs about a publication, and signs none
			continue
		}
		if err == nil {
			err = isAbout(verified, doc, hexDigest(v.ServerJSON))
		}
		if err != nil {
			found.reasons = append(found.reasons, unsound(digest, v.signed(), err))
			continue
		}
		found.verified = append(found.verified, verified)
		found.signers = append(found.signers, signerOf(digest, verified))
	}
	if len(found.signers) == 0 && len(found.reasons) == 0 {
		found.reasons = []admission.Reason{{Code: admission.ReasonUnsigned, Detail: "the bundles hold statements about vulnerabilities, and no signature over the publication"}}
	}
	return found, nil
}

// unsound is the reason of a bundle that proves nothing. Its code says what
// kind of fault it is, its cause which one exactly.
func unsound(bundle, signed string, err error) admission.Reason {
	cause := attest.ReasonOf(err)
	r := admission.Reason{Code: admission.ReasonSignatureInvalid, Cause: string(cause)}
	switch cause {
	case attest.ReasonDigest, attest.ReasonWeakDigest:
		r.Code, r.Detail = admission.ReasonDigestMismatch, fmt.Sprintf("bundle %s speaks of other bytes than %s", short(bundle), signed)
	case attest.ReasonSubject:
		r.Code, r.Detail = admission.ReasonDigestMismatch, fmt.Sprintf("bundle %s speaks of another package, version or server.json", short(bundle))
	case attest.ReasonNoSigner:
		r.Detail = "the namespace has no signers yet"
	default:
		r.Detail = fmt.Sprintf("bundle %s: %s", short(bundle), hostText(err, attest.ErrIdentity, attest.ErrUnverified, attest.ErrBundle,
			attest.ErrContent, attest.ErrStatement, attest.ErrTooLarge, attest.ErrTrustedRoot))
	}
	return r
}

func signerOf(bundle string, v *attest.Verified) admission.Signer {
	out := admission.Signer{Bundle: bundle, KeyID: v.KeyID, Issuer: v.Issuer, Subject: v.SAN, SignedAt: v.SignedAt.UTC(), Provenance: v.Provenance}
	if v.Statement != nil {
		out.PredicateType = v.Statement.PredicateType
	}
	if b := v.Build; b.SourceRepositoryURI != "" || b.BuildSignerURI != "" {
		out.Certified = &provenance.Facts{
			Repository: b.SourceRepositoryURI, Ref: b.SourceRepositoryRef, Revision: b.SourceRepositoryDigest, Workflow: b.BuildSignerURI,
			Invocation: b.RunInvocationURI,
		}
	}
	return out
}

// TrustedRootDigests names the trusted roots in force; it changes when they do.
func (s *Service) TrustedRootDigests() ([]string, error) {
	root, err := s.trustedRoot()
	if err != nil || root == nil {
		return nil, err
	}
	return root.Digests(), nil
}

func (s *Service) trustedRoot() (*attest.TrustedRoot, error) {
	root, err := s.TrustedRoots.Current()
	if err != nil {
		s.Logger.Error("read trusted roots", "error", err)
		return nil, refuse(ErrUnavailable, RefusedSigning, "the trusted roots cannot be read")
	}
	return root, nil
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
