package attest

import (
	"fmt"
	"regexp"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Identity is a signer known by certificate. Issuer is the exact OIDC issuer
// URL; SANRegex (RE2) must match the whole subject alternative name.
type Identity struct {
	Issuer   string `json:"issuer"`
	SANRegex string `json:"sanRegex"`
}

// Validate says whether the identity can be used in a policy.
func (id Identity) Validate() error {
	_, err := id.compile()
	return err
}

// Matches reports whether a verified certificate is this identity's.
func (id Identity) Matches(issuer, san string) bool {
	re, err := id.pattern()
	return err == nil && id.Issuer != "" && issuer == id.Issuer && re.MatchString(san)
}

// pattern compiles the expression alone first: otherwise "a)|(?:b" would close
// the group and escape the anchors.
func (id Identity) pattern() (*regexp.Regexp, error) {
	if id.SANRegex == "" || len(id.SANRegex) > maxSANPattern {
		return nil, fmt.Errorf("%w: subject pattern of %d bytes", ErrIdentity, len(id.SANRegex))
	}
	if _, err := regexp.Compile(id.SANRegex); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	re, err := regexp.Compile(`\A(?:` + id.SANRegex + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	return re, nil
}

func (id Identity) compile() (verify.CertificateIdentity, error) {
	re, err := id.pattern()
	if err != nil {
		return verify.CertificateIdentity{}, err
	}
	if id.Issuer == "" {
		return verify.CertificateIdentity{}, fmt.Errorf("%w: no issuer", ErrIdentity)
	}
	c, err := verify.NewCertificateIdentity(
		verify.SubjectAlternativeNameMatcher{Regexp: *re},
		verify.IssuerMatcher{Issuer: id.Issuer},
		certificate.Extensions{},
	)
	if err != nil {
		return verify.CertificateIdentity{}, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	return c, nil
}
