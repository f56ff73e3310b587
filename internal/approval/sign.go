package approval

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/semver"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// Subject names in an approval statement; one listing subject per era.
const (
	subjectArtifact  = "artifact"
	subjectSBOM      = "sbom"
	subjectListing   = "listing/"
	listingAlgorithm = "bartizanListingV1"
)

// reviewSubject is everything that reviewers decide about. Votes, dates and the
// checklist are not part of it: they are about the decision, not its object.
type reviewSubject struct {
	Artifact         string                        `json:"artifact"`
	SBOM             string                        `json:"sbom"`
	Registry         string                        `json:"registry"`
	Tenant           string                        `json:"tenant"`
	Server           string                        `json:"server"`
	Version          string                        `json:"version"`
	Alias            string                        `json:"alias"`
	Tier             string                        `json:"tier"`
	Publisher        string                        `json:"publisher"`
	Binding          Binding                       `json:"binding"`
	Launch           fingerprint.Digest            `json:"launch"`
	Entries          []Entry                       `json:"entries"`
	Roots            map[string]fingerprint.Digest `json:"roots"`
	VolatileMeta     []string                      `json:"volatileMeta"`
	Annotations      map[string]jsontext.Value     `json:"annotations"`
	Scopes           []string                      `json:"scopes"`
	Scanners         []ScannerVerdict              `json:"scanners"`
	Waivers          []Waiver                      `json:"waivers"`
	ExtensionMethods []string                      `json:"extensionMethods"`
}

// SubjectDigest is the hex SHA-256 of the canonical JSON of everything that
// reviewers decide about. The order of entries and of names does not matter.
// The gateway computes it anew from the approval.
func SubjectDigest(p *Predicate, s Subjects) (string, error) {
	r := reviewSubject{
		Artifact: s.Artifact, SBOM: s.SBOM,
		Registry: p.Registry, Tenant: p.Tenant, Server: p.Server, Version: p.Version, Alias: p.Alias,
		Tier: p.Tier, Publisher: p.Publisher, Binding: p.Binding, Launch: p.Launch.Digest(),
		Entries: slices.SortedFunc(slices.Values(p.Entries), compareEntries), Roots: p.Roots,
		VolatileMeta: sortedSet(p.VolatileMeta), Annotations: p.Annotations, Scopes: sortedSet(p.Scopes),
		Scanners: slices.SortedFunc(slices.Values(p.Scanners), func(a, b ScannerVerdict) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Action, b.Action))
		}),
		Waivers: slices.SortedFunc(slices.Values(p.Waivers), func(a, b Waiver) int {
			return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Leaf, b.Leaf), a.Expires.Compare(b.Expires))
		}),
		ExtensionMethods: sortedSet(p.ExtensionMethods),
	}
	for i := range r.Waivers {
		r.Waivers[i].Expires = r.Waivers[i].Expires.UTC().Truncate(time.Second)
	}
	d, err := canonicalDigest(r)
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

func compareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Era, b.Era), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key),
		slices.Compare(a.Whole[:], b.Whole[:]), slices.Compare(a.Behavioural[:], b.Behavioural[:]))
}

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
	case !plainName(p.Registry), !plainName(p.Tenant), !plainName(p.Server), !plainName(p.Alias), !plainName(p.Tier):
		return malformed("registry, tenant, server, alias and tier are plain names")
	case !semver.IsValid("v"+p.Version) || strings.Count(p.Version, ".") < 2:
		return malformed("version is not a full semantic version")
	case !isHex256(s.Artifact), s.SBOM != "" && !isHex256(s.SBOM):
		return malformed("artifact or SBOM digest")
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
	return p.Launch.check(p.Binding)
}
