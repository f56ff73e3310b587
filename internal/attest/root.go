package attest

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// TrustedRoot holds the certificate authorities, transparency logs and
// timestamp authorities that an operator trusts.
type TrustedRoot struct {
	material *root.TrustedRoot
	verifier *verify.Verifier
}

// LoadTrustedRoot reads a Sigstore trusted_root.json from disk. It is never
// fetched.
func LoadTrustedRoot(path string) (*TrustedRoot, error) {
	b, err := readBounded(path, MaxTrustedRoot, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	return ParseTrustedRoot(b)
}

// ParseTrustedRoot reads trusted_root.json. What the root provides is demanded
// of every signature: a log entry if it lists transparency logs, a certificate
// timestamp if it lists CT logs, and in any case an observed time, from a
// timestamp authority or a log. A root that provides neither of these two
// cannot date a short-lived certificate and is refused.
func ParseTrustedRoot(b []byte) (*TrustedRoot, error) {
	if len(b) > MaxTrustedRoot {
		return nil, fmt.Errorf("%w: trusted root of %d bytes", ErrTooLarge, len(b))
	}
	if !jsontext.Value(b).IsValid() {
		return nil, fmt.Errorf("%w: not strict JSON", ErrTrustedRoot)
	}
	material, err := root.NewTrustedRootFromJSON(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	logs, tsas := len(material.RekorLogs()), len(material.TimestampingAuthorities())
	switch {
	case len(material.FulcioCertificateAuthorities()) == 0:
		return nil, fmt.Errorf("%w: no certificate authority", ErrTrustedRoot)
	case logs+tsas == 0:
		return nil, fmt.Errorf("%w: neither a transparency log nor a timestamp authority", ErrTrustedRoot)
	}
	opts := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	if logs > 0 {
		opts = append(opts, verify.WithTransparencyLog(1))
	}
	if len(material.CTLogs()) > 0 {
		opts = append(opts, verify.WithSignedCertificateTimestamps(1))
	}
	v, err := verify.NewVerifier(material, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	return &TrustedRoot{material: material, verifier: v}, nil
}
