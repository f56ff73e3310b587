package approval

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// Subject names in an approval statement; one listing subject per era.
const (
	subjectArtifact  = "artifact"
	subjectTree      = "tree"
	subjectSBOM      = "sbom"
	subjectListing   = "listing/"
	listingAlgorithm = "bartizanListingV1"
)

var aliasPattern = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)

// Sign signs an approval with an approval key. It fills p.Subject, brings the
// dates to whole seconds, and refuses what Verify would refuse for its form;
// the quorum is judged by Verify, under a trust document. The digest is the
// approval's name in snapshots: hex SHA-256 of the bundle's bytes.
func Sign(ctx context.Context, signer attest.Signer, p *Predicate, s Subjects) (bundle []byte, digest string, err error) {
	statement, err := approvalStatement(p, s)
	if err != nil {
		return nil, "", err
	}
	bundle, err = signer.Sign(ctx, statement)
	if err != nil {
		return nil, "", fmt.Errorf("approval: sign: %w", err)
	}
	if len(bundle) > MaxApproval {
		return nil, "", fmt.Errorf("%w: approval of %d bytes", ErrMalformed, len(bundle))
	}
	return bundle, hexDigest(bundle), nil
}

func approvalStatement(p *Predicate, s Subjects) ([]byte, error) {
	signed := *p
	second := func(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
	signed.NotBefore, signed.Expires = second(p.NotBefore), second(p.Expires)
	signed.Waivers = slices.Clone(p.Waivers)
	for i := range signed.Waivers {
		signed.Waivers[i].Expires = second(signed.Waivers[i].Expires)
	}
	subject, err := SubjectDigest(&signed, s)
	if err != nil {
		return nil, err
	}
	signed.Subject = subject
	if err := signed.check(s); err != nil {
		return nil, err
	}
	predicate, err := encode(signed)
	if err != nil {
		return nil, err
	}
	statement, err := (&attest.Statement{
		Subjects: signed.subjects(s), PredicateType: attest.PredicateApproval, Predicate: predicate,
	}).Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	*p = signed
	return statement, nil
}

// subjects lists the statement's subjects in a fixed order.
func (p *Predicate) subjects(s Subjects) []attest.Subject {
	out := []attest.Subject{{Name: subjectArtifact, Digest: map[string]string{"sha256": s.Artifact}}}
	if s.Tree != "" {
		out = append(out, attest.Subject{Name: subjectTree, Digest: map[string]string{tree.Algorithm: s.Tree}})
	}
	if s.SBOM != "" {
		out = append(out, attest.Subject{Name: subjectSBOM, Digest: map[string]string{"sha256": s.SBOM}})
	}
	for _, era := range slices.Sorted(maps.Keys(p.Roots)) {
		out = append(out, attest.Subject{Name: subjectListing + era, Digest: map[string]string{listingAlgorithm: p.Roots[era].String()}})
	}
	return out
}

// check holds a predicate to its form.
func (p *Predicate) check(s Subjects) error {
	malformed := func(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
	switch {
	case !plainName(p.Registry), !plainName(p.Tenant), !plainName(p.Server), !plainName(p.Tier):
		return malformed("registry, tenant, server and tier are plain names")
	case !aliasPattern.MatchString(p.Alias):
		return malformed("alias does not match [a-z0-9-]{1,20}")
	case !semver.IsValid("v"+p.Version) || strings.Count(p.Version, ".") < 2:
		return malformed("version is not a full semantic version")
	case !isHex256(s.Artifact), s.SBOM != "" && !isHex256(s.SBOM):
		return malformed("artifact or SBOM digest")
	case p.Binding == BindingArtifact && !isHex256(s.Tree), p.Binding != BindingArtifact && s.Tree != "":
		return malformed("artifact binding has the digest of a tree, and no other has")
	case p.Checklist != "" && !isHex256(p.Checklist), p.Supersedes != "" && !isHex256(p.Supersedes):
		return malformed("checklist or superseded digest")
	case p.NotBefore.IsZero() || !p.Expires.After(p.NotBefore):
		return malformed("dates")
	case len(p.Votes) > MaxVotes || len(p.SessionVotes) > MaxVotes:
		return malformed("too many votes")
	case len(p.Roots) == 0 || len(p.Entries) > MaxEntries:
		return malformed("no listing root, or too many entries")
	}
	seen := make(map[entryKey]bool, len(p.Entries))
	for _, e := range p.Entries {
		k := entryKey{e.Era, e.Kind, e.Key}
		if _, ok := p.Roots[e.Era]; !ok || e.Kind == "" || seen[k] {
			return malformed("entry repeated or of an era without a listing root")
		}
		seen[k] = true
	}
	if err := checkScannerBindings(p.ScannerBindings); err != nil {
		return err
	}
	return p.Launch.Check(p.Binding)
}
