package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/distribution"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// pulling is what `scanner pull` was asked for.
type pulling struct {
	name, out, file, digest, minVersion string
	signers                             func() (attest.Policy, error)
	signersGiven                        bool
	options                             distribution.Options
}

func newScannerPull() *cobra.Command {
	var p pulling
	cmd := &cobra.Command{
		Use:   "pull {oci://HOST/REPOSITORY:TAG | oci:DIR:TAG} --out X.wasm",
		Short: "Fetch a module with its bundle, verify both, then write them",
		Long: "Whose signature counts is said by --public, or --issuer with --san and\n" +
			"--trusted-root, or by scanners.trust of --config. Nothing is written that is\n" +
			"tampered with, unsigned, another scanner than the one asked for, not the pinned\n" +
			"digest, or older than what is at --out already, than the tag says, or than what\n" +
			"the installation of --config had in force: exit code 3, with the reason.",
		Example: "  bartizan scanner pull oci://registry.example.com/scanners/ticket:1.2.0 --public acme.key.pub\n" +
			"  bartizan scanner pull oci:./stick:1.2.0 --name ticket --config bartizan.yaml --out /etc/bartizan/ticket.wasm",
		Args: cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "json", "table")
	p.signers = signerFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&p.name, "name", "", "name of the scanner that is wanted (default: the last part of the repository)")
	flags.StringVar(&p.out, "out", "", "file of the module (default NAME.wasm); its bundle goes beside it")
	flags.StringVar(&p.file, "config", os.Getenv("BARTIZAN_CONFIG"), "YAML configuration file")
	flags.StringVar(&p.digest, "digest", "", "the one module that is wanted, sha256:HEX")
	flags.StringVar(&p.minVersion, "min-version", "", "the oldest version that is wanted")
	flags.BoolVar(&p.options.UnsafePlaintext, "unsafe-plaintext", false, "speak HTTP without TLS beyond loopback")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "json", "table"); err != nil {
			return err
		}
		for _, flag := range []string{"public", "issuer", "san", "trusted-root"} {
			p.signersGiven = p.signersGiven || flags.Changed(flag)
		}
		if p.signersGiven && flags.Changed("config") {
			return usageError("either --config or flags that name signers")
		}
		from, err := distribution.ParseReference(args[0])
		if err != nil {
			return usageError("%w", err)
		}
		done, err := p.pull(cmd, from)
		if err != nil {
			return err
		}
		return printTransfer(cmd, *format, done)
	}
	return cmd
}

func (p *pulling) pull(cmd *cobra.Command, from distribution.Reference) (transfer, error) {
	if p.name == "" {
		p.name = from.Name()
	}
	if p.name == "" {
		return transfer{}, usageError("--name: a layout does not say which scanner is wanted")
	}
	if p.out == "" {
		p.out = filepath.Base(p.name) + ".wasm"
	}
	policy, before, err := p.policy()
	if err != nil {
		return transfer{}, err
	}
	s, err := distribution.Pull(cmd.Context(), from, p.name, p.options)
	if err != nil {
		return transfer{}, err
	}
	manifest, err := engine.ReadManifest(s.Wasm)
	if err != nil {
		return transfer{}, release.Refuse(p.name, release.Malformed, "%w", err)
	}
	m := release.Module{Name: manifest.Name, Version: manifest.Version, Digest: engine.Digest(s.Wasm)}
	signer, bundle, err := policy.AdmitAny(m, s.Bundles, before)
	if err != nil {
		return transfer{}, err
	}
	if v := distribution.VersionOf(from.Tag()); v != "" && v != m.Version {
		why := release.Swapped
		if release.Newer(&m, &release.Module{Version: v}) != &m {
			why = release.Rollback
		}
		return transfer{}, release.Refuse(p.name, why, "tag %s holds version %s", from.Tag(), m.Version)
	}
	return transfer{Name: m.Name, Version: m.Version, Digest: m.Digest, Signer: signer.String(), Place: p.out}, p.write(s.Wasm, bundle)
}

// policy says whose signature counts, and what the module must not be older
// than.
func (p *pulling) policy() (policy release.Policy, before *release.Module, err error) {
	if p.digest != "" && !release.ValidDigest(p.digest) {
		return policy, nil, usageError("--digest: %q is not sha256: and 64 lower-case hex digits", p.digest)
	}
	if p.minVersion != "" && !release.ValidVersion(p.minVersion) {
		return policy, nil, usageError("--min-version: %q is no semantic version", p.minVersion)
	}
	if before, err = p.present(); err != nil {
		return policy, nil, err
	}
	if p.signersGiven || p.file == "" {
		policy = release.Policy{Scanner: p.name}
		policy.Signers, err = p.signers()
	} else {
		var remembered *release.Module
		policy, remembered, err = p.configured()
		before = release.Newer(before, remembered)
	}
	if p.digest != "" && policy.Digest != "" && p.digest != policy.Digest {
		return policy, nil, usageError("--digest: the configuration pins %s", policy.Digest)
	}
	policy.Digest = cmp.Or(policy.Digest, p.digest)
	if v := p.minVersion; v != "" && release.Newer(&release.Module{Version: v}, &release.Module{Version: policy.MinVersion}).Version == v {
		policy.MinVersion = v
	}
	return policy, before, err
}

// configured is the policy of an installation, with its memory.
func (p *pulling) configured() (release.Policy, *release.Module, error) {
	c, _, err := config.Load(config.Sources{File: p.file, Env: os.LookupEnv})
	if err != nil {
		return release.Policy{}, nil, err
	}
	if err := c.Scanners.Validate(); err != nil {
		return release.Policy{}, nil, usageError("%w", joinLines("configuration", err))
	}
	trust, _ := c.Scanners.TrustOf(p.name)
	policy, err := scanners.Policy(c.Scanners, trust)
	if err != nil || c.Data == "" {
		return policy, nil, err
	}
	ledger, err := release.OpenLedger(filepath.Join(c.Data, scanners.LedgerFile))
	if err != nil {
		return policy, nil, err
	}
	return policy, ledger.Before(p.name), nil
}

// present is the module that would be replaced, nil if there is none.
func (p *pulling) present() (*release.Module, error) {
	wasm, err := readScanFile(p.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	manifest, err := engine.ReadManifest(wasm)
	if err != nil || manifest.Name != p.name {
		return nil, fmt.Errorf("%s is there and is no scanner %s; it is not overwritten", p.out, p.name)
	}
	return &release.Module{Name: manifest.Name, Version: manifest.Version, Digest: engine.Digest(wasm)}, nil
}

// write leaves the old pair, the new one, or one that does not verify.
func (p *pulling) write(wasm, bundle []byte) error {
	if bundle != nil {
		if err := atomicfile.WriteMode(p.out+release.BundleSuffix, bundle, 0o644); err != nil {
			return err
		}
	}
	return atomicfile.WriteMode(p.out, wasm, 0o644)
}
