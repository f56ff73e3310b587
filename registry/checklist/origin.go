package checklist

import (
	"slices"

	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// origin is what one signature says about the build.
type origin struct {
	Bundle     string            `json:"bundle"`
	Provenance *provenance.Facts `json:"provenance,omitzero"`
	Certified  *provenance.Facts `json:"certified,omitzero"`
}

// originProven compares the repositories that signatures name with the one that
// server.json declares. A namespace that demands a source demands it of the
// signature itself; here the reviewers see whether the publisher's own word
// agrees with it.
func originProven(f *Facts) outcome {
	if f.Artifact == "" {
		return notNeeded("no artifact that could have been built")
	}
	var origins []origin
	var named []string
	for _, s := range f.Signers {
		if s.Provenance != nil || s.Certified != nil {
			origins = append(origins, origin{s.Bundle, s.Provenance, s.Certified})
		}
		for _, facts := range []*provenance.Facts{s.Provenance, s.Certified} {
			if facts != nil && facts.Repository != "" {
				named = append(named, provenance.CanonicalRepository(facts.Repository))
			}
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	declared := ""
	if f.Document.Repository != nil {
		declared = provenance.CanonicalRepository(f.Document.Repository.URL)
	}
	facts := map[string]any{"declared": declared, "named": named, "origins": origins}
	switch {
	case len(named) == 0:
		return fail("no signature names a source repository", facts)
	case declared == "":
		return fail("server.json declares no repository; signatures name "+named[0], facts)
	case len(named) > 1 || named[0] != declared:
		return fail("built from "+named[0]+", server.json declares "+declared, facts)
	}
	return pass("built from "+declared, facts)
}
