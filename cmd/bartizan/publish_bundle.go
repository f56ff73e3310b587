package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// bundleManifest is what an MCP bundle says of its start (MCPB manifest.json,
// server.mcp_config).
type bundleManifest struct {
	Server struct {
		Config struct {
			Command string            `json:"command"`
			Args    []string          `json:"args"`
			Env     map[string]string `json:"env"`
		} `json:"mcp_config"`
	} `json:"server"`
}

// folder is the bundle's own name for where it was unpacked.
const folder = "${__dirname}"

var errManifestRead = errors.New("manifest read")

// bundleLaunch maps a bundle's manifest to a launch: its folder is the tree,
// and a variable whose value its user fills in is one that the operator sets.
// Nil if the artifact is no bundle.
func bundleLaunch(ctx context.Context, path string) (*admission.Launch, error) {
	if !strings.HasSuffix(path, ".mcpb") && !strings.HasSuffix(path, ".dxt") {
		return nil, nil
	}
	var m bundleManifest
	_, err := archive.Walk(ctx, path, archive.Zip, archive.Limits{}, func(e archive.Entry, r io.Reader) error {
		if e.Path != "manifest.json" || e.Link {
			return nil
		}
		raw, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			return fmt.Errorf("manifest.json of the bundle: %w", err)
		}
		return errManifestRead
	})
	if !errors.Is(err, errManifestRead) {
		return nil, err
	}
	c := m.Server.Config
	if c.Command == "" {
		return nil, nil
	}
	l := &admission.Launch{Dir: tree.Root, Env: map[string]string{}}
	for _, arg := range append([]string{c.Command}, c.Args...) {
		located, fixed := inBundle(arg)
		if !fixed {
			return nil, usageError("the bundle is started with %q, which its user fills in: say -- COMMAND", arg)
		}
		l.Command = append(l.Command, located)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if value, fixed := inBundle(c.Env[name]); fixed {
			l.Env[name] = value
		} else {
			l.EnvNames = append(l.EnvNames, name)
		}
	}
	return l, nil
}

// inBundle replaces the bundle's folder, and reports whether nothing is left
// to fill in.
func inBundle(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, folder); ok && (rest == "" || rest[0] == '/') {
		s = tree.Root + rest
	}
	return s, !strings.Contains(s, "${")
}
