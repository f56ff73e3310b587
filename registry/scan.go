package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
)

// scanVerdict is the verdict over all eras of a listing.
type scanVerdict struct {
	Action     string              `json:"action"`
	Findings   []admission.Finding `json:"findings"`
	Failures   []admission.Failure `json:"failures"`
	Unexamined bool                `json:"unexamined"`
	Scanners   []engine.ScannerRef `json:"scanners"`
	Waived     int                 `json:"waived"`
	Context    []string            `json:"context"` // servers whose entries were compared with
}

// scanListing runs the scanners of phase listing over every era, with the
// nearest approved entries of other servers as context.
func (s *Service) scanListing(ctx context.Context, w *work) error {
	others, err := s.approvedElsewhere(ctx, w.v)
	if err != nil {
		return err
	}
	w.shadowed = collisions(w.prints, others)
	if w.waivers, err = s.waiversOf(ctx, w.v); err != nil {
		return err
	}
	if w.verdict, err = s.scan(ctx, w.v.Name, w.prints, others, w.waivers); err != nil {
		return err
	}
	w.v.Findings, w.v.Failures = w.verdict.Findings, w.verdict.Failures
	if w.v.Verdict, err = s.keep(ctx, w, w.verdict); err != nil {
		return err
	}
	if w.verdict.incomplete() {
		w.quarantine(admission.ReasonScanIncomplete, fmt.Sprintf("%d scanner failures; what was not examined is not admitted", len(w.verdict.Failures)))
	}
	if rules := w.verdict.blocking(); len(rules) > 0 {
		w.quarantine(admission.ReasonMaliciousListing, fmt.Sprintf("the listing is blocked by %v", rules))
	}
	return nil
}

func (s *Service) scan(ctx context.Context, server string, prints []printed, others []message.ContextEntry, waivers []admission.Waiver) (scanVerdict, error) {
	out := scanVerdict{Action: string(engine.ActionAllow), Findings: []admission.Finding{}, Failures: []admission.Failure{}}
	if s.Scanners == nil {
		return out, nil
	}
	now := s.Now()
	var accepted []engine.Waiver
	for _, a := range waivers {
		if now.Before(a.Expires) {
			accepted = append(accepted, engine.Waiver{Rule: a.Rule, Pointer: a.Pointer, Leaf: a.Leaf, Expires: a.Expires})
		}
	}
	for _, p := range prints {
		m, err := message.FromListing(server, &p.listing)
		if err != nil {
			return out, refuse(ErrInvalid, RefusedListing, "the listing cannot be examined: %s", hostText(err, message.ErrMalformed))
		}
		m.Context = message.Nearest(m, others)
		for _, c := range m.Context {
			if !slices.Contains(out.Context, c.Server) {
				out.Context = append(out.Context, c.Server)
			}
		}
		out.merge(&p, s.Scanners.ScanWith(ctx, m, engine.ScanOptions{Waivers: accepted, Now: now}))
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	out.Waived = len(accepted)
	return out, nil
}

func (v *scanVerdict) merge(p *printed, verdict engine.Verdict) {
	era := string(p.listing.Era)
	if engine.Action(v.Action).Less(verdict.Action) {
		v.Action = string(verdict.Action)
	}
	for _, f := range verdict.Findings {
		v.Findings = append(v.Findings, admission.Finding{
			Era: era, Scanner: f.Scanner, Rule: f.Rule, Family: f.Family, Severity: string(f.Severity), Confidence: f.Confidence,
			Action: string(f.Action), Pointer: f.Pointer, Message: admission.Visible(f.Message), Taxonomy: f.Taxonomy, Leaf: f.Leaf,
		})
	}
	for _, f := range verdict.Failures {
		v.Failures = append(v.Failures, admission.Failure{Era: era, Scanner: f.Scanner, Kind: f.Kind, Detail: f.Detail})
	}
	v.Unexamined = v.Unexamined || verdict.Unexamined
	for _, ref := range verdict.Scanners {
		if !slices.Contains(v.Scanners, ref) {
			v.Scanners = append(v.Scanners, ref)
		}
	}
}

func (v *scanVerdict) incomplete() bool { return len(v.Failures) > 0 || v.Unexamined }

// blocking lists the rules whose findings block.
func (v *scanVerdict) blocking() []string {
	var rules []string
	for _, f := range v.Findings {
		if f.Action == string(engine.ActionBlock) && !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}

func (v *scanVerdict) audit() audit.Verdict {
	out := audit.Verdict{Phase: string(message.PhaseListing), Action: v.Action, Unexamined: v.Unexamined}
	for _, f := range v.Findings[:min(len(v.Findings), 100)] {
		out.Findings = append(out.Findings, audit.Finding{Scanner: f.Scanner, Rule: f.Rule, Family: f.Family, Severity: f.Severity, Confidence: f.Confidence, Action: f.Action, Pointer: f.Pointer, Taxonomy: f.Taxonomy})
	}
	for _, f := range v.Failures[:min(len(v.Failures), 100)] {
		said := engine.Verdict{Scanners: v.Scanners}
		out.Failures = append(out.Failures, audit.Failure{Scanner: f.Scanner, Digest: said.DigestOf(f.Scanner), Kind: f.Kind, Detail: f.Detail})
	}
	return out
}
