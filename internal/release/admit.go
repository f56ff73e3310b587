package release

import (
	"errors"
	"slices"

	"golang.org/x/mod/semver"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Policy is what an operator demands of the modules of one name.
type Policy struct {
	// Scanner is the name that is asked for.
	Scanner string
	// Signers are those whose word counts.
	Signers attest.Policy
	// Digest pins one module; "" none.
	Digest string
	// MinVersion is the oldest version that is let in; "" any.
	MinVersion string
	// UnsafeUnsigned lets in what nobody signed. Name, pin and versions count as
	// ever.
	UnsafeUnsigned bool
	// UnsafeRollback lets in what is older than what was seen before, or has its
	// version and other bytes. MinVersion counts as ever.
	UnsafeRollback bool
}

// Signer is who vouches for a module. The zero Signer is nobody.
type Signer struct {
	KeyID       string // hex SHA-256 of a key's SubjectPublicKeyInfo
	Issuer, SAN string // of a certificate
}

// String is for people.
func (s Signer) String() string {
	switch {
	case s.KeyID != "":
		return "key " + s.KeyID
	case s.Issuer != "":
		return s.SAN + " (" + s.Issuer + ")"
	}
	return "nobody"
}

// Admit decides about a module that arrived with a bundle, nil if with none.
// before is the newest release of this name that was let in earlier, nil if
// there was none. An error is a *Refusal.
func (p Policy) Admit(m Module, bundle []byte, before *Module) (Signer, error) {
	if !ValidVersion(m.Version) {
		return Signer{}, Refuse(p.Scanner, Malformed, "%q is no semantic version", m.Version)
	}
	signer, err := p.signed(m, bundle)
	if err != nil {
		return Signer{}, err
	}
	if m.Name != p.Scanner {
		return Signer{}, Refuse(p.Scanner, Swapped, "the module is scanner %s", m.Name)
	}
	if p.Digest != "" && m.Digest != p.Digest {
		return Signer{}, Refuse(p.Scanner, Pinned, "the module is %s, pinned is %s", m.Digest, p.Digest)
	}
	if p.MinVersion != "" && older(m.Version, p.MinVersion) {
		return Signer{}, Refuse(p.Scanner, Rollback, "version %s, at least %s is demanded", m.Version, p.MinVersion)
	}
	if before == nil || p.UnsafeRollback {
		return signer, nil
	}
	switch {
	case older(m.Version, before.Version):
		return Signer{}, Refuse(p.Scanner, Rollback, "version %s, %s was seen before", m.Version, before.Version)
	case !older(before.Version, m.Version) && m.Digest != before.Digest:
		return Signer{}, Refuse(p.Scanner, Replaced, "version %s is %s, it was %s before", m.Version, m.Digest, before.Digest)
	}
	return signer, nil
}

// signed verifies the bundle, and that it is about these bytes, this name and
// this version.
func (p Policy) signed(m Module, bundle []byte) (Signer, error) {
	switch {
	case p.UnsafeUnsigned:
		return Signer{}, nil
	case len(p.Signers.Keys)+len(p.Signers.Identities) == 0:
		return Signer{}, Refuse(p.Scanner, Unknown, "nobody is named whose modules of this name count")
	case len(bundle) == 0:
		return Signer{}, Refuse(p.Scanner, Unsigned, "no bundle came with it")
	case len(bundle) > MaxBundle:
		return Signer{}, Refuse(p.Scanner, Malformed, "a bundle of more than %d bytes", MaxBundle)
	}
	verified, err := p.Signers.Verify(bundle)
	if err != nil {
		return Signer{}, &Refusal{Reason: reasonOf(err), Scanner: p.Scanner, Err: err}
	}
	if err := compare(p.Scanner, verified.Statement, m); err != nil {
		return Signer{}, err
	}
	return Signer{KeyID: verified.KeyID, Issuer: verified.Issuer, SAN: verified.SAN}, nil
}

// compare holds a statement to a module.
func compare(scanner string, s *attest.Statement, m Module) error {
	said, about, err := read(s, m.Digest)
	switch {
	case err != nil:
		return &Refusal{Reason: Malformed, Scanner: scanner, Err: err}
	case !about && said.Name != scanner:
		return Refuse(scanner, Swapped, "the bundle is about scanner %s", said.Name)
	case !about:
		return Refuse(scanner, Tampered, "the bundle is about other bytes than %s", m.Digest)
	case said != predicate{m.Name, m.Version}:
		return Refuse(scanner, Swapped, "signed as %s %s, the module says %s %s", said.Name, said.Version, m.Name, m.Version)
	}
	return nil
}

// Claims reports whether a bundle is meant for a module: that it says so, not
// that anybody who counts signed it. An error is a *Refusal.
func Claims(bundle []byte, m Module) error {
	if len(bundle) > MaxBundle {
		return Refuse(m.Name, Malformed, "a bundle of more than %d bytes", MaxBundle)
	}
	s, err := attest.Claimed(bundle)
	if err != nil {
		return &Refusal{Reason: Malformed, Scanner: m.Name, Err: err}
	}
	return compare(m.Name, s, m)
}

// AdmitAny is Admit for a module that arrived with several bundles, which
// anybody could attach: one that Admit takes is enough. Otherwise the refusal
// is that of the bundle that came furthest.
func (p Policy) AdmitAny(m Module, bundles [][]byte, before *Module) (signer Signer, chosen []byte, err error) {
	if len(bundles) == 0 {
		signer, err = p.Admit(m, nil, before)
		return signer, nil, err
	}
	for _, bundle := range bundles {
		s, refused := p.Admit(m, bundle, before)
		if refused == nil {
			return s, bundle, nil
		}
		if err == nil || rank(err) < rank(refused) {
			err = refused
		}
	}
	return Signer{}, nil, err
}

// rank is the place of a refusal among the reasons. A bundle that is none of
// ours says least about the module.
func rank(err error) int { return slices.Index(Reasons(), ReasonOf(err)) }

// reasonOf sorts what package attest says.
func reasonOf(err error) Reason {
	for _, malformed := range []error{attest.ErrTooLarge, attest.ErrBundle, attest.ErrContent, attest.ErrStatement} {
		if errors.Is(err, malformed) {
			return Malformed
		}
	}
	if errors.Is(err, attest.ErrIdentity) {
		return Identity
	}
	return Signature
}

// older compares versions as semver.org orders them; build metadata has no rank.
func older(a, b string) bool { return semver.Compare("v"+a, "v"+b) < 0 }

// Newer returns the newer of two releases; nil is older than any.
func Newer(a, b *Module) *Module {
	if a == nil || b != nil && older(a.Version, b.Version) {
		return b
	}
	return a
}
