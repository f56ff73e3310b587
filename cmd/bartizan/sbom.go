package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/sbom"
)

func newSBOM() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sbom",
		Short: "Generate, show, compare and verify SBOMs",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSBOMGenerate(), newSBOMShow(), newSBOMDiff(), newSBOMVerify())
	return cmd
}

func newSBOMGenerate() *cobra.Command {
	var platform string
	var resolving resolution
	cmd := &cobra.Command{
		Use:   "generate ARTIFACT",
		Short: "Catalogue a directory, archive, container image or Go binary; nothing of it is run",
		Long: "Prints CycloneDX 1.6 JSON. What could not be resolved is said in compositions\n" +
			"and on standard error. With --resolve, of the artifact that publish --resolve\n" +
			"would publish.",
		Example: "  bartizan sbom generate server.tgz > sbom.json\n" +
			"  bartizan sbom generate --resolve . > sbom.json",
		Args: cobra.ExactArgs(1),
	}
	resolving.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		doc, err := resolving.document(cmd, args[0], sbom.Options{Platform: platform})
		if err != nil {
			return err
		}
		body, err := doc.Encode()
		if err != nil {
			return err
		}
		warnIncomplete(cmd, doc)
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", body)
		return err
	}
	cmd.Flags().StringVar(&platform, "platform", "", "of a container image: list the one for this `os/architecture` alone")
	return cmd
}

func warnIncomplete(cmd *cobra.Command, doc *sbom.Document) {
	if c := doc.Completeness(); c.Level != sbom.Complete {
		for _, reason := range c.Reasons {
			fmt.Fprintf(cmd.ErrOrStderr(), "incomplete: %s\n", printable(reason))
		}
	}
}

func newSBOMVerify() *cobra.Command {
	var bundle string
	var components componentCheck
	cmd := &cobra.Command{
		Use:   "verify SBOM.json [--bundle FILE] [--database EXPORT] [--config FILE]",
		Short: "Verify who signed an SBOM, and ask a vulnerability database and licence lists about it",
		Long: "With --bundle: that the signed statement is about exactly this SBOM. With\n" +
			"--database, --vex or --config: how its components stand to an OSV export and to the\n" +
			"policies of the configuration file. Exit code 3 when the statement is about something\n" +
			"else or by somebody else, when something is at or above the limit, and when something\n" +
			"could not be measured.",
		Example: "  bartizan sbom verify sbom.json --bundle sbom.sigstore.json --public registry.pub",
		Args:    cobra.ExactArgs(1),
	}
	policy := signerFlags(cmd)
	cmd.Flags().StringVar(&bundle, "bundle", "", "Sigstore bundle")
	components.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		body, err := readInput(cmd, args[0])
		if err != nil {
			return err
		}
		doc, err := sbom.Decode(body)
		if err != nil {
			return policyError("%s: %w", args[0], err)
		}
		if bundle == "" {
			if !components.asked(cmd) {
				return usageError("say what to verify: --bundle, --database, --vex or --config")
			}
			return components.run(cmd, doc, nil)
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
		if components.asked(cmd) {
			return components.run(cmd, doc, signerOf(verified))
		}
		return printJSON(cmd.OutOrStdout(), signerOf(verified))
	}
	return cmd
}
