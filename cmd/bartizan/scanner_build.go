package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/scannerfile"
	"github.com/bartizan-mcp/bartizan/cmd/internal/script"
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
			"build the language, or a command and the module that it writes, or a script and\n" +
			"the template that it goes into. The module is written to DIR/NAME.wasm once it\n" +
			"was admitted and has answered a few harmless messages. Prints its digest, size\n" +
			"and file. Exit code 3 when it is refused.",
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
			if err := tryScanner(cmd.Context(), wasm, cmd.ErrOrStderr()); err != nil {
				return policyError("%s: %w", file.Name, &written{err, file.Build.Language})
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
	wasm, err := compiled(cmd, dir, f)
	if err != nil {
		return nil, err
	}
	manifest, err := f.ManifestJSON()
	if err != nil {
		return nil, err
	}
	return wasmsection.Attach(wasm, engine.ManifestSection, manifest)
}

// compiled returns the module that the toolchain writes, or what a pack of rules
// or a script becomes without one.
func compiled(cmd *cobra.Command, dir string, f scannerfile.File) ([]byte, error) {
	switch {
	case f.Pack != nil:
		return f.Pack.Module()
	case f.Build.Script != "":
		return scripted(dir, f.Build)
	}
	return toolchain.Build(cmd.Context(), toolchain.Job{
		Dir: dir, Name: f.Name, Language: f.Build.Language, Command: f.Build.Command, Module: f.Build.Module,
		Check: f.Build.Toolchain,
	}, cmd.ErrOrStderr())
}

// scripted returns the template with the script in it.
func scripted(dir string, b scannerfile.Build) ([]byte, error) {
	name := filepath.Join(dir, filepath.FromSlash(b.Template))
	template, err := readScanFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: a release of bartizan has it; make -C %s compiles it", err, filepath.Dir(name))
	}
	if err != nil {
		return nil, err
	}
	source, err := readScanFile(filepath.Join(dir, filepath.FromSlash(b.Script)))
	if err != nil {
		return nil, err
	}
	return script.Place(template, source)
}

// tryScanner admits a module and has it answer harmless messages. What it logs is
// for its author.
func tryScanner(ctx context.Context, wasm []byte, log io.Writer) error {
	e, err := engine.New(ctx, engine.Config{})
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	s, err := e.Load(ctx, wasm, engine.Options{Log: visibleLog{log}})
	if err != nil {
		return err
	}
	return engine.NewSet(s).SelfTest(ctx)
}
