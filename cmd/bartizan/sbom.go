package main

import (
	"fmt"
	"time"

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
		Long: "Prints CycloneDX 1.6 or SPDX 2.3 JSON. What could not be resolved is said in the\n" +
			"document and on standard error. With --resolve, of the artifact that\n" +
			"publish --resolve would publish.",
		Example: "  bartizan sbom generate server.tgz > sbom.json\n" +
			"  bartizan sbom generate --resolve . > sbom.json",
		Args: cobra.ExactArgs(1),
	}
	resolving.flags(cmd)
	flags := newDocumentFlags(cmd)
	cmd.Flags().StringVar(&platform, "platform", "", "of a container image: list the one for this `os/architecture` alone")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := flags.check(); err != nil {
			return err
		}
		doc, err := resolving.document(cmd, args[0], sbom.Options{Platform: platform})
		if err != nil {
			return err
		}
		warnIncomplete(cmd, doc)
		return flags.print(cmd.OutOrStdout(), doc, nil, time.Time{})
	}
	return cmd
}

func warnIncomplete(cmd *cobra.Command, doc *sbom.Document) {
	if c := doc.Completeness(); c.Level != sbom.Complete {
		for _, reason := range c.Reasons {
			fmt.Fprintf(cmd.ErrOrStderr(), "incomplete: %s\n", printable(reason))
		}
	}
}
