// Package provenance reads what a build service or a package registry states
// about an artifact: SLSA provenance v0.2 and v1 (https://slsa.dev/provenance)
// and npm's publish attestation v0.1. It turns a predicate into the few facts
// that a policy compares: who built it, from which repository at which
// revision, by which workflow.
//
// It must not know signatures: whether anybody may say these things is decided
// before.
package provenance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Predicate types that Read understands.
const (
	SLSAv02      = "https://slsa.dev/provenance/v0.2"
	SLSAv1       = "https://slsa.dev/provenance/v1"
	NPMPublish   = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
	maxFact      = 2048 // bytes of one fact
	maxMaterials = 10000
)

// ErrMalformed: the predicate is not what its type promises.
var ErrMalformed = errors.New("provenance: malformed predicate")

// Facts is what a predicate states. Empty means unstated.
type Facts struct {
	Builder   string `json:"builder,omitzero"`   // builder.id: who is answerable for the build
	BuildType string `json:"buildType,omitzero"` // what kind of build it was
	// Repository is the source in the form of CanonicalRepository, Ref the
	// branch or tag, Revision the commit.
	Repository string `json:"repository,omitzero"`
	Ref        string `json:"ref,omitzero"`
	Revision   string `json:"revision,omitzero"`
	Workflow   string `json:"workflow,omitzero"`   // path of the build's definition in the repository
	Invocation string `json:"invocation,omitzero"` // of the one run
	// Package is the name and Version the version under which a package
	// registry took the artifact in, Registry its URL.
	Package  string `json:"package,omitzero"`
	Version  string `json:"version,omitzero"`
	Registry string `json:"registry,omitzero"`
}

// Understands reports whether a predicate type is one that Read reads.
func Understands(predicateType string) bool {
	return predicateType == SLSAv02 || predicateType == SLSAv1 || predicateType == NPMPublish
}

// Read reads a predicate; nil without an error if its type is another.
func Read(predicateType string, predicate jsontext.Value) (*Facts, error) {
	var f *Facts
	var err error
	switch predicateType {
	case SLSAv02:
		f, err = readV02(predicate)
	case SLSAv1:
		f, err = readV1(predicate)
	case NPMPublish:
		f, err = readPublish(predicate)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, fact := range []string{f.Builder, f.BuildType, f.Repository, f.Ref, f.Revision, f.Workflow, f.Invocation, f.Package, f.Version, f.Registry} {
		if len(fact) > maxFact {
			return nil, fmt.Errorf("%w: a fact of %d bytes", ErrMalformed, len(fact))
		}
	}
	return f, nil
}

type npmPublish struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Registry string `json:"registry"`
}

func readPublish(b jsontext.Value) (*Facts, error) {
	var p npmPublish
	if err := unmarshal(b, &p); err != nil {
		return nil, err
	}
	if p.Name == "" || p.Version == "" {
		return nil, fmt.Errorf("%w: no name or version", ErrMalformed)
	}
	return &Facts{Package: p.Name, Version: p.Version, Registry: p.Registry}, nil
}

// unmarshal ignores unknown members, which the specifications let builders add.
func unmarshal(b jsontext.Value, into any) error {
	if len(b) == 0 {
		return fmt.Errorf("%w: none", ErrMalformed)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// CanonicalRepository writes a repository's address so that two spellings of
// one repository are equal and those of two are not: without "git+", ".git",
// a final slash, a ref, a query; scheme and host in lower case. The path keeps
// its case.
func CanonicalRepository(address string) string {
	address, _ = splitRef(address)
	for strings.HasPrefix(address, "git+") {
		address = strings.TrimPrefix(address, "git+")
	}
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	for trimmed := ""; trimmed != path; {
		trimmed, path = path, strings.TrimSuffix(strings.TrimRight(path, "/"), ".git")
	}
	return strings.ToLower(scheme) + "://" + strings.ToLower(host) + "/" + path
}

// splitRef takes the ref off an SPDX download location: git+https://host/path@ref.
// An @ before the path belongs to the host.
func splitRef(uri string) (address, ref string) {
	uri, _, _ = strings.Cut(uri, "#")
	uri, _, _ = strings.Cut(uri, "?")
	start := 0
	if i := strings.Index(uri, "://"); i >= 0 {
		start = i + 3
		if j := strings.IndexByte(uri[start:], '/'); j >= 0 {
			start += j
		}
	}
	if i := strings.IndexByte(uri[start:], '@'); i >= 0 {
		return uri[:start+i], uri[start+i+1:]
	}
	return uri, ""
}
