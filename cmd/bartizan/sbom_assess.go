package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/sbom"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
	"github.com/bartizan-mcp/bartizan/sbom/vex"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

// componentCheck asks a vulnerability database and licence lists about an
// SBOM, without a registry.
type componentCheck struct {
	file       string
	database   string
	statements []string
}

// componentAnswer is what it prints.
type componentAnswer struct {
	Signer          any                 `json:"signer,omitzero"`
	Vulnerabilities *assess.Report      `json:"vulnerabilities"`
	Licences        *checklist.Licences `json:"licences,omitzero"`
}

func (c *componentCheck) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.database, "database", "", "OSV export (folder, zip or JSON file), or an index of one (.osv)")
	f.StringArrayVar(&c.statements, "vex", nil, "OpenVEX or CycloneDX document that counts; repeatable")
	f.StringVar(&c.file, "config", os.Getenv("BARTIZAN_CONFIG"), "YAML configuration file with the policies")
}

func (c *componentCheck) asked(cmd *cobra.Command) bool {
	return c.database != "" || len(c.statements) > 0 || cmd.Flags().Changed("config")
}

// run asks, and reports as a policy error whatever is not known to be in order.
func (c *componentCheck) run(cmd *cobra.Command, doc *sbom.Document, signer any) error {
	settings, _, err := config.Load(config.Sources{File: c.file, Env: os.LookupEnv})
	if err != nil {
		return err
	}
	settings.Data = "unused" // nothing of an installation is touched
	if err := settings.Validate(); err != nil {
		return usageError("%w", joinLines("configuration", err))
	}
	supply, err := supplyOf(settings.Registry)
	if err != nil {
		return err
	}
	if c.database == "" {
		c.database = supply.Database
	}
	db, release, err := c.open(cmd)
	if err != nil {
		return err
	}
	defer release()
	statements, err := c.vouched(cmd)
	if err != nil {
		return err
	}
	components := doc.Components()
	bill := assess.Bill{Server: doc.Root().Purl, Complete: doc.Completeness().Level == sbom.Complete}
	for _, part := range components {
		bill.Components = append(bill.Components, assess.Component{Purl: part.Purl, Name: part.Name})
	}
	report, err := assess.Assess(bill, db, statements, supply.Policy, time.Now())
	if err != nil {
		return err
	}
	answer := componentAnswer{Signer: signer, Vulnerabilities: report}
	if l := registry.JudgeLicences(supply.Licences, components); l.Configured {
		answer.Licences = &l
	}
	if err := printJSON(cmd.OutOrStdout(), answer); err != nil {
		return err
	}
	return answer.verdict()
}

func (a *componentAnswer) verdict() error {
	switch r := a.Vulnerabilities; {
	case r.Result == assess.Vulnerable:
		return policyError("%d findings at or above %s", len(r.Counting()), r.Policy.FailAt)
	case r.Result == assess.Unmeasured:
		return policyError("unmeasured: %s", strings.Join(r.Why, "; "))
	case a.Licences != nil && len(a.Licences.Denied) > 0:
		return policyError("%d components of a denied licence", len(a.Licences.Denied))
	case a.Licences != nil && len(a.Licences.Review) > 0:
		return policyError("%d components whose licence no list settles", len(a.Licences.Review))
	}
	return nil
}

// open reads the database into a folder of its own. Without one everything is
// unmeasured.
func (c *componentCheck) open(cmd *cobra.Command) (*assess.Database, func(), error) {
	if c.database == "" {
		return nil, func() {}, nil
	}
	if strings.HasSuffix(c.database, ".osv") {
		db, err := vulnerability.Open(c.database)
		if err != nil {
			return nil, nil, err
		}
		return &assess.Database{Database: db, Imported: modified(c.database)}, func() { _ = db.Close() }, nil
	}
	dir, err := os.MkdirTemp("", "bartizan-osv-")
	if err != nil {
		return nil, nil, err
	}
	db, err := vulnerability.Import(cmd.Context(), c.database, dir)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	return &assess.Database{Database: db, Imported: time.Now()}, func() { _ = db.Close(); _ = os.RemoveAll(dir) }, nil
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (c *componentCheck) vouched(cmd *cobra.Command) ([]assess.Statements, error) {
	var out []assess.Statements
	for _, name := range c.statements {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(f, vex.MaxBytes+1))
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		d, err := vex.Parse(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if d.Unresolved > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d products are not named by a package URL with a version, and are left out\n", printable(name), d.Unresolved)
		}
		out = append(out, assess.Statements{Document: d, Digest: "sha256:" + digestsOf(body)["sha256"], Signer: "operator"})
	}
	return out, nil
}
