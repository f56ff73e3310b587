package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/resolve"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// resolution is what the flags about projects without a lockfile say.
type resolution struct {
	wanted   bool
	patience time.Duration
}

func (r *resolution) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&r.wanted, "resolve", false, "lock what has no lockfile, with npm, pnpm, yarn or uv; no scripts are run")
	f.DurationVar(&r.patience, "resolve-for", resolve.DefaultTimeout, "how long --resolve may take for one project")
}

// artifact returns the bytes that are published: with --resolve, with lockfiles
// that were missing.
func (r *resolution) artifact(cmd *cobra.Command, path string) ([]byte, error) {
	if !r.wanted {
		return readArtifact(path)
	}
	if path == "" {
		return nil, usageError("--resolve needs --artifact")
	}
	packed, doc, err := r.resolve(cmd, path)
	if err == nil && doc != nil {
		warnIncomplete(cmd, doc)
	}
	return packed, err
}

// document is the SBOM of the artifact, resolved first if that was asked for.
func (r *resolution) document(cmd *cobra.Command, path string, opts sbom.Options) (*sbom.Document, error) {
	if r.wanted {
		_, doc, err := r.resolve(cmd, path)
		if doc != nil || err != nil {
			return doc, err
		}
	}
	return sbom.Generate(cmd.Context(), sbom.Input{Artifact: path}, opts)
}

// resolve makes the lockfiles, says so, and reads the result as the registry
// will. Where everything is locked already there is no document, and the
// artifact is published as it is.
func (r *resolution) resolve(cmd *cobra.Command, path string) ([]byte, *sbom.Document, error) {
	found, err := resolve.Artifact(cmd.Context(), path, r.patience)
	if errors.Is(err, resolve.ErrNothing) {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing to resolve: every project has a lockfile or asks for nothing")
		packed, err := readArtifact(path)
		return packed, nil, err
	}
	if err != nil {
		return nil, nil, err
	}
	for _, made := range found.Records {
		fmt.Fprintf(cmd.ErrOrStderr(), "resolved: %s\n", printable(made.String()))
	}
	for _, note := range found.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", printable(note))
	}
	dir, err := os.MkdirTemp("", "bartizan-resolved-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "artifact.tar.gz")
	if err := os.WriteFile(file, found.Packed, 0o600); err != nil {
		return nil, nil, err
	}
	doc, err := sbom.Generate(cmd.Context(), sbom.Input{Artifact: file}, sbom.Options{})
	return found.Packed, doc, err
}
