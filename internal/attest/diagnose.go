package attest

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// diagnose finds the reason of a refusal that sigstore-go tells in prose only.
// It asks the same questions again, one by one; it decides nothing, since the
// bundle is refused already.
func (d *deployment) diagnose(b *bundle.Bundle, digests []verify.ArtifactDigest, ids []Identity, cause error) error {
	var mismatch *verify.ErrNoMatchingCertificateIdentity
	if errors.As(cause, &mismatch) {
		return misidentified(b, ids)
	}
	content, err := b.VerificationContent()
	if err != nil {
		return refuse(ReasonMalformed, ErrUnverified, "%w", err)
	}
	leaf := content.Certificate()
	if leaf == nil {
		return refuse(ReasonSignerKind, ErrUnverified, "%w", cause)
	}
	if err := d.signature(b, content, digests); err != nil {
		return refuse(ReasonSignature, ErrUnverified, "%w", err)
	}
	// Whose certificate it is comes before where it was logged: a signature of
	// another deployment has nothing to do with this one's logs.
	times, _ := d.times(b)
	if !d.issued(leaf, leaf.NotBefore, false) {
		return refuse(ReasonCertificate, ErrUnverified, "no authority of the root issued it")
	}
	if err := d.logged(b); err != nil {
		return err
	}
	if _, err := d.observed(b); err != nil {
		return err
	}
	for _, at := range times {
		switch {
		case at.Before(leaf.NotBefore) || at.After(leaf.NotAfter):
			return refuse(ReasonCertTime, ErrUnverified, "signed at %s, the certificate is of %s to %s", stamp(at), stamp(leaf.NotBefore), stamp(leaf.NotAfter))
		case !d.issued(leaf, at, true):
			return refuse(ReasonRootExpired, ErrUnverified, "the authority is not trusted at %s", stamp(at))
		}
	}
	if len(d.material.CTLogs()) > 0 && d.unlogged(leaf, times) {
		return refuse(ReasonUnlogged, ErrUnverified, "%w", cause)
	}
	return refuse(ReasonUnverified, ErrUnverified, "%w", cause)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// misidentified tells an identity of another provider from a stranger.
func misidentified(b *bundle.Bundle, ids []Identity) error {
	content, err := b.VerificationContent()
	if err != nil || content.Certificate() == nil {
		return ErrIdentity
	}
	for _, id := range ids {
		if c, err := certificate.SummarizeCertificate(content.Certificate()); err == nil && c.Issuer == id.Issuer {
			return refuse(ReasonIdentity, ErrIdentity, "the certificate names nobody who may sign")
		}
	}
	return refuse(ReasonIssuer, ErrIdentity, "the certificate's issuer is nobody's who may sign")
}

func (d *deployment) signature(b *bundle.Bundle, content verify.VerificationContent, digests []verify.ArtifactDigest) error {
	signed, err := b.SignatureContent()
	if err != nil {
		return err
	}
	if digests != nil {
		return verify.VerifySignatureWithArtifactDigests(signed, content, d.material, digests)
	}
	return verify.VerifySignature(signed, content, d.material)
}

// issued reports whether an authority of the root issued the certificate, at a
// time, in its own time of trust or whenever.
func (d *deployment) issued(leaf *x509.Certificate, at time.Time, timely bool) bool {
	leaf = known(leaf)
	for _, ca := range d.material.FulcioCertificateAuthorities() {
		if fulcio, ok := ca.(*root.FulcioCertificateAuthority); ok && !timely {
			always := *fulcio
			always.ValidityPeriodStart, always.ValidityPeriodEnd = time.Time{}, time.Time{}
			ca = &always
		}
		if _, err := ca.Verify(leaf, at); err == nil {
			return true
		}
	}
	return false
}

// known drops the marks of critical extensions that x509 does not read;
// sigstore-go reads the one that there is (an OtherName).
func known(leaf *x509.Certificate) *x509.Certificate {
	c := *leaf
	c.UnhandledCriticalExtensions = nil
	return &c
}

func (d *deployment) logged(b *bundle.Bundle) error {
	logs := d.material.RekorLogs()
	if len(logs) == 0 {
		return nil
	}
	entries, err := b.TlogEntries()
	if err != nil {
		return refuse(ReasonLogInvalid, ErrUnverified, "%w", err)
	}
	listed := false
	for _, e := range entries {
		log, ok := logs[hex.EncodeToString([]byte(e.LogKeyID()))]
		listed = listed || ok
		if ok && e.HasInclusionPromise() && tlog.VerifySET(e, logs) != nil && !within(log, e.IntegratedTime()) {
			return refuse(ReasonLogExpired, ErrUnverified, "the log's key was not valid at %s", stamp(e.IntegratedTime()))
		}
	}
	if !listed {
		return refuse(ReasonLogMissing, ErrUnverified, "%d entries, none of a log that the root lists", len(entries))
	}
	if _, err := verify.VerifyTlogEntry(b, d.material, 1, true); err != nil {
		// An entry whose own date lies outside the certificate's is refused with
		// the rest; that is no fault of the log's.
		if content, cerr := b.VerificationContent(); cerr == nil {
			for _, e := range entries {
				if at := e.IntegratedTime(); !at.IsZero() && !content.ValidAtTime(at, d.material) {
					return refuse(ReasonCertTime, ErrUnverified, "logged at %s, when the certificate is not valid", stamp(at))
				}
			}
		}
		return refuse(ReasonLogInvalid, ErrUnverified, "%w", err)
	}
	return nil
}

func (d *deployment) unlogged(leaf *x509.Certificate, times []time.Time) bool {
	for _, at := range times {
		chains, err := verify.VerifyLeafCertificate(at, known(leaf), d.material)
		if err != nil || verify.VerifySignedCertificateTimestamp(chains, 1, d.material) != nil {
			return true
		}
	}
	return false
}
