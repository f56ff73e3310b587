package registry

import (
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// predicate is the approval of v as it would be signed, but for votes, dates
// and checklist. It depends on the version's blobs and waivers alone.
func (s *Service) predicate(prints []printed, verdict *scanVerdict, v *version, waivers []admission.Waiver, trust *approval.Trust) (*approval.Predicate, approval.Subjects) {
	p := &approval.Predicate{
		Registry: trust.Registry, Tenant: v.Tenant, Server: v.Name, Version: v.Version.Version, Alias: v.Alias, Tier: v.Tier,
		Publisher: v.Publisher, Binding: approval.Binding(v.Binding),
		Launch: launchOf(v.Launch),
		Roots:  roots(prints), Annotations: approval.Annotations(listings(prints)), Scopes: v.Scopes, Scanners: verdict.byScanner(),
		ScannerBindings: v.ScannerBindings,
	}
	for _, era := range prints {
		for _, e := range era.set.Entries {
			if _, single := era.set.Lookup(e.Kind, e.Key); !single {
				continue // two entries under one key: neither is approved
			}
			p.Entries = append(p.Entries, approval.Entry{Era: string(era.listing.Era), Kind: e.Kind.String(), Key: e.Key, Whole: e.Whole, Behavioural: e.Behavioural})
		}
	}
	for _, w := range waivers {
		p.Waivers = append(p.Waivers, approval.Waiver{Rule: w.Rule, Pointer: w.Pointer, Leaf: w.Leaf, Expires: w.Expires.UTC().Truncate(time.Second)})
	}
	return p, approval.Subjects{Artifact: hexDigest(v.signed()), SBOM: hexDigest(v.SBOM), Tree: v.Tree}
}

// byScanner is the worst that each scanner said.
func (v *scanVerdict) byScanner() []approval.ScannerVerdict {
	var out []approval.ScannerVerdict
	for _, ref := range v.Scanners {
		worst := engine.ActionAllow
		for _, f := range v.Findings {
			if a := engine.Action(f.Action); f.Scanner == ref.Name && a != engine.ActionLog && worst.Less(a) {
				worst = a
			}
		}
		if slices.ContainsFunc(v.Failures, func(f admission.Failure) bool { return f.Scanner == ref.Name }) {
			worst = engine.ActionBlock
		}
		out = append(out, approval.ScannerVerdict{Name: ref.Name, Digest: hexDigest(ref.Digest), Action: string(worst)})
	}
	return out
}

// subject is the digest that the reviewers of v vote about.
func (s *Service) subject(prints []printed, verdict *scanVerdict, v *version, waivers []admission.Waiver) (string, error) {
	trust, err := s.trust()
	if err != nil {
		return "", err
	}
	p, subjects := s.predicate(prints, verdict, v, waivers, trust)
	return approval.SubjectDigest(p, subjects)
}

// reviewed loads what an approval of v is made from.
func (s *Service) reviewed(ctx context.Context, v *version) ([]printed, *scanVerdict, error) {
	w, err := s.repeatRun(ctx, v)
	if err != nil {
		return nil, nil, err
	}
	raw, err := s.get(ctx, v.Verdict, MaxEvidence)
	if err != nil {
		return nil, nil, err
	}
	var verdict scanVerdict
	if err := json.Unmarshal(raw, &verdict); err != nil {
		return nil, nil, err
	}
	return w.prints, &verdict, nil
}

func listings(prints []printed) []listing.Listing {
	out := make([]listing.Listing, len(prints))
	for i, p := range prints {
		out[i] = p.listing
	}
	return out
}
