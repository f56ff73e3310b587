package approval

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// reviewSubject is everything that reviewers decide about. Votes, dates and the
// checklist are not part of it: they are about the decision, not its object.
type reviewSubject struct {
	Artifact         string                        `json:"artifact"`
	SBOM             string                        `json:"sbom"`
	Tree             string                        `json:"tree,omitempty"` // older subjects have none
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
	ScannerBindings  []ScannerBinding              `json:"scannerBindings,omitempty"` // older subjects have none
	Waivers          []Waiver                      `json:"waivers"`
	ExtensionMethods []string                      `json:"extensionMethods"`
}

// newReviewSubject brings what has no order of its own into one.
func newReviewSubject(p *Predicate, s Subjects) *reviewSubject {
	r := &reviewSubject{
		Artifact: s.Artifact, SBOM: s.SBOM, Tree: s.Tree,
		Registry: p.Registry, Tenant: p.Tenant, Server: p.Server, Version: p.Version, Alias: p.Alias,
		Tier: p.Tier, Publisher: p.Publisher, Binding: p.Binding, Launch: p.Launch.Digest(),
		Entries: slices.SortedFunc(slices.Values(p.Entries), compareEntries), Roots: p.Roots,
		VolatileMeta: sortedSet(p.VolatileMeta), Annotations: p.Annotations, Scopes: sortedSet(p.Scopes),
		Scanners: slices.SortedFunc(slices.Values(p.Scanners), func(a, b ScannerVerdict) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Action, b.Action))
		}),
		ScannerBindings: p.ScannerBindings,
		Waivers: slices.SortedFunc(slices.Values(p.Waivers), func(a, b Waiver) int {
			return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Leaf, b.Leaf), a.Expires.Compare(b.Expires))
		}),
		ExtensionMethods: sortedSet(p.ExtensionMethods),
	}
	for i := range r.Waivers {
		r.Waivers[i].Expires = r.Waivers[i].Expires.UTC().Truncate(time.Second)
	}
	return r
}

// SubjectDigest is the hex SHA-256 of the canonical JSON of everything that
// reviewers decide about. The order of entries and of names does not matter.
// The gateway computes it anew from the approval.
func SubjectDigest(p *Predicate, s Subjects) (string, error) {
	d, err := canonicalDigest(newReviewSubject(p, s))
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

func compareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Era, b.Era), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key),
		slices.Compare(a.Whole[:], b.Whole[:]), slices.Compare(a.Behavioural[:], b.Behavioural[:]))
}
