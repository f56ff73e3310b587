package attest

import (
	"fmt"
	"net/url"
	"regexp"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// Identity is a signer known by certificate. Issuer is the exact OIDC issuer
// URL; SANRegex (RE2) must match the whole subject alternative name. The other
// two are demanded if they are set.
type Identity struct {
	Issuer   string `json:"issuer"`
	SANRegex string `json:"sanRegex"`
	// SourceRepository is the repository from which the artifact must have been
	// built: the certificate says so, or the SLSA provenance, and neither says
	// otherwise.
	SourceRepository string `json:"sourceRepository,omitzero"`
	// Builder is the builder.id that the SLSA provenance must state.
	Builder string `json:"builder,omitzero"`
}

// Validate says whether the identity can be used in a policy.
func (id Identity) Validate() error {
	if id.SourceRepository != "" {
		u, err := url.Parse(id.SourceRepository)
		if err != nil || u.Scheme == "" || u.Host == "" || len(u.Path) < 2 || len(id.SourceRepository) > maxSANPattern {
			return fmt.Errorf("%w: the source repository is no URL of a repository", ErrIdentity)
		}
	}
	if len(id.Builder) > maxSANPattern {
		return fmt.Errorf("%w: builder id of %d bytes", ErrIdentity, len(id.Builder))
	}
	_, err := id.compile()
	return err
}

// Matches reports whether a verified certificate is this identity's.
func (id Identity) Matches(issuer, san string) bool {
	re, err := id.pattern()
	return err == nil && id.Issuer != "" && issuer == id.Issuer && re.MatchString(san)
}

// bears holds what a bundle says of its origin to what the identity demands.
func (id Identity) bears(v *Verified) error {
	if id.SourceRepository != "" {
		want, stated := provenance.CanonicalRepository(id.SourceRepository), v.sources()
		if len(stated) == 0 {
			return refuse(ReasonSource, ErrIdentity, "neither certificate nor provenance names a source repository")
		}
		for _, s := range stated {
			if s != want {
				return refuse(ReasonSource, ErrIdentity, "built from another repository")
			}
		}
	}
	if id.Builder != "" && (v.Provenance == nil || v.Provenance.Builder != id.Builder) {
		return refuse(ReasonBuilder, ErrIdentity, "no provenance of the builder")
	}
	return nil
}

// sources are the repositories that certificate and provenance name.
func (v *Verified) sources() (all []string) {
	if v.Build.SourceRepositoryURI != "" {
		all = append(all, provenance.CanonicalRepository(v.Build.SourceRepositoryURI))
	}
	if v.Provenance != nil && v.Provenance.Repository != "" {
		all = append(all, v.Provenance.Repository)
	}
	return all
}

// consistent refuses a provenance that says otherwise than the certificate of
// the job that signed it: the authority checked the one, the job wrote the other.
func (v *Verified) consistent() error {
	if v.Provenance == nil || v.Provenance.Repository == "" || v.Build.SourceRepositoryURI == "" {
		return nil
	}
	if provenance.CanonicalRepository(v.Build.SourceRepositoryURI) != v.Provenance.Repository {
		return refuse(ReasonContradiction, ErrIdentity, "the provenance names another repository than the certificate")
	}
	if a, b := v.Build.SourceRepositoryDigest, v.Provenance.Revision; a != "" && b != "" && a != b {
		return refuse(ReasonContradiction, ErrIdentity, "the provenance names another revision than the certificate")
	}
	return nil
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
