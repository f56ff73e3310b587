package release

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/semver"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Module is what is said about a module.
type Module struct {
	Name    string // in its manifest
	Version string // in its manifest; a semantic version without "v"
	Digest  string // sha256:<hex> of its bytes, manifest included
}

// predicate is that of attest.PredicateScanner.
type predicate struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ErrModule is a module that cannot be released.
var ErrModule = errors.New("release: module")

// ValidVersion reports whether a version has a place in the order of versions.
func ValidVersion(v string) bool { return semver.IsValid("v"+v) && strings.Count(v, ".") >= 2 }

const digestPrefix = "sha256:"

// ValidDigest reports whether d is written as digests of modules are.
func ValidDigest(d string) bool {
	hex, ok := strings.CutPrefix(d, digestPrefix)
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// Statement is the in-toto statement about m, ready to be signed: its subject
// is the module, its predicate name and version.
func Statement(m Module) ([]byte, error) {
	switch {
	case m.Name == "":
		return nil, fmt.Errorf("%w: no name", ErrModule)
	case !ValidVersion(m.Version):
		return nil, fmt.Errorf("%w: %q is no semantic version", ErrModule, m.Version)
	case !ValidDigest(m.Digest):
		return nil, fmt.Errorf("%w: %q is no digest", ErrModule, m.Digest)
	}
	body, err := json.Marshal(predicate{m.Name, m.Version}, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	s := attest.Statement{
		Subjects:      []attest.Subject{{Name: m.Name, Digest: map[string]string{"sha256": strings.TrimPrefix(m.Digest, digestPrefix)}}},
		PredicateType: attest.PredicateScanner, Predicate: body,
	}
	return s.Marshal()
}

// Sign returns the Sigstore bundle that says what m is.
func Sign(ctx context.Context, by attest.Signer, m Module) ([]byte, error) {
	statement, err := Statement(m)
	if err != nil {
		return nil, err
	}
	return by.Sign(ctx, statement)
}

// read takes a verified statement apart: the scanner that it names, and whether
// it is about the bytes of this digest.
func read(s *attest.Statement, digest string) (p predicate, about bool, err error) {
	if s == nil || s.PredicateType != attest.PredicateScanner {
		return p, false, errors.New("the bundle holds no statement about a scanner")
	}
	if err := json.Unmarshal(s.Predicate, &p, json.RejectUnknownMembers(true)); err != nil {
		return p, false, err
	}
	if p.Name == "" || !ValidVersion(p.Version) {
		return p, false, errors.New("the statement names no scanner and version")
	}
	if len(s.Subjects) != 1 {
		return p, false, fmt.Errorf("the statement has %d subjects", len(s.Subjects))
	}
	return p, s.HasDigest("sha256", strings.TrimPrefix(digest, digestPrefix)), nil
}
