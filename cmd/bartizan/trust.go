package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

func newTrust() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Make, show or rotate trust.json; import trusted roots",
		Long: "trust.json names the keys that a gateway believes and the reviewers whose votes\n" +
			"count. It is installed by hand; version n+1 is signed by n's keys and its own.",
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(newTrustInit(), newTrustShow(), newTrustRotate(), newTrustRoot())
	return cmd
}

// trustDir is where serve keeps trust.json and the keys it names.
func trustDir(data string) string { return filepath.Join(data, "trust") }

func newTrustInit() *cobra.Command {
	var data, registry string
	cmd := &cobra.Command{
		Use:     "init",
		Short:   "Make the approval, snapshot and log keys and the first trust.json",
		Example: "  bartizan trust init --data ./data --registry registry.example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := approval.InitTrust(cmd.Context(), trustDir(data), registry, time.Now())
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), t)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder")
	cmd.Flags().StringVar(&registry, "registry", "local", "id of the registry that the document speaks for")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}

func newTrustShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show FILE",
		Short:   "Show a trust.json after checking its signatures",
		Example: "  bartizan trust show data/trust/trust.json",
		Args:    cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "table", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		t, err := approval.LoadTrust(args[0])
		if err != nil {
			return err
		}
		if *format == "json" {
			return printJSON(cmd.OutOrStdout(), t)
		}
		rows := [][]string{
			{"registry", t.Registry},
			{"version", fmt.Sprint(t.Version)},
			{"expires", t.Expires.Format(time.RFC3339)},
			{"threshold", fmt.Sprint(t.Threshold)},
		}
		for _, k := range t.ApprovalKeys {
			rows = append(rows, []string{"approval key", k.ID})
		}
		for _, k := range t.SnapshotKeys {
			rows = append(rows, []string{"snapshot key", k.ID})
		}
		for _, k := range t.LogKeys {
			rows = append(rows, []string{"log key", k.ID})
		}
		for _, v := range t.Voters {
			rows = append(rows, []string{"voter", v.Name + " " + strings.Join(v.Groups, ",")})
		}
		return table(cmd.OutOrStdout(), []string{"WHAT", "VALUE"}, rows)
	}
	return cmd
}

type trustChange struct {
	data, out       string
	add, remove     []string
	newKeys, signer []string
	life            time.Duration
}

func newTrustRotate() *cobra.Command {
	var c trustChange
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Write the next version of trust.json, signed by the present one's keys",
		Long: "Running doors take the new version up by themselves. Signs with the data\n" +
			"folder's approval key and every --signer.",
		Example: "  bartizan trust rotate --data ./data --add-voter alice=alice.key.pub,security",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			next, err := c.rotate(cmd)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), next)
		},
	}
	cmd.Flags().StringVar(&c.data, "data", "", "data folder")
	cmd.Flags().StringVar(&c.out, "out", "", "write here instead of replacing the data folder's trust.json")
	cmd.Flags().StringArrayVar(&c.add, "add-voter", nil, "NAME=PUBLIC-KEY-FILE[,GROUP...]")
	cmd.Flags().StringArrayVar(&c.remove, "remove-voter", nil, "NAME")
	cmd.Flags().StringArrayVar(&c.newKeys, "add-approval-key", nil, "public key file of a further approval key")
	cmd.Flags().StringArrayVar(&c.signer, "signer", nil, "private key file of a further approval key that signs")
	cmd.Flags().DurationVar(&c.life, "expires-in", 365*24*time.Hour, "how long the new version is valid")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}

func (c trustChange) rotate(cmd *cobra.Command) (*approval.Trust, error) {
	dir := trustDir(c.data)
	path := filepath.Join(dir, approval.TrustFile)
	current, err := approval.LoadTrust(path)
	if err != nil {
		return nil, err
	}
	next := current.Next()
	next.Expires = time.Now().Add(c.life).UTC().Truncate(time.Second)
	if err := c.apply(next); err != nil {
		return nil, err
	}
	signers, err := c.signers(dir)
	if err != nil {
		return nil, err
	}
	body, err := next.Sign(cmd.Context(), signers...)
	if err != nil {
		return nil, err
	}
	verified, err := current.VerifyNext(body)
	if err != nil {
		return nil, err
	}
	if c.out != "" {
		path = c.out
	}
	return verified, atomicfile.Write(path, body)
}

func (c trustChange) apply(next *approval.Trust) error {
	for _, name := range c.remove {
		i := slices.IndexFunc(next.Voters, func(v approval.Voter) bool { return v.Name == name })
		if i < 0 {
			return usageError("no voter %q", name)
		}
		next.Voters = slices.Delete(next.Voters, i, i+1)
	}
	for _, spec := range c.add {
		name, rest, ok := strings.Cut(spec, "=")
		parts := strings.Split(rest, ",")
		if !ok || name == "" || parts[0] == "" {
			return usageError("--add-voter %q is not NAME=FILE[,GROUP...]", spec)
		}
		key, err := loadTrustKey(parts[0])
		if err != nil {
			return err
		}
		next.Voters = append(next.Voters, approval.Voter{Name: name, Key: &key, Groups: parts[1:]})
	}
	for _, file := range c.newKeys {
		key, err := loadTrustKey(file)
		if err != nil {
			return err
		}
		next.ApprovalKeys = append(next.ApprovalKeys, key)
	}
	return nil
}

func (c trustChange) signers(dir string) ([]attest.Signer, error) {
	var all []attest.Signer
	for _, file := range append([]string{filepath.Join(dir, approval.ApprovalKeyFile)}, c.signer...) {
		key, err := attest.LoadKey(file)
		if err != nil {
			return nil, err
		}
		all = append(all, key)
	}
	return all, nil
}

func loadTrustKey(file string) (approval.Key, error) {
	public, err := attest.LoadPublicKey(file)
	if err != nil {
		return approval.Key{}, err
	}
	return approval.Key{ID: public.ID(), PEM: string(public.PEM())}, nil
}
