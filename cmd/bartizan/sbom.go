package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/sbom"
)

func newSBOM() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sbom",
		Short: "Generate, show, compare and verify CycloneDX SBOMs",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSBOMGenerate(), newSBOMShow(), newSBOMDiff(), newSBOMVerify())
	return cmd
}

func newSBOMGenerate() *cobra.Command {
	return &cobra.Command{
		Use:   "generate ARTIFACT",
		Short: "Catalogue a directory, archive or Go binary; nothing of it is run",
		Long: "Prints CycloneDX 1.6 JSON. What could not be resolved is said in compositions\n" +
			"and on standard error.",
		Example: "  bartizan sbom generate server.tgz > sbom.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := sbom.Generate(cmd.Context(), sbom.Input{Artifact: args[0]}, sbom.Options{})
			if err != nil {
				return err
			}
			body, err := doc.Encode()
			if err != nil {
				return err
			}
			if c := doc.Completeness(); c.Level != sbom.Complete {
				for _, reason := range c.Reasons {
					fmt.Fprintf(cmd.ErrOrStderr(), "incomplete: %s\n", printable(reason))
				}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", body)
			return err
		},
	}
}

func newSBOMShow() *cobra.Command {
	return asks(&cobra.Command{
		Use:     "show NAME[@VERSION]",
		Short:   "Print the registry's own SBOM of a server version",
		Example: "  bartizan sbom show io.github.acme/weather@1.0.0",
		Args:    cobra.ExactArgs(1),
	}, func(q *question, args []string) error {
		v, err := findVersion(q.ctx, q.client, args[0])
		if err != nil {
			return err
		}
		if v.SBOM == "" {
			return fmt.Errorf("%s@%s has no SBOM", v.Name, v.Version)
		}
		body, err := readBlob(q.ctx, q.client, v.SBOM)
		if err != nil {
			return err
		}
		_, err = q.out.Write(body) // as it was signed
		return err
	})
}

func newSBOMDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff OLD.json NEW.json",
		Short: "Compare two SBOMs: components, MCP entries, scopes, completeness",
		Long:  "Exit code 3 when they differ.",
		Args:  cobra.ExactArgs(2),
	}
	format := outputFlag(cmd, "table", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		var docs [2]*sbom.Document
		for i, name := range args {
			body, err := readInput(cmd, name)
			if err != nil {
				return err
			}
			if docs[i], err = sbom.Decode(body); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		changes := sbom.Diff(docs[0], docs[1])
		var err error
		if *format == "json" {
			err = printJSON(cmd.OutOrStdout(), changes)
		} else {
			err = table(cmd.OutOrStdout(), []string{"CHANGE", "WHAT", "BEFORE", "AFTER"}, sbomRows(changes))
		}
		if err == nil && !changes.Empty() {
			return &exitError{Code: exitPolicy}
		}
		return err
	}
	return cmd
}

func sbomRows(c sbom.Changes) [][]string {
	var rows [][]string
	name := func(p sbom.Component) string {
		if p.Purl != "" {
			return p.Purl
		}
		return p.Name
	}
	for _, p := range c.Added {
		rows = append(rows, []string{"added", name(p), "", p.Version})
	}
	for _, p := range c.Removed {
		rows = append(rows, []string{"removed", name(p), p.Version, ""})
	}
	for _, p := range c.Changed {
		rows = append(rows, []string{"changed", name(p.After), p.Before.Version, p.After.Version})
	}
	for _, e := range c.EntriesAdded {
		rows = append(rows, []string{"added", e.Kind + " " + e.Key, "", e.Fingerprint})
	}
	for _, e := range c.EntriesRemoved {
		rows = append(rows, []string{"removed", e.Kind + " " + e.Key, e.Fingerprint, ""})
	}
	for _, e := range c.EntriesChanged {
		rows = append(rows, []string{"changed", e.After.Kind + " " + e.After.Key, e.Before.Fingerprint, e.After.Fingerprint})
	}
	for _, s := range c.ScopesAdded {
		rows = append(rows, []string{"added", "scope", "", s})
	}
	for _, s := range c.ScopesRemoved {
		rows = append(rows, []string{"removed", "scope", s, ""})
	}
	if len(c.Completeness) == 2 {
		rows = append(rows, []string{"changed", "completeness", c.Completeness[0].Level, c.Completeness[1].Level})
	}
	return rows
}

func newSBOMVerify() *cobra.Command {
	var bundle string
	cmd := &cobra.Command{
		Use:     "verify SBOM.json --bundle FILE",
		Short:   "Verify that a signed statement is about exactly this SBOM",
		Long:    "Exit code 3 when it is not, or when the signer is not the one demanded.",
		Example: "  bartizan sbom verify sbom.json --bundle sbom.sigstore.json --public registry.pub",
		Args:    cobra.ExactArgs(1),
	}
	policy := signerFlags(cmd)
	cmd.Flags().StringVar(&bundle, "bundle", "", "Sigstore bundle")
	_ = cmd.MarkFlagRequired("bundle")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body, err := readInput(cmd, args[0])
		if err != nil {
			return err
		}
		if _, err := sbom.Decode(body); err != nil {
			return policyError("%s: %w", args[0], err)
		}
		signed, err := readInput(cmd, bundle)
		if err != nil {
			return err
		}
		p, err := policy()
		if err != nil {
			return err
		}
		verified, err := p.VerifyArtifact(signed, digestsOf(body))
		if err != nil {
			return policyError("%s: %w", bundle, err)
		}
		return printJSON(cmd.OutOrStdout(), signerOf(verified))
	}
	return cmd
}
