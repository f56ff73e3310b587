package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

func newScannerList() *cobra.Command {
	var file string
	var live bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the scanners that serve would run, or those that it runs",
		Long: "Without --live: the modules in this binary and those of the configuration, bound\n" +
			"as it says. With --live: what a running serve has in force and how each fares:\n" +
			"calls, failures by kind, for how many callers its breaker is open.",
		Example: "  bartizan scanner list --config bartizan.yaml\n  bartizan scanner list --live",
		Args:    cobra.NoArgs,
	}
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	cmd.Flags().StringVar(&file, "config", os.Getenv("BARTIZAN_CONFIG"), "YAML configuration file")
	cmd.Flags().BoolVar(&live, "live", false, "ask the registry; implied by --registry")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		list := registryapi.Scanners{}
		var err error
		if live || cmd.Flags().Changed("registry") {
			c, failed := connect()
			if failed != nil {
				return failed
			}
			list.Scanners, err = c.Scanners(cmd.Context())
		} else {
			list.Scanners, err = configuredScanners(file)
		}
		if err != nil {
			return err
		}
		if *format == "json" {
			return printJSON(cmd.OutOrStdout(), list)
		}
		return printScanners(cmd, list.Scanners)
	}
	return cmd
}

// configuredScanners reads manifests and bindings. Nothing is compiled or run.
func configuredScanners(file string) ([]registryapi.Scanner, error) {
	c, _, err := config.Load(config.Sources{File: file, Env: os.LookupEnv})
	if err != nil {
		return nil, err
	}
	if err := c.Scanners.Validate(); err != nil {
		return nil, usageError("%w", joinLines("configuration", err))
	}
	gate := scanners.Gate{}
	if c.Data != "" {
		ledger, err := release.OpenLedger(filepath.Join(c.Data, scanners.LedgerFile))
		if err != nil {
			return nil, err
		}
		gate = scanners.Remembering(ledger)
	}
	bound, err := scanners.Configured(c.Scanners, gate)
	if err != nil {
		return nil, err
	}
	list := []registryapi.Scanner{}
	for _, b := range bound {
		s := registryapi.Scanner{
			Name: b.Manifest.Name, Version: b.Manifest.Version, Digest: engine.Digest(b.Wasm),
			Form: b.Manifest.Form, Encoding: b.Manifest.Encoding, Call: b.Manifest.Call,
			Mode: string(b.Options.Mode), OnFailure: string(b.Options.OnFailure), Signer: b.Signer,
		}
		for _, p := range b.Manifest.Phases {
			s.Phases = append(s.Phases, string(p))
		}
		for _, o := range b.Narrower {
			s.Bindings = append(s.Bindings, registryapi.Bound{Server: o.Scope.Server, Entry: o.Scope.Entry, Mode: string(o.Mode), OnFailure: string(o.OnFailure)})
		}
		list = append(list, s)
	}
	return list, nil
}

func printScanners(cmd *cobra.Command, list []registryapi.Scanner) error {
	header := []string{"NAME", "VERSION", "DIGEST", "PHASES", "FORM", "ENCODING", "CALL", "MODE", "ON FAILURE", "SIGNER"}
	health := slices.ContainsFunc(list, func(s registryapi.Scanner) bool { return s.Health != nil })
	if health {
		header = append(header, "CALLED", "FINDINGS", "FAILURES", "LAST FAILURE", "BREAKER")
	}
	var rows [][]string
	for _, s := range list {
		row := []string{
			s.Name, s.Version, shortDigest(s.Digest), strings.Join(s.Phases, ","),
			s.Form, s.Encoding, s.Call, s.Mode, s.OnFailure, s.Signer,
		}
		if health {
			row = append(row, healthCells(s.Health)...)
		}
		rows = append(rows, row)
		for _, b := range s.Bindings {
			where := strings.TrimSpace(b.Server + " " + b.Entry)
			rows = append(rows, []string{s.Name + " for " + where, "", "", "", "", "", "", b.Mode, b.OnFailure, ""})
		}
	}
	return table(cmd.OutOrStdout(), header, rows)
}

// shortDigest is enough of a digest to tell modules apart in a table.
func shortDigest(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

func healthCells(h *registryapi.Health) []string {
	if h == nil {
		return []string{"", "", "", "", ""}
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(h.Failures)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, h.Failures[kind]))
	}
	failures, last, breaker := "none", "", "closed"
	if len(kinds) > 0 {
		failures, last = strings.Join(kinds, ", "), h.LastFailure.Format(time.RFC3339)
	}
	if h.Breaker.Open > 0 {
		breaker = fmt.Sprintf("open for %d", h.Breaker.Open)
	}
	return []string{fmt.Sprint(h.Called), fmt.Sprint(h.Findings), failures, last, breaker}
}
