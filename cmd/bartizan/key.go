package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

func newKey() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Signing keys of authors and reviewers, API keys of everybody",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newKeyGenerate(), newKeyAllow(), newKeyCreate(), newKeyList(), newKeyRevoke(), newKeySigner())
	return cmd
}

func newKeyGenerate() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "generate --out FILE",
		Short:   "Make a signing key: FILE, owner-only, and FILE.pub",
		Example: "  bartizan key generate --out acme.key",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := attest.GenerateKey()
			if err != nil {
				return err
			}
			if err := key.Save(out); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key.KeyID())
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file of the private key")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func newKeyAllow() *cobra.Command {
	var s registryapi.NewSigner
	var namespace, public string
	cmd := asks(&cobra.Command{
		Use:   "allow --namespace NS {--public FILE | --issuer URL --san REGEX}",
		Short: "Say who may sign for a namespace",
		Example: "  bartizan key allow --namespace io.github.acme --public acme.key.pub\n" +
			"  bartizan key allow --namespace io.github.acme --issuer https://token.actions.githubusercontent.com --san 'https://github.com/acme/.*'",
		Args: cobra.NoArgs,
	}, func(q *question, _ []string) error {
		if (public == "") == (s.Issuer == "" || s.SubjectPattern == "") {
			return usageError("either --public, or --issuer with --san")
		}
		if public != "" {
			body, err := os.ReadFile(public)
			if err != nil {
				return err
			}
			s.PublicKey = string(body)
		}
		added, err := q.client.AddSigner(q.ctx, namespace, s)
		if err != nil {
			return err
		}
		return printJSON(q.out, added)
	})
	cmd.Flags().StringVar(&namespace, "namespace", "", "reverse-DNS namespace")
	cmd.Flags().StringVar(&public, "public", "", "public key file")
	cmd.Flags().StringVar(&s.Issuer, "issuer", "", "OIDC issuer of the signer's certificate")
	cmd.Flags().StringVar(&s.SubjectPattern, "san", "", "regular expression over the certificate's whole subject alternative name")
	cmd.Flags().StringVar(&s.SourceRepository, "source-repository", "", "repository that certificate or SLSA provenance must name")
	cmd.Flags().StringVar(&s.Builder, "builder", "", "builder id that the SLSA provenance must state")
	_ = cmd.MarkFlagRequired("namespace")
	return cmd
}

func newKeyCreate() *cobra.Command {
	var spec registryapi.NewKey
	var groups []string
	cmd := asks(&cobra.Command{
		Use:     "create --name NAME --role ROLE...",
		Short:   "Issue an API key; it is shown once",
		Long:    "Roles: " + strings.Join(identity.Roles(), ", ") + ".",
		Example: "  bartizan key create --name laptop --role agent --days 30",
		Args:    cobra.NoArgs,
	}, func(q *question, _ []string) error {
		if spec.Days < 1 {
			return usageError("--days %d: at least one", spec.Days)
		}
		if len(groups) > 0 {
			if spec.Attributes == nil {
				spec.Attributes = map[string]string{}
			}
			spec.Attributes["groups"] = strings.Join(groups, ",")
		}
		issued, err := q.client.IssueKey(q.ctx, spec)
		if err != nil {
			return err
		}
		if q.format == "json" {
			return printJSON(q.out, issued)
		}
		_, err = fmt.Fprintln(q.out, issued.Token)
		return err
	})
	cmd.Flags().StringVar(&spec.Principal, "name", "", "who the key stands for")
	cmd.Flags().StringVar(&spec.Kind, "kind", identity.KindUser, "user, agent or service")
	cmd.Flags().StringSliceVar(&spec.Roles, "role", nil, "what the key may do")
	cmd.Flags().StringSliceVar(&spec.Namespaces, "namespace", nil, "where a publisher may publish")
	cmd.Flags().StringToStringVar(&spec.Attributes, "attribute", nil, "what policies may ask for, NAME=VALUE (repeatable)")
	cmd.Flags().StringSliceVar(&groups, "group", nil, "group for policies (repeatable)")
	cmd.Flags().IntVar(&spec.Days, "days", 90, "how long the key works")
	_ = cmd.MarkFlagRequired("name")
	_ = cmd.MarkFlagRequired("role")
	return cmd
}

func newKeyList() *cobra.Command {
	return asks(&cobra.Command{Use: "list", Short: "List API keys, never their secrets", Args: cobra.NoArgs}, func(q *question, _ []string) error {
		keys, err := q.client.Keys(q.ctx)
		if err != nil {
			return err
		}
		return q.print(keys, []string{"ID", "NAME", "ROLES", "NAMESPACES", "EXPIRES", "STATE"}, func() [][]string {
			var rows [][]string
			for _, k := range keys {
				state := "valid"
				if k.Revoked != nil {
					state = "revoked " + k.Revoked.Format(time.RFC3339)
				}
				rows = append(rows, []string{k.ID, k.Principal, strings.Join(k.Roles, ","), strings.Join(k.Namespaces, ","), k.Expires.Format(time.RFC3339), state})
			}
			return rows
		})
	})
}

func newKeyRevoke() *cobra.Command {
	return asks(&cobra.Command{Use: "revoke ID", Short: "Revoke an API key at once", Args: cobra.ExactArgs(1)}, func(q *question, args []string) error {
		key, err := q.client.RevokeKey(q.ctx, args[0])
		if err != nil {
			return err
		}
		return printJSON(q.out, key)
	})
}
