package attest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Verified is what a bundle proves. Either KeyID or Issuer and SAN are set.
type Verified struct {
	// Statement is nil for a message signature (VerifyArtifact only).
	Statement *Statement
	// KeyID is the ID of the key that signed.
	KeyID string
	// Issuer and SAN are the certificate's OIDC issuer and subject alternative name.
	Issuer, SAN string
	// Payload is the statement exactly as signed; nil for a message signature.
	Payload []byte
}

// Policy says whose signature counts: any of the keys, or any of the identities
// under the trusted root.
type Policy struct {
	Keys       []*PublicKey
	Identities []Identity
	Root       *TrustedRoot
}

// VerifyKeys verifies a statement signed by one of the keys. Log entries and
// timestamps in the bundle are not required and not looked at.
func VerifyKeys(b []byte, keys []*PublicKey) (*Verified, error) {
	return Policy{Keys: keys}.Verify(b)
}

// VerifyIdentity verifies a statement signed under a certificate of the root by
// one of the identities, with the log entry and time that the root demands.
func VerifyIdentity(b []byte, root *TrustedRoot, ids []Identity) (*Verified, error) {
	return Policy{Identities: ids, Root: root}.Verify(b)
}

// Verify verifies a bundle that holds an in-toto statement. It does not say
// what the statement is about: compare its subjects, or use VerifyArtifact.
func (p Policy) Verify(b []byte) (*Verified, error) {
	parsed, err := parseBundle(b)
	if err != nil {
		return nil, err
	}
	return p.verifyStatement(parsed)
}

// VerifyArtifact verifies a bundle about one artifact, given by its digests
// (algorithm "sha256", "sha384" or "sha512" to lower-case hex): a statement
// with one of the digests among its subjects, or a message signature over the
// artifact itself, as `cosign sign-blob` makes them.
func (p Policy) VerifyArtifact(b []byte, digests map[string]string) (*Verified, error) {
	parsed, err := parseBundle(b)
	if err != nil {
		return nil, err
	}
	if m, ok := parsed.Content.(*protobundle.Bundle_MessageSignature); ok {
		return p.verifyMessage(parsed, m.MessageSignature.GetMessageDigest().GetAlgorithm(), digests)
	}
	v, err := p.verifyStatement(parsed)
	if err != nil {
		return nil, err
	}
	for _, alg := range []string{"sha256", "sha384", "sha512"} {
		if v.Statement.HasDigest(alg, digests[alg]) {
			return v, nil
		}
	}
	return nil, ErrSubject
}

// Claimed returns the statement in a bundle, which nobody verified: it says what
// a bundle is meant to be, never what it proves.
func Claimed(b []byte) (*Statement, error) {
	parsed, err := parseBundle(b)
	if err != nil {
		return nil, err
	}
	body, err := payload(parsed)
	if err != nil {
		return nil, err
	}
	return ParseStatement(body)
}

func (p Policy) verifyStatement(b *bundle.Bundle) (*Verified, error) {
	body, err := payload(b)
	if err != nil {
		return nil, err
	}
	// Parsed before it is verified, by the strict reader only: sigstore-go's
	// own reading of the statement decides nothing here.
	statement, err := ParseStatement(body)
	if err != nil {
		return nil, err
	}
	v, err := p.check(b, verify.WithoutArtifactUnsafe())
	if err != nil {
		return nil, err
	}
	v.Statement, v.Payload = statement, body
	return v, nil
}

// verifyMessage takes the algorithm's name from the bundle but the digest from
// the caller.
func (p Policy) verifyMessage(b *bundle.Bundle, alg protocommon.HashAlgorithm, digests map[string]string) (*Verified, error) {
	name := map[protocommon.HashAlgorithm]string{
		protocommon.HashAlgorithm_SHA2_256: "sha256",
		protocommon.HashAlgorithm_SHA2_384: "sha384",
		protocommon.HashAlgorithm_SHA2_512: "sha512",
	}[alg]
	want, err := hex.DecodeString(digests[name])
	if err != nil || len(want) == 0 {
		return nil, fmt.Errorf("%w: no %s digest of the artifact to compare", ErrSubject, alg)
	}
	m := b.Content.(*protobundle.Bundle_MessageSignature).MessageSignature
	if string(m.GetMessageDigest().GetDigest()) != string(want) {
		return nil, ErrSubject
	}
	return p.check(b, verify.WithArtifactDigest(name, want))
}

// check verifies the signature by the half of the policy that the bundle's
// verification material belongs to.
func (p Policy) check(b *bundle.Bundle, artifact verify.ArtifactPolicyOption) (*Verified, error) {
	if len(p.Keys) == 0 && len(p.Identities) == 0 {
		return nil, ErrNoPolicy
	}
	if hint := b.VerificationMaterial.GetPublicKey(); hint != nil {
		return p.checkKeys(b, hint.GetHint(), artifact)
	}
	return p.checkIdentity(b, artifact)
}

func (p Policy) checkKeys(b *bundle.Bundle, hint string, artifact verify.ArtifactPolicyOption) (*Verified, error) {
	if len(p.Keys) == 0 {
		return nil, fmt.Errorf("%w: signed with a key, but the policy names identities only", ErrUnverified)
	}
	// The hint is not authenticated: it picks the keys that are tried, never
	// one that is trusted. With a strange hint, or none, all are tried.
	tried := slices.DeleteFunc(slices.Clone(p.Keys), func(k *PublicKey) bool { return !k.hinted(hint) })
	if len(tried) == 0 {
		tried = p.Keys
	}
	var err error
	for _, k := range tried {
		v, verr := verify.NewVerifier(k.material(), verify.WithNoObserverTimestamps(), verify.WithoutStatementPredicate())
		if verr != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnverified, verr)
		}
		if _, err = v.Verify(b, verify.NewPolicy(artifact, verify.WithKey())); err == nil {
			return &Verified{KeyID: k.id}, nil
		}
	}
	return nil, fmt.Errorf("%w: by none of %d keys: %w", ErrUnverified, len(tried), err)
}

func (p Policy) checkIdentity(b *bundle.Bundle, artifact verify.ArtifactPolicyOption) (*Verified, error) {
	if len(p.Identities) == 0 {
		return nil, fmt.Errorf("%w: signed with a certificate, but the policy names keys only", ErrUnverified)
	}
	if p.Root == nil {
		return nil, fmt.Errorf("%w: none given", ErrTrustedRoot)
	}
	var opts []verify.PolicyOption
	for _, id := range p.Identities {
		c, err := id.compile()
		if err != nil {
			return nil, err
		}
		opts = append(opts, verify.WithCertificateIdentity(c))
	}
	res, err := p.Root.verifier.Verify(b, verify.NewPolicy(artifact, opts...))
	if err != nil {
		var mismatch *verify.ErrNoMatchingCertificateIdentity
		if errors.As(err, &mismatch) {
			return nil, ErrIdentity
		}
		return nil, fmt.Errorf("%w: %w", ErrUnverified, err)
	}
	c := res.Signature.Certificate
	return &Verified{Issuer: c.Issuer, SAN: c.SubjectAlternativeName}, nil
}

// hinted accepts our hint (hex) and the one cosign writes (base64).
func (p *PublicKey) hinted(hint string) bool {
	if hint == p.id {
		return true
	}
	sum, err := base64.StdEncoding.DecodeString(hint)
	return err == nil && hex.EncodeToString(sum) == p.id
}

// material offers this key to sigstore-go under whatever hint the bundle bears.
func (p *PublicKey) material() root.TrustedMaterial {
	return root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(p.verifier, time.Time{}, time.Time{}), nil
	})
}
