package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
	"github.com/bartizan-mcp/bartizan/sbom/licence"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

// supplyOf translates the settings about components. Severities have been
// validated; licence identifiers are here.
func supplyOf(c config.Registry) (registry.Supply, error) {
	v := c.Vulnerabilities
	s := registry.Supply{
		Database: v.Database, Statements: v.Statements, Required: v.Required,
		QuarantineAt: vulnerability.Severity(v.QuarantineAt), Quarantine: c.Rescan.Quarantine,
		Policy: assess.Policy{
			FailAt: vulnerability.Severity(v.FailAt), Unrated: vulnerability.Severity(v.Unrated),
			MaxAge: assess.Span(v.MaxAge), StatementLife: assess.Span(v.StatementLife), PublisherStatements: v.PublisherStatements,
		},
	}
	var err error
	if s.Licences, err = licence.NewPolicy(c.Licences.Allow, c.Licences.Deny, c.Licences.Review); err != nil {
		return s, usageError("registry.licences: %w", err)
	}
	return s, nil
}

// assessmentRows show how the components stand, with the database that said so
// and its age at the time.
func assessmentRows(a *admission.Assessment) [][]string {
	if a == nil {
		return [][]string{{"vulnerabilities", "unmeasured: nobody looked"}}
	}
	text := a.Result
	if len(a.Why) > 0 {
		text += ": " + strings.Join(a.Why, "; ")
	}
	rows := [][]string{{"vulnerabilities", text}}
	if a.Database != "" {
		rows = append(rows, []string{"database", fmt.Sprintf("%s, newest entry %s, imported %s, %d hours old on %s", a.Database,
			a.Newest.Format(time.DateOnly), a.Imported.Format(time.DateOnly), a.AgeHours, a.At.Format(time.DateOnly))})
	}
	for _, f := range a.Counting[:min(len(a.Counting), 20)] {
		rows = append(rows, []string{"vulnerability", printable(f)})
	}
	if n := len(a.Counting) - 20; n > 0 {
		rows = append(rows, []string{"vulnerability", fmt.Sprintf("and %d more: see the evidence %s", n, a.Evidence)})
	}
	return rows
}

// showJudgements lists what each look at a version came to, newest first.
func showJudgements(q *question, v *admission.Version) error {
	all, err := q.client.Judgements(q.ctx, v.Name, v.Version)
	if err != nil {
		return err
	}
	return q.print(all, []string{"AT", "CAUSE", "STATE", "AGAINST IT", "VULNERABILITIES", "EVIDENCE"}, func() [][]string {
		var rows [][]string
		for _, j := range all {
			var against []string
			for _, r := range append(slices.Clone(j.Reasons), j.Stale...) {
				against = append(against, r.Code)
			}
			row := []string{j.At.Format(time.RFC3339), j.Cause, string(j.State), strings.Join(against, " "), "", ""}
			if a := j.Assessment; a != nil {
				row[4], row[5] = a.Result, a.Evidence
			}
			rows = append(rows, row)
		}
		return rows
	})
}
