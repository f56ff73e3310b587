package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/scannerfile"
	"github.com/bartizan-mcp/bartizan/cmd/internal/toolchain"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

func newScannerBuild() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Compile a scanner, put its manifest in and check it as a gateway would",
		Long: "DIR, the current folder unless given, holds a scanner.yaml: a manifest, and under\n" +
			"build the language, or a command and the module that it writes. The module is\n" +
			"written to DIR/NAME.wasm once it was admitted and has answered a few harmless\n" +
			"messages. Prints its digest, size and file. Exit code 3 when it is refused.",
		Example: "  bartizan scanner build\n  bartizan scanner build ticket -o ticket.wasm",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			file, err := readScannerFile(dir)
			if err != nil {
				return err
			}
			wasm, err := buildScanner(cmd, dir, file)
			if err != nil {
				return err
			}
			if err := tryScanner(cmd.Context(), wasm); err != nil {
				return policyError("%s: %w", file.Name, err)
			}
			if out == "" {
				out = filepath.Join(dir, file.Name+".wasm")
			}
			if err := atomicfile.WriteMode(out, wasm, 0o644); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %d bytes  %s\n", engine.Digest(wasm), len(wasm), out)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write here instead of DIR/NAME.wasm")
	return cmd
}

func readScannerFile(dir string) (scannerfile.File, error) {
	name := filepath.Join(dir, scannerfile.Name)
	body, err := readScanFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return scannerfile.File{}, fmt.Errorf("%w; bartizan scanner new writes a folder that has one", err)
	}
	if err != nil {
		return scannerfile.File{}, err
	}
	f, err := scannerfile.Parse(body)
	if err != nil {
		return scannerfile.File{}, fmt.Errorf("%s: %w", dir, err)
	}
	return f, nil
}

// buildScanner returns the module that a folder makes, its manifest in it. What
// the toolchain says is for its user, on standard error.
func buildScanner(cmd *cobra.Command, dir string, f scannerfile.File) ([]byte, error) {
	var wasm []byte
	var err error
	if f.Pack != nil {
		wasm, err = f.Pack.Module()
	} else {
		wasm, err = toolchain.Build(cmd.Context(), toolchain.Job{
			Dir: dir, Name: f.Name, Language: f.Build.Language, Command: f.Build.Command, Module: f.Build.Module,
			Check: f.Build.Toolchain,
		}, cmd.ErrOrStderr())
	}
	if err != nil {
		return nil, err
	}
	manifest, err := f.ManifestJSON()
	if err != nil {
		return nil, err
	}
	return wasmsection.Attach(wasm, engine.ManifestSection, manifest)
}

// tryScanner admits a module and has it answer harmless messages.
func tryScanner(ctx context.Context, wasm []byte) error {
	e, err := engine.New(ctx, engine.Config{})
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	s, err := e.Load(ctx, wasm, engine.Options{})
	if err != nil {
		return err
	}
	return engine.NewSet(s).SelfTest(ctx)
}
