package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/sbom"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
	"github.com/bartizan-mcp/bartizan/sbom/licence"
	"github.com/bartizan-mcp/bartizan/sbom/vex"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

// Supply is what the operator demands of a server's components, and what they
// are judged by. The zero value demands the defaults and has no database.
type Supply struct {
	Database   string // an OSV export; "" is none
	Statements string // a folder of VEX documents; "" is none
	Policy     assess.Policy
	Required   bool // an approval waits for a person where there is no database
	// QuarantineAt is the severity from which a finding that nobody accepted
	// counts as ReasonVulnerable for a quarantine; milder ones make stale.
	QuarantineAt vulnerability.Severity
	// Quarantine lists the reasons that take an approved version out of
	// circulation when it is judged again; every other one makes it stale.
	Quarantine []string
	Licences   *licence.Policy // nil: no lists
}

// DefaultQuarantine is the default of Supply.Quarantine.
var DefaultQuarantine = []string{admission.ReasonMaliciousPackage, admission.ReasonMaliciousListing, admission.ReasonVulnerable}

func (s *Supply) fill() error {
	if s.Policy == (assess.Policy{}) {
		s.Policy = assess.DefaultPolicy()
	}
	if s.QuarantineAt == "" {
		s.QuarantineAt = vulnerability.Critical
	}
	if s.Quarantine == nil {
		s.Quarantine = DefaultQuarantine
	}
	known := []string{
		admission.ReasonMaliciousPackage, admission.ReasonMaliciousListing, admission.ReasonVulnerable, admission.ReasonLicence,
		admission.ReasonUnsigned, admission.ReasonSignatureInvalid, admission.ReasonDigestMismatch, admission.ReasonScanIncomplete,
	}
	for _, code := range s.Quarantine {
		if !slices.Contains(known, code) {
			return fmt.Errorf("registry: %q is no reason that judging again can give: %v", code, known)
		}
	}
	return nil
}

// assessComponents looks the components up in the vulnerability database and
// the licence lists. Known malware is a reason for quarantine by itself;
// anything else is for the checklist.
func (s *Service) assessComponents(ctx context.Context, w *work) error {
	if w.document == nil {
		raw, err := s.get(ctx, w.v.SBOM, MaxEvidence*4)
		if err != nil {
			return err
		}
		if w.document, err = sbom.Decode(raw); err != nil {
			return err
		}
		w.bill = summary(w.document, w.v.SBOM)
	}
	components := w.document.Components()
	bill := assess.Bill{Server: w.document.Root().Purl, Complete: w.bill.Complete}
	for _, c := range components {
		bill.Components = append(bill.Components, assess.Component{Purl: c.Purl, Name: c.Name})
	}
	report, err := s.shelf.assess(bill, publishersStatements(w.verified), s.Supply.Policy, s.Now())
	if err != nil {
		return err
	}
	evidence, err := s.keep(ctx, w, report)
	if err != nil {
		return err
	}
	w.report, w.licences, w.mustMeasure = report, JudgeLicences(s.Supply.Licences, components), s.Supply.Required
	w.v.Vulnerabilities, w.v.Denied = assessment(report, evidence), nil
	for _, d := range w.licences.Denied {
		w.v.Denied = append(w.v.Denied, admission.Visible(d.Component))
	}
	for _, f := range report.Counting() {
		if f.Malicious {
			w.quarantine(admission.ReasonMaliciousPackage, admission.Visible(fmt.Sprintf("%s is known malware: %s", f.Component, f.ID)))
		}
	}
	return nil
}

// Types of in-toto statements whose predicate is a VEX document.
const (
	predicateOpenVEX      = "https://openvex.dev/ns"
	predicateCycloneDXVEX = "https://cyclonedx.org/vex"
)

func isStatement(v *attest.Verified) bool {
	return v.Statement != nil && (strings.HasPrefix(v.Statement.PredicateType, predicateOpenVEX) || strings.HasPrefix(v.Statement.PredicateType, predicateCycloneDXVEX))
}

// publishersStatements are the VEX documents among the verified bundles: each
// is signed by a signer of the namespace and speaks of this artifact.
func publishersStatements(verified []*attest.Verified) []assess.Statements {
	var out []assess.Statements
	for _, v := range verified {
		if !isStatement(v) && (v.Statement == nil || !strings.HasPrefix(v.Statement.PredicateType, predicateCycloneDX)) {
			continue
		}
		d, err := vex.Parse(v.Statement.Predicate)
		if err != nil {
			continue // an SBOM, or nothing that could suppress
		}
		signer := "key " + v.KeyID
		if v.KeyID == "" {
			signer = v.Issuer + " " + v.SAN
		}
		out = append(out, assess.Statements{Document: d, Digest: digestOf(v.Statement.Predicate), Signer: signer, Publisher: true})
	}
	return out
}

// JudgeLicences asks an operator's lists about every component.
func JudgeLicences(policy *licence.Policy, components []sbom.Component) checklist.Licences {
	out := checklist.Licences{Configured: !policy.Empty(), Denied: []checklist.Licensed{}, Review: []checklist.Licensed{}}
	if !out.Configured {
		return out
	}
	for _, c := range components {
		declared := checklist.Licensed{Component: c.Purl, Licences: c.Licenses}
		if c.Purl == "" {
			declared.Component = c.Name
		}
		switch policy.All(c.Licenses) {
		case licence.Allowed:
			out.Allowed++
		case licence.Denied:
			out.Denied = append(out.Denied, declared)
		default:
			out.Review = append(out.Review, declared)
		}
	}
	return out
}

// maxCounting bounds what a version's record repeats of the report.
const maxCounting = 2000

// assessment is the report as the version's record holds it.
func assessment(r *assess.Report, evidence string) *admission.Assessment {
	a := &admission.Assessment{Result: string(r.Result), Why: r.Why, Findings: len(r.Findings), Unmeasured: len(r.Unmeasured), Evidence: evidence, At: r.At}
	if d := r.Database; d != nil {
		a.Database, a.Newest, a.Imported, a.AgeHours = d.Digest, d.Newest, d.Imported, d.AgeHours
	}
	for _, f := range r.Findings {
		if f.Suppressed {
			a.Suppressed++
		}
	}
	for _, f := range r.Counting() {
		a.Counting = append(a.Counting, counting(f))
	}
	if len(a.Counting) > 0 {
		a.Worst = string(r.Worst())
	}
	slices.Sort(a.Counting)
	a.Counting = a.Counting[:min(len(a.Counting), maxCounting)]
	return a
}

func counting(f assess.Finding) string { return admission.Visible(f.Component + " " + f.ID) }

// unmeasurable reports whether err is about the data, not the machine.
func unmeasurable(err error) bool {
	return errors.Is(err, vulnerability.ErrMalformed) || errors.Is(err, vulnerability.ErrTooLarge) || errors.Is(err, vulnerability.ErrEmpty)
}
