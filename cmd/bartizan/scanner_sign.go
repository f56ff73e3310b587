package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

func newScannerSign() *cobra.Command {
	var key, bundle, out string
	cmd := &cobra.Command{
		Use:   "sign X.wasm {--key FILE | --bundle FILE --public FILE...}",
		Short: "Sign a module's name, version and bytes, for loading and pushing",
		Long: "Writes X.wasm.sigstore.json, a Sigstore bundle with an in-toto statement about the\n" +
			"module's digest, and prints what was signed. With --bundle a bundle that was made\n" +
			"elsewhere is put there, after it was verified: --public, or --issuer with --san\n" +
			"and --trusted-root. Exit code 3 when it does not verify.",
		Example: "  bartizan scanner sign ticket.wasm --key acme.key",
		Args:    cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "json", "table")
	policy := signerFlags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "private key file")
	cmd.Flags().StringVar(&bundle, "bundle", "", "Sigstore bundle made elsewhere")
	cmd.Flags().StringVar(&out, "out", "", "write the bundle here instead")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "json", "table"); err != nil {
			return err
		}
		switch {
		case (key == "") == (bundle == ""):
			return usageError("either --key or --bundle")
		case args[0] == "-" && out == "":
			return usageError("a module from standard input wants --out")
		}
		_, released, err := readRelease(cmd, args[0])
		if err != nil {
			return err
		}
		var body []byte
		var by release.Signer
		if key != "" {
			body, by, err = signRelease(cmd, key, released)
		} else {
			body, by, err = verifyRelease(cmd, bundle, released, policy)
		}
		if err != nil {
			return err
		}
		if out == "" {
			out = args[0] + release.BundleSuffix
		}
		if err := atomicfile.WriteMode(out, body, 0o644); err != nil {
			return err
		}
		return printRelease(cmd, *format, signedRelease{released.Name, released.Version, released.Digest, by.String(), out})
	}
	return cmd
}

// signedRelease is what sign, push and pull print.
type signedRelease struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // of the module
	Signer  string `json:"signer"`
	Place   string `json:"place"` // of what was written
}

func printRelease(cmd *cobra.Command, format string, r signedRelease) error {
	if format == "json" {
		return printJSON(cmd.OutOrStdout(), r)
	}
	return table(cmd.OutOrStdout(), []string{"NAME", "VERSION", "DIGEST", "SIGNER", "PLACE"}, [][]string{{r.Name, r.Version, r.Digest, r.Signer, r.Place}})
}

// readRelease reads a module that could be loaded, and what its manifest says
// of it.
func readRelease(cmd *cobra.Command, name string) ([]byte, release.Module, error) {
	m, err := readModule(cmd, name)
	if err != nil {
		return nil, release.Module{}, err
	}
	if seen := m.inspect(); len(seen.Problems) > 0 {
		return nil, release.Module{}, policyError("%s would not load: %s", name, seen.Problems[0])
	}
	manifest, err := engine.ReadManifest(m.wasm)
	if err != nil {
		return nil, release.Module{}, policyError("%s: %w", name, err)
	}
	if !release.ValidVersion(manifest.Version) {
		return nil, release.Module{}, policyError("%s: version %q is no semantic version", name, manifest.Version)
	}
	return m.wasm, release.Module{Name: manifest.Name, Version: manifest.Version, Digest: m.digest}, nil
}

func signRelease(cmd *cobra.Command, key string, m release.Module) ([]byte, release.Signer, error) {
	k, err := attest.LoadKey(key)
	if err != nil {
		return nil, release.Signer{}, err
	}
	body, err := release.Sign(cmd.Context(), k, m)
	return body, release.Signer{KeyID: k.KeyID()}, err
}

func verifyRelease(cmd *cobra.Command, bundle string, m release.Module, policy func() (attest.Policy, error)) ([]byte, release.Signer, error) {
	body, err := readSmall(cmd, bundle, release.MaxBundle)
	if err != nil {
		return nil, release.Signer{}, err
	}
	p := release.Policy{Scanner: m.Name}
	if p.Signers, err = policy(); err != nil {
		return nil, release.Signer{}, err
	}
	by, err := p.Admit(m, body, nil)
	if err != nil {
		return nil, by, policyError("%s: %w", bundle, err)
	}
	return body, by, nil
}

// readSmall reads a file that has a bound of its own.
func readSmall(cmd *cobra.Command, name string, limit int64) ([]byte, error) {
	if info, err := os.Stat(name); name != "-" && err == nil && info.Size() > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	return readInput(cmd, name)
}
