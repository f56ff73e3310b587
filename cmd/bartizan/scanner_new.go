package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/sdk"
	"github.com/bartizan-mcp/bartizan/sdk/scaffold"
)

func newScannerNew() *cobra.Command {
	var lang, dir string
	languages := strings.Join(scaffold.Languages(sdk.Files), ", ")
	cmd := &cobra.Command{
		Use:   "new --lang LANGUAGE NAME",
		Short: "Write a first scanner: source, scanner.yaml, cases, README, Makefile",
		Long: "The scanner works as it is, and everything that it needs but the compiler is in\n" +
			"its folder: nothing is downloaded. It is written to the folder NAME, which must\n" +
			"not exist or be empty. Prints the files. Languages: " + languages + ".",
		Example: "  bartizan scanner new --lang go mycheck\n  cd mycheck && bartizan scanner build",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := scaffold.Files(sdk.Files, scaffold.Options{Language: lang, Name: args[0], Release: released(version())})
			if errors.Is(err, scaffold.ErrLanguage) || errors.Is(err, scaffold.ErrName) {
				return usageError("%w", err)
			}
			if err != nil {
				return err
			}
			if dir == "" {
				dir = args[0]
			}
			if err := writeNew(dir, files); err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(files)) {
				fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(dir, filepath.FromSlash(name)))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", languages)
	cmd.Flags().StringVar(&dir, "dir", "", "write here instead of to a folder called NAME")
	_ = cmd.MarkFlagRequired("lang")
	return cmd
}

// writeNew writes files into a folder that holds none.
func writeNew(dir string, files map[string][]byte) error {
	switch entries, err := os.ReadDir(dir); {
	case err == nil && len(entries) > 0:
		return usageError("%s is not empty", dir)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	for name, body := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var releaseForm = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)

// released is a version that others can have, or "".
func released(version string) string {
	if releaseForm.MatchString(version) && version != "v0.0.0" {
		return version
	}
	return ""
}
