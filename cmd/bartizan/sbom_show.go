package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/definition"
)

func newSBOMShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME[@VERSION]",
		Short: "Print the registry's own SBOM of a server version",
		Long: "Prints the bytes that the registry signed. With --definitions it prints what\n" +
			"the fingerprints in them are of, and exits with 3 where one is not.",
		Example: "  bartizan sbom show io.github.acme/weather@1.0.0",
		Args:    cobra.ExactArgs(1),
	}
	var definitions bool
	cmd.Flags().BoolVar(&definitions, "definitions", false, "print the canonical definition of every entry instead")
	return asks(cmd, func(q *question, args []string) error {
		v, err := findVersion(q.ctx, q.client, args[0])
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
		body, err := readBlob(q.ctx, q.client, digest)
		if err != nil {
			return err
		}
		if definitions {
			if _, err := definition.Parse(body); err != nil {
				return policyError("%s@%s: %w", v.Name, v.Version, err)
			}
		}
		_, err = q.out.Write(body) // as it was signed
		return err
	})
}
