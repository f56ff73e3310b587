package attest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// Verified is what a bundle proves. Either KeyID or Issuer and SAN are set.
type Verified struct {
	// Statement is nil for a message signature (VerifyArtifact only).
	Statement *Statement
	// KeyID is the ID of the key that signed.
	KeyID string
	// Issuer and SAN are the certificate's OIDC issuer and subject alternative name.
	Issuer, SAN string
	// Build is what else the certificate says: the source, workflow and runner
	// of a build service's job. Empty for a key.
	Build certificate.Extensions
	// Provenance is what the predicate states, nil if it is none that is read.
	Provenance *provenance.Facts
	// SignedAt is the earliest time at which a log or a timestamp authority saw
	// the signature; zero for a key.
	SignedAt time.Time
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

// Verify verifies a bundle that holds an in-toto statement. It does not say
// what the statement is about: compare its subjects, or use VerifyArtifact.
// ReasonOf tells why a bundle is refused.
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
		return p.verifyMessage(parsed, m.MessageSignature, digests)
	}
	v, err := p.verifyStatement(parsed)
	if err != nil {
		return nil, err
	}
	if err := v.Statement.about(digests); err != nil {
		return nil, err
	}
	return v, nil
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
	facts, err := provenance.Read(statement.PredicateType, statement.Predicate)
	if err != nil {
		return nil, refuse(ReasonPredicate, ErrStatement, "%w", err)
	}
	v, err := p.check(b, verify.WithoutArtifactUnsafe(), nil, &Verified{Statement: statement, Provenance: facts, Payload: body})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// verifyMessage takes the algorithm's name from the bundle but the digest from
// the caller.
func (p Policy) verifyMessage(b *bundle.Bundle, m *protocommon.MessageSignature, digests map[string]string) (*Verified, error) {
	name := map[protocommon.HashAlgorithm]string{
		protocommon.HashAlgorithm_SHA2_256: "sha256",
		protocommon.HashAlgorithm_SHA2_384: "sha384",
		protocommon.HashAlgorithm_SHA2_512: "sha512",
	}[m.GetMessageDigest().GetAlgorithm()]
	if name == "" {
		return nil, refuse(ReasonWeakDigest, ErrSubject, "signed over %s", m.GetMessageDigest().GetAlgorithm())
	}
	want, err := hex.DecodeString(digests[name])
	if err != nil || len(want) == 0 {
		return nil, fmt.Errorf("%w: no %s digest of the artifact to compare", ErrSubject, name)
	}
	if len(m.GetMessageDigest().GetDigest()) == 0 && b.MediaType != "" && isPromiseOnly(b) {
		m.MessageDigest.Digest = want // cosign's old format does not repeat it
	}
	if string(m.GetMessageDigest().GetDigest()) != string(want) {
		return nil, ErrSubject
	}
	return p.check(b, verify.WithArtifactDigest(name, want), []verify.ArtifactDigest{{Algorithm: name, Digest: want}}, new(Verified))
}

// isPromiseOnly reports a bundle v0.1: what fromCosignV2 makes.
func isPromiseOnly(b *bundle.Bundle) bool {
	version, err := b.Version()
	return err == nil && version == "v0.1"
}

// check verifies the signature by the half of the policy that the bundle's
// verification material belongs to.
func (p Policy) check(b *bundle.Bundle, artifact verify.ArtifactPolicyOption, digests []verify.ArtifactDigest, v *Verified) (*Verified, error) {
	if len(p.Keys) == 0 && len(p.Identities) == 0 {
		return nil, ErrNoPolicy
	}
	var err error
	if hint := b.VerificationMaterial.GetPublicKey(); hint != nil {
		err = p.checkKeys(b, hint.GetHint(), artifact, v)
	} else {
		err = p.checkIdentity(b, artifact, digests, v)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (p Policy) checkKeys(b *bundle.Bundle, hint string, artifact verify.ArtifactPolicyOption, into *Verified) error {
	if len(p.Keys) == 0 {
		return refuse(ReasonSignerKind, ErrUnverified, "signed with a key, but the policy names identities only")
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
			return fmt.Errorf("%w: %w", ErrUnverified, verr)
		}
		if _, err = v.Verify(b, verify.NewPolicy(artifact, verify.WithKey())); err == nil {
			into.KeyID = k.id
			return nil
		}
	}
	return refuse(ReasonKey, ErrUnverified, "by none of %d keys: %w", len(tried), err)
}

// checkIdentity asks every deployment of the root. The refusal is that of the
// one which came furthest: the others are somebody else's.
func (p Policy) checkIdentity(b *bundle.Bundle, artifact verify.ArtifactPolicyOption, digests []verify.ArtifactDigest, into *Verified) error {
	if len(p.Identities) == 0 {
		return refuse(ReasonSignerKind, ErrUnverified, "signed with a certificate, but the policy names keys only")
	}
	if p.Root == nil || len(p.Root.deployments) == 0 {
		return fmt.Errorf("%w: none given", ErrTrustedRoot)
	}
	var ids []verify.PolicyOption
	for _, id := range p.Identities {
		c, err := id.compile()
		if err != nil {
			return err
		}
		ids = append(ids, verify.WithCertificateIdentity(c))
	}
	var furthest error
	for _, d := range p.Root.deployments {
		err := p.checkDeployment(d, b, verify.NewPolicy(artifact, ids...), digests, into)
		if err == nil {
			return nil
		}
		if furthest == nil || rank(err) > rank(furthest) {
			furthest = err
		}
	}
	return furthest
}

func rank(err error) int { return slices.Index(Reasons(), ReasonOf(err)) }

func (p Policy) checkDeployment(d *deployment, b *bundle.Bundle, policy verify.PolicyBuilder, digests []verify.ArtifactDigest, into *Verified) error {
	res, err := d.verifier.Verify(b, policy)
	if err != nil {
		return d.diagnose(b, digests, p.Identities, err)
	}
	times, err := d.observed(b)
	if err != nil {
		return err
	}
	c := res.Signature.Certificate
	into.Issuer, into.SAN, into.Build, into.SignedAt = c.Issuer, c.SubjectAlternativeName, c.Extensions, times[0]
	if err := into.consistent(); err != nil {
		return err
	}
	// Among the identities that this certificate is, one must be content.
	err = ErrIdentity
	for _, id := range p.Identities {
		if !id.Matches(c.Issuer, c.SubjectAlternativeName) {
			continue
		}
		if err = id.bears(into); err == nil {
			return nil
		}
	}
	return err
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
