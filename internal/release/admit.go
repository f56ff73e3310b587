package release

import (
	"errors"
	"fmt"

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
	said, about, err := read(verified.Statement, m.Digest)
	switch {
	case err != nil:
		return Signer{}, &Refusal{Reason: Malformed, Scanner: p.Scanner, Err: err}
	case !about && said.Name != p.Scanner:
		return Signer{}, Refuse(p.Scanner, Swapped, "the bundle is about scanner %s", said.Name)
	case !about:
		return Signer{}, Refuse(p.Scanner, Tampered, "the bundle is about other bytes than %s", m.Digest)
	case said != predicate{m.Name, m.Version}:
		return Signer{}, Refuse(p.Scanner, Swapped, "signed as %s %s, the module says %s %s", said.Name, said.Version, m.Name, m.Version)
	}
	return Signer{KeyID: verified.KeyID, Issuer: verified.Issuer, SAN: verified.SAN}, nil
}

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

// Validate reports what is wrong with a policy.
func (p Policy) Validate() error {
	if p.Digest != "" && !ValidDigest(p.Digest) {
		return fmt.Errorf("%w: %q is no digest", ErrModule, p.Digest)
	}
	if p.MinVersion != "" && !ValidVersion(p.MinVersion) {
		return fmt.Errorf("%w: %q is no semantic version", ErrModule, p.MinVersion)
	}
	return nil
}
