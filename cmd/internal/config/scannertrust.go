package config

import (
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// Trust says which modules of one scanner's name are let in: those that one of
// its keys or identities signed, and no others. A scanner of this binary needs
// none.
type Trust struct {
	// Scanner is the name in the manifest.
	Scanner string `json:"scanner"`
	// Keys are files of public keys.
	Keys []string `json:"keys"`
	// Identities are signers by certificate, under Scanners.TrustedRoot.
	Identities []attest.Identity `json:"identities"`
	// Digest is the only module that is let in, sha256:<hex>.
	Digest string `json:"digest"`
	// MinVersion is the oldest version that is let in.
	MinVersion string `json:"minVersion"`
	// Bundle is the file of the Sigstore bundle; empty means beside the module,
	// with its name and .sigstore.json.
	Bundle string `json:"bundle"`
	// UnsafeUnsigned lets in what nobody signed; audited.
	UnsafeUnsigned bool `json:"unsafeUnsigned"`
	// UnsafeRollback lets in what is older than what was in force before; audited.
	UnsafeRollback bool `json:"unsafeRollback"`
}

// TrustOf returns what is demanded of the modules of a name, and whether
// anything is said about it.
func (s Scanners) TrustOf(name string) (Trust, bool) {
	for _, t := range s.Trust {
		if t.Scanner == name {
			return t, true
		}
	}
	return Trust{Scanner: name}, false
}

func (s Scanners) unsafeTrust() (used []string) {
	for _, t := range s.Trust {
		at := "scanners.trust." + t.Scanner
		if t.UnsafeUnsigned {
			used = append(used, at+".unsafeUnsigned")
		}
		if t.UnsafeRollback {
			used = append(used, at+".unsafeRollback")
		}
	}
	return used
}

func (s Scanners) validateTrust() (problems []error) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	seen := map[string]bool{}
	for i, t := range s.Trust {
		at := fmt.Sprintf("scanners.trust[%d]", i)
		if !scannerPattern.MatchString(t.Scanner) {
			bad("%s.scanner: %q is no scanner's name", at, t.Scanner)
		}
		if seen[t.Scanner] {
			bad("%s.scanner: %q stands twice", at, t.Scanner)
		}
		seen[t.Scanner] = true
		signers := len(t.Keys) + len(t.Identities)
		switch {
		case signers == 0 && !t.UnsafeUnsigned:
			bad("%s: keys or identities are needed, or unsafeUnsigned", at)
		case signers > 0 && t.UnsafeUnsigned:
			bad("%s.unsafeUnsigned: goes with neither keys nor identities", at)
		case t.UnsafeUnsigned && t.Bundle != "":
			bad("%s.bundle: nobody reads it with unsafeUnsigned", at)
		}
		if len(t.Identities) > 0 && s.TrustedRoot == "" {
			bad("%s.identities: scanners.trustedRoot is needed to check certificates", at)
		}
		for j, id := range t.Identities {
			if id.Issuer == "" {
				bad("%s.identities[%d].issuer: must not be empty", at, j)
			} else if err := id.Validate(); err != nil {
				bad("%s.identities[%d].sanRegex: %w", at, j, err)
			}
		}
		if t.Digest != "" && !release.ValidDigest(t.Digest) {
			bad("%s.digest: %q is not sha256: and 64 lower-case hex digits", at, t.Digest)
		}
		if t.MinVersion != "" && !release.ValidVersion(t.MinVersion) {
			bad("%s.minVersion: %q is no semantic version", at, t.MinVersion)
		}
	}
	return problems
}
