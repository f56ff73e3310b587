package vex

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// statusOf translates CycloneDX's states of impact analysis.
var statusOf = map[string]Status{
	"exploitable": Affected, "in_triage": UnderInvestigation, "not_affected": NotAffected,
	"false_positive": NotAffected, "resolved": Fixed, "resolved_with_pedigree": Fixed,
}

type cdxDocument struct {
	Version  string `json:"specVersion"`
	Metadata struct {
		Time      time.Time     `json:"timestamp"`
		Component *cdxComponent `json:"component"`
	} `json:"metadata"`
	Components      []cdxComponent     `json:"components"`
	Vulnerabilities []cdxVulnerability `json:"vulnerabilities"`
}

type cdxComponent struct {
	Ref        string         `json:"bom-ref"`
	Purl       string         `json:"purl"`
	Components []cdxComponent `json:"components"`
}

type cdxVulnerability struct {
	ID         string `json:"id"`
	References []struct {
		ID string `json:"id"`
	} `json:"references"`
	Updated  time.Time `json:"updated"`
	Analysis *struct {
		State         string    `json:"state"`
		Justification string    `json:"justification"`
		Detail        string    `json:"detail"`
		FirstIssued   time.Time `json:"firstIssued"`
		LastUpdated   time.Time `json:"lastUpdated"`
	} `json:"analysis"`
	Affects []struct {
		Ref string `json:"ref"`
	} `json:"affects"`
}

// cyclonedx reads the vulnerabilities of a document that have an analysis. What
// they affect is a component of the same document, or a package URL; a
// reference into another document is unresolved.
func cyclonedx(b []byte) (*Document, error) {
	var in cdxDocument
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, malformed("%s", err)
	}
	if !slices.Contains([]string{"1.4", "1.5", "1.6", "1.7"}, in.Version) {
		return nil, malformed("not CycloneDX 1.4 to 1.7")
	}
	purls := map[string]string{}
	var walk func([]cdxComponent, int) error
	walk = func(list []cdxComponent, depth int) error {
		if depth > 32 {
			return malformed("components nested more than 32 deep")
		}
		for _, c := range list {
			if c.Ref != "" {
				if _, twice := purls[c.Ref]; twice {
					return malformed("bom-ref %.80q occurs twice", c.Ref)
				}
				purls[c.Ref] = c.Purl
			}
			if err := walk(c.Components, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if c := in.Metadata.Component; c != nil {
		if err := walk([]cdxComponent{*c}, 0); err != nil {
			return nil, err
		}
	}
	if err := walk(in.Components, 0); err != nil {
		return nil, err
	}
	d := &Document{Format: "cyclonedx"}
	for i, v := range in.Vulnerabilities {
		if v.Analysis == nil || v.Analysis.State == "" {
			continue // says that there is a vulnerability, nothing more
		}
		status, known := statusOf[v.Analysis.State]
		if v.ID == "" || !known {
			return nil, malformed("vulnerability %d: no id, or state %.40q", i, v.Analysis.State)
		}
		if status == NotAffected && v.Analysis.State != "false_positive" && v.Analysis.Justification == "" && v.Analysis.Detail == "" {
			return nil, malformed("vulnerability %d: not_affected without a justification or detail", i)
		}
		s := Statement{
			Names: []string{v.ID}, Status: status, Justification: clip(v.Analysis.Justification, 100), Detail: clip(v.Analysis.Detail, maxDetail),
			Time: first(v.Analysis.LastUpdated, v.Analysis.FirstIssued, v.Updated, in.Metadata.Time),
		}
		if s.Time.IsZero() {
			return nil, malformed("vulnerability %d: no date", i)
		}
		for _, r := range v.References {
			s.Names = append(s.Names, r.ID)
		}
		for _, a := range v.Affects {
			purl, here := purls[a.Ref]
			if !here {
				purl = a.Ref
			}
			if !exact(purl) {
				d.Unresolved++
				continue
			}
			s.Products = append(s.Products, Product{Purl: purl})
		}
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}
