package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// signer is who signed, as `verify` prints it.
type signer struct {
	KeyID         string `json:"keyId,omitzero"`
	Issuer        string `json:"issuer,omitzero"`
	Subject       string `json:"subject,omitzero"`
	PredicateType string `json:"predicateType,omitzero"`
	// Provenance is what a build service states.
	Provenance *provenance.Facts `json:"provenance,omitzero"`
}

func signerOf(v *attest.Verified) signer {
	s := signer{KeyID: v.KeyID, Issuer: v.Issuer, Subject: v.SAN, Provenance: v.Provenance}
	if v.Statement != nil {
		s.PredicateType = v.Statement.PredicateType
	}
	return s
}

// signerFlags adds the flags that say whose signature counts. There is no
// default: verification without an identity is no verification.
func signerFlags(cmd *cobra.Command) func() (attest.Policy, error) {
	var public []string
	var root string
	var id attest.Identity
	cmd.Flags().StringSliceVar(&public, "public", nil, "public key file of the signer")
	cmd.Flags().StringVar(&id.Issuer, "issuer", "", "OIDC issuer of the signer's certificate")
	cmd.Flags().StringVar(&id.SANRegex, "san", "", "regular expression over the certificate's whole subject alternative name")
	cmd.Flags().StringVar(&root, "trusted-root", "", "Sigstore trusted_root.json, or a folder of them")
	cmd.Flags().StringVar(&id.SourceRepository, "source-repository", "", "repository that certificate or SLSA provenance must name")
	cmd.Flags().StringVar(&id.Builder, "builder", "", "builder id that the SLSA provenance must state")
	return func() (attest.Policy, error) {
		var p attest.Policy
		for _, file := range public {
			key, err := attest.LoadPublicKey(file)
			if err != nil {
				return p, err
			}
			p.Keys = append(p.Keys, key)
		}
		if id != (attest.Identity{}) {
			if id.Issuer == "" || id.SANRegex == "" || root == "" {
				return p, usageError("--issuer, --san and --trusted-root go together")
			}
			trusted, err := attest.LoadTrustedRoot(root)
			if err != nil {
				return p, err
			}
			p.Root = trusted
			p.Identities = []attest.Identity{id}
		}
		if len(p.Keys) == 0 && len(p.Identities) == 0 {
			return p, usageError("whose signature? --public, or --issuer with --san and --trusted-root")
		}
		return p, nil
	}
}

func newVerify() *cobra.Command {
	var bundle, trust string
	cmd := &cobra.Command{
		Use:   "verify {ARTIFACT --bundle FILE | NAME[@VERSION] --trust trust.json}",
		Short: "Verify an artifact's signature, or a server's approval",
		Long: "With --bundle: that the bundle is about the artifact and signed by the one\n" +
			"demanded. With --trust: that the registry holds an approval which trust.json's\n" +
			"keys and reviewers bear out. Exit code 3 when not.",
		Example: "  bartizan verify server.tgz --bundle server.sigstore.json --public acme.key.pub\n" +
			"  bartizan verify io.github.acme/weather --trust trust.json",
		Args: cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "json", "table")
	policy := signerFlags(cmd)
	connect := registryFlags(cmd)
	cmd.Flags().StringVar(&bundle, "bundle", "", "Sigstore bundle")
	cmd.Flags().StringVar(&trust, "trust", "", "trust.json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "json", "table"); err != nil {
			return err
		}
		switch {
		case (bundle == "") == (trust == ""):
			return usageError("either --bundle or --trust")
		case bundle != "":
			return verifyArtifact(cmd, args[0], bundle, *format, policy)
		}
		t, err := approval.LoadTrust(trust)
		if err != nil {
			return policyError("%w", err)
		}
		c, err := connect()
		if err != nil {
			return err
		}
		v, err := findVersion(cmd.Context(), c, args[0])
		if err != nil {
			return err
		}
		if v.Approval == "" {
			return policyError("%s@%s is %s: there is no approval", v.Name, v.Version, v.State)
		}
		body, err := readBlob(cmd.Context(), c, v.Approval)
		if err != nil {
			return err
		}
		a, err := approval.Verify(body, t, time.Now())
		if err != nil {
			return policyError("%w", err)
		}
		if *format == "table" {
			p := a.Predicate
			return table(cmd.OutOrStdout(), []string{"WHAT", "VALUE"}, [][]string{
				{"server", p.Server}, {"version", p.Version}, {"tenant", p.Tenant}, {"registry", p.Registry},
				{"binding", string(p.Binding)}, {"expires", p.Expires.Format(time.RFC3339)},
			})
		}
		return printJSON(cmd.OutOrStdout(), a.Predicate)
	}
	return cmd
}

func verifyArtifact(cmd *cobra.Command, artifact, bundle, format string, policy func() (attest.Policy, error)) error {
	body, err := readInput(cmd, artifact)
	if err != nil {
		return err
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
		return policyError("%s: %s: %w", bundle, attest.ReasonOf(err), err)
	}
	s := signerOf(verified)
	if format == "table" {
		return table(cmd.OutOrStdout(), []string{"WHAT", "VALUE"}, [][]string{
			{"key", s.KeyID}, {"issuer", s.Issuer}, {"subject", s.Subject}, {"predicate", s.PredicateType},
		})
	}
	return printJSON(cmd.OutOrStdout(), s)
}

// digestsOf are the names under which a statement may speak of some bytes.
func digestsOf(body []byte) map[string]string {
	s256, s512 := sha256.Sum256(body), sha512.Sum512(body)
	return map[string]string{"sha256": hex.EncodeToString(s256[:]), "sha512": hex.EncodeToString(s512[:])}
}
