package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// rootsDir is where imported trusted roots lie, below the folder of trust.json.
func rootsDir(trust string) string { return filepath.Join(trust, "roots") }

func newTrustRoot() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "root",
		Short: "Import, list or remove Sigstore trusted roots",
		Long: "A trusted root (trusted_root.json) names the authorities and logs under which\n" +
			"publishers' certificates count. Several are in force side by side; a running\n" +
			"registry takes a change up at once. Nothing is ever fetched.",
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(newTrustRootAdd(), newTrustRootList(), newTrustRootRemove())
	return cmd
}

func newTrustRootAdd() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:     "add FILE --data DIR",
		Short:   "Import a trusted_root.json",
		Long:    "A root under which nothing can be signed any more is refused.",
		Example: "  bartizan trust root add trusted_root.json --data ./data",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readRoot(cmd, args[0])
			if err != nil {
				return err
			}
			root, err := attest.ParseTrustedRoot(body)
			if err != nil {
				return err
			}
			if err := root.Current(time.Now()); err != nil {
				return policyError("%w", err)
			}
			dir := rootsDir(trustDir(data))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			summary := root.Summaries()[0]
			if err := atomicfile.Write(filepath.Join(dir, summary.Digest+".json"), body); err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), summary)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}

// readRoot reads one file, and no more of it than a root may have.
func readRoot(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), attest.MaxTrustedRoot+1))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, attest.MaxTrustedRoot+1))
}

func newTrustRootList() *cobra.Command {
	var data string
	cmd := &cobra.Command{Use: "list --data DIR", Short: "List imported trusted roots", Args: cobra.NoArgs}
	format := outputFlag(cmd, "table", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		roots, err := attest.OpenRoots(rootsDir(trustDir(data)))
		if err != nil {
			return err
		}
		root, err := roots.Current()
		if err != nil {
			return err
		}
		summaries := []attest.RootSummary{}
		if root != nil {
			summaries = root.Summaries()
		}
		if *format == "json" {
			return printJSON(cmd.OutOrStdout(), summaries)
		}
		var rows [][]string
		for _, s := range summaries {
			ends := "-"
			if !s.Ends.IsZero() {
				ends = s.Ends.Format(time.RFC3339)
			}
			rows = append(rows, []string{s.Digest, names(s.Authorities), names(s.Logs), names(s.Stamps), ends})
		}
		return table(cmd.OutOrStdout(), []string{"DIGEST", "AUTHORITIES", "LOGS", "TIME", "ENDS"}, rows)
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}

func names(periods []attest.Period) string {
	var all []string
	for _, p := range periods {
		all = append(all, p.Name)
	}
	return strings.Join(all, ",")
}

func newTrustRootRemove() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "remove DIGEST --data DIR",
		Short: "Take an imported trusted root out of force",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args[0]) != 64 || strings.Trim(args[0], "0123456789abcdef") != "" {
				return usageError("%q is no digest of `trust root list`", args[0])
			}
			err := os.Remove(filepath.Join(rootsDir(trustDir(data)), args[0]+".json"))
			if errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("no trusted root %s", args[0])
			}
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}
