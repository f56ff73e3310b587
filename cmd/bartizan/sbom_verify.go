package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/definition"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// billCheck is what `sbom verify` compares a document with.
type billCheck struct {
	bundle, artifact, definitions string
	policy                        func() (attest.Policy, error)
}

// billVerdict says what held.
type billVerdict struct {
	Signer      any    `json:"signer,omitempty"`
	Artifact    string `json:"artifact,omitempty"`    // the same components were found in it
	Definitions int    `json:"definitions,omitempty"` // entries whose definitions have the fingerprints
}

func newSBOMVerify() *cobra.Command {
	var check billCheck
	var components componentCheck
	cmd := &cobra.Command{
		Use:   "verify SBOM.json [--bundle FILE] [--artifact PATH] [--definitions FILE] [--database EXPORT] [--config FILE]",
		Short: "Verify an SBOM: signature, components, fingerprints, known vulnerabilities and licences",
		Long: "--bundle: a signed statement is about exactly this SBOM. --artifact: the SBOM is\n" +
			"made anew from these bytes and lists the same components. --definitions: every\n" +
			"fingerprint is that of its definition. --database, --vex or --config: how its\n" +
			"components stand to an OSV export and to the policies of the configuration file.\n" +
			"Exit code 3 when one of them does not hold, or could not be measured.",
		Example: "  bartizan sbom verify sbom.json --bundle sbom.sigstore.json --public registry.pub\n" +
			"  bartizan sbom verify sbom.json --artifact server.tgz",
		Args: cobra.ExactArgs(1),
	}
	check.policy = signerFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&check.bundle, "bundle", "", "Sigstore bundle")
	f.StringVar(&check.artifact, "artifact", "", "file or folder that the SBOM is about")
	f.StringVar(&check.definitions, "definitions", "", "definitions that the SBOM names (sbom show --definitions)")
	components.flags(cmd)
	format := outputFlag(cmd, "json", "table")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		if check.bundle+check.artifact+check.definitions == "" && !components.asked(cmd) {
			return usageError("say what to verify: --bundle, --artifact, --definitions, --database, --vex or --config")
		}
		body, err := readInput(cmd, args[0])
		if err != nil {
			return err
		}
		doc, err := sbom.Decode(body)
		if err != nil {
			return policyError("%s: %w", args[0], err)
		}
		v, rows, err := check.run(cmd, doc, body)
		if err != nil {
			return err
		}
		if components.asked(cmd) {
			return components.run(cmd, doc, v.Signer)
		}
		if *format == "table" {
			return table(cmd.OutOrStdout(), []string{"CHECK", "HELD"}, rows)
		}
		if check.artifact == "" && check.definitions == "" {
			return printJSON(cmd.OutOrStdout(), v.Signer)
		}
		return printJSON(cmd.OutOrStdout(), v)
	}
	return cmd
}

func (c *billCheck) run(cmd *cobra.Command, doc *sbom.Document, body []byte) (v billVerdict, rows [][]string, err error) {
	if c.bundle != "" {
		signed, err := readInput(cmd, c.bundle)
		if err != nil {
			return v, nil, err
		}
		p, err := c.policy()
		if err != nil {
			return v, nil, err
		}
		verified, err := p.VerifyArtifact(signed, digestsOf(body))
		if err != nil {
			return v, nil, policyError("%s: %w", c.bundle, err)
		}
		v.Signer = signerOf(verified)
		rows = append(rows, []string{"signature", "about exactly these bytes"})
	}
	if c.artifact != "" {
		if err := sameComponents(cmd.Context(), doc, c.artifact); err != nil {
			return v, nil, err
		}
		v.Artifact = c.artifact
		rows = append(rows, []string{"artifact", fmt.Sprintf("%d components", len(doc.Components()))})
	}
	if c.definitions != "" {
		raw, err := readInput(cmd, c.definitions)
		if err != nil {
			return v, nil, err
		}
		if v.Definitions, err = sameDefinitions(doc, raw); err != nil {
			return v, nil, policyError("%s: %w", c.definitions, err)
		}
		rows = append(rows, []string{"definitions", fmt.Sprintf("%d entries", v.Definitions)})
	}
	return v, rows, nil
}

// sameComponents makes the document anew and compares what both know: a
// document of the artifact alone has no endpoint, entries or scopes.
func sameComponents(ctx context.Context, doc *sbom.Document, artifact string) error {
	made, err := sbom.Generate(ctx, sbom.Input{Artifact: artifact}, sbom.Options{})
	if err != nil {
		return err
	}
	for _, h := range made.Root().Hashes {
		if !slices.Contains(doc.Root().Hashes, h) {
			return policyError("%s: its %.40s… is not the one in the SBOM", artifact, h)
		}
	}
	c := sbom.Diff(doc, made)
	if n := len(c.Added) + len(c.Removed) + len(c.Changed); n > 0 {
		return policyError("%s: %d components differ: %d are missing in the SBOM, %d are not in the artifact, %d are otherwise", artifact, n, len(c.Added), len(c.Removed), len(c.Changed))
	}
	if len(c.Completeness) > 0 {
		return policyError("%s: the SBOM calls itself %s, made anew it is %s", artifact, c.Completeness[0].Level, c.Completeness[1].Level)
	}
	return nil
}

// sameDefinitions compares every entry of the document with its definition.
func sameDefinitions(doc *sbom.Document, raw []byte) (int, error) {
	if digestsOf(raw)["sha256"] != doc.Definitions() {
		return 0, fmt.Errorf("not the definitions that the SBOM names")
	}
	f, err := definition.Parse(raw)
	if err != nil {
		return 0, err
	}
	defined := map[[4]string]bool{}
	for _, l := range f.Listings {
		for _, e := range l.Entries {
			defined[[4]string{l.Era, e.Kind, e.Key, e.Whole.String()}] = true
		}
	}
	entries := doc.Entries()
	for _, e := range entries {
		eras := e.Eras
		if len(eras) == 0 {
			eras = []string{""}
		}
		for _, era := range eras {
			if !defined[[4]string{era, e.Kind, e.Key, e.Whole}] {
				return 0, fmt.Errorf("no definition of %s %.80q has its fingerprint", e.Kind, e.Key)
			}
		}
	}
	return len(entries), nil
}
