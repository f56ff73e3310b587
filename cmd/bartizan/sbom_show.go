package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/definition"
	"github.com/bartizan-mcp/bartizan/sbom"
)

func newSBOMShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME[@VERSION]",
		Short: "Print the registry's own SBOM of a server version",
		Long: "Prints the bytes that the registry signed, or the same as SPDX. With\n" +
			"--definitions it prints what the fingerprints in them are of, and exits with 3\n" +
			"where one is not.",
		Example: "  bartizan sbom show io.github.acme/weather@1.0.0",
		Args:    cobra.ExactArgs(1),
	}
	var definitions bool
	cmd.Flags().BoolVar(&definitions, "definitions", false, "print the canonical definition of every entry instead")
	flags := newDocumentFlags(cmd)
	connect := registryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := flags.check(); err != nil {
			return err
		}
		c, err := connect()
		if err != nil {
			return err
		}
		v, err := findVersion(cmd.Context(), c, args[0])
		if err != nil {
			return err
		}
		digest, what := v.SBOM, "SBOM"
		if definitions {
			digest, what = v.Definitions, "definitions"
		}
		if digest == "" {
			return fmt.Errorf("%s@%s has no %s", v.Name, v.Version, what)
		}
		body, err := readBlob(cmd.Context(), c, digest)
		if err != nil {
			return err
		}
		if definitions {
			if _, err := definition.Parse(body); err != nil {
				return policyError("%s@%s: %w", v.Name, v.Version, err)
			}
			_, err = cmd.OutOrStdout().Write(body)
			return err
		}
		doc, err := sbom.Decode(body)
		if err != nil {
			return err
		}
		return flags.print(cmd.OutOrStdout(), doc, body, v.Created)
	}
	return cmd
}
