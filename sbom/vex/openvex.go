package vex

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// openvexContext begins the @context of version 0.2.
const openvexContext = "https://openvex.dev/ns/v0.2"

// Justifications of not_affected (OpenVEX 0.2.0, "Status Justifications").
var justifications = []string{
	"component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
	"vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
}

type openvexDocument struct {
	Context    string             `json:"@context"`
	Author     string             `json:"author"`
	Time       time.Time          `json:"timestamp"`
	Updated    time.Time          `json:"last_updated"`
	Statements []openvexStatement `json:"statements"`
}

type openvexStatement struct {
	Vulnerability struct {
		Name    string   `json:"name"`
		Aliases []string `json:"aliases"`
	} `json:"vulnerability"`
	Products []struct {
		openvexComponent
		Subcomponents []openvexComponent `json:"subcomponents"`
	} `json:"products"`
	Status        Status    `json:"status"`
	Justification string    `json:"justification"`
	Impact        string    `json:"impact_statement"`
	Notes         string    `json:"status_notes"`
	Time          time.Time `json:"timestamp"`
	Updated       time.Time `json:"last_updated"`
}

type openvexComponent struct {
	ID          string `json:"@id"`
	Identifiers struct {
		Purl string `json:"purl"`
	} `json:"identifiers"`
}

func (c openvexComponent) purl() string { return cmp.Or(c.Identifiers.Purl, c.ID) }

func openvex(b []byte) (*Document, error) {
	var in openvexDocument
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, malformed("%s", err)
	}
	if !strings.HasPrefix(in.Context, openvexContext) {
		return nil, malformed("not OpenVEX 0.2")
	}
	if in.Time.IsZero() {
		return nil, malformed("no timestamp")
	}
	d := &Document{Format: "openvex", Author: clip(in.Author, maxDetail)}
	for i, s := range in.Statements {
		if s.Vulnerability.Name == "" {
			return nil, malformed("statement %d names no vulnerability", i)
		}
		if !slices.Contains([]Status{NotAffected, Fixed, Affected, UnderInvestigation}, s.Status) {
			return nil, malformed("statement %d: status %.40q", i, s.Status)
		}
		if s.Justification != "" && !slices.Contains(justifications, s.Justification) {
			return nil, malformed("statement %d: justification %.40q", i, s.Justification)
		}
		if s.Status == NotAffected && s.Justification == "" && s.Impact == "" {
			return nil, malformed("statement %d: not_affected without a justification or impact statement", i)
		}
		out := Statement{
			Names: append([]string{s.Vulnerability.Name}, s.Vulnerability.Aliases...), Status: s.Status,
			Justification: s.Justification, Detail: clip(cmp.Or(s.Impact, s.Notes), maxDetail), Time: first(s.Updated, s.Time, in.Updated, in.Time),
		}
		for _, p := range s.Products {
			product := Product{Purl: p.purl()}
			for _, c := range p.Subcomponents {
				if exact(c.purl()) {
					product.Components = append(product.Components, c.purl())
				} else {
					d.Unresolved++
				}
			}
			// Parts that cannot be recognised must not turn into the whole.
			if !exact(product.Purl) || len(p.Subcomponents) > 0 && len(product.Components) == 0 {
				d.Unresolved++
				continue
			}
			out.Products = append(out.Products, product)
		}
		d.Statements = append(d.Statements, out)
	}
	return d, nil
}

func first(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
