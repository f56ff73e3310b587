package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/distribution"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

func newScannerPush() *cobra.Command {
	var bundle string
	var o distribution.Options
	cmd := &cobra.Command{
		Use:   "push X.wasm {oci://HOST/REPOSITORY:TAG | oci:DIR:TAG}",
		Short: "Put a signed module into an OCI registry or image layout",
		Long: "The module becomes an artifact of one layer, its bundle (X.wasm.sigstore.json)\n" +
			"the artifact's referrer. A tag that is a version must be the module's, and is\n" +
			"never moved. Credentials come from the docker configuration.",
		Example: "  bartizan scanner push ticket.wasm oci://registry.example.com/scanners/ticket:1.2.0\n" +
			"  bartizan scanner push ticket.wasm oci:./stick:1.2.0",
		Args: cobra.ExactArgs(2),
	}
	format := outputFlag(cmd, "json", "table")
	cmd.Flags().StringVar(&bundle, "bundle", "", "the bundle, where it is not beside the module")
	cmd.Flags().BoolVar(&o.UnsafePlaintext, "unsafe-plaintext", false, "speak HTTP without TLS beyond loopback")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "json", "table"); err != nil {
			return err
		}
		to, err := distribution.ParseReference(args[1])
		if err != nil {
			return usageError("%w", err)
		}
		wasm, released, err := readRelease(cmd, args[0])
		if err != nil {
			return err
		}
		if v := distribution.VersionOf(to.Tag()); v != "" && v != released.Version {
			return usageError("tag %s, but the module is version %s", to.Tag(), released.Version)
		}
		if bundle == "" {
			bundle = args[0] + release.BundleSuffix
		}
		body, err := readSmall(cmd, bundle, release.MaxBundle)
		if errors.Is(err, fs.ErrNotExist) {
			return release.Refuse(released.Name, release.Unsigned, "%s is not there: bartizan scanner sign", bundle)
		}
		if err != nil {
			return err
		}
		if err := release.Claims(body, released); err != nil {
			return err
		}
		s := distribution.Shipment{Name: released.Name, Version: released.Version, Wasm: wasm, Bundles: [][]byte{body}}
		artifact, err := distribution.Push(cmd.Context(), to, s, o)
		if err != nil {
			return err
		}
		return printTransfer(cmd, *format, transfer{Name: released.Name, Version: released.Version, Digest: released.Digest, Artifact: artifact, Place: args[1]})
	}
	return cmd
}

// transfer is what push and pull print.
type transfer struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Digest   string `json:"digest"`            // of the module
	Artifact string `json:"artifact,omitzero"` // digest of the artifact that was pushed
	Signer   string `json:"signer,omitzero"`   // of what was pulled
	Place    string `json:"place"`             // where it is now
}

func printTransfer(cmd *cobra.Command, format string, t transfer) error {
	if format == "json" {
		return printJSON(cmd.OutOrStdout(), t)
	}
	rows := [][]string{{"name", t.Name}, {"version", t.Version}, {"digest", t.Digest}}
	for _, row := range [][]string{{"artifact", t.Artifact}, {"signer", t.Signer}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	return table(cmd.OutOrStdout(), []string{"WHAT", "VALUE"}, append(rows, []string{"place", t.Place}))
}
