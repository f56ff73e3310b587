package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/packages"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// readArtifact returns the bytes that are published and signed: a file as it
// is, a folder packed so that the same content gives the same bytes.
func readArtifact(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return sbom.Pack(path)
	}
	return os.ReadFile(path)
}

// artifactBytes is the artifact with what the flags add to it: a lockfile, or
// the packages of the one that is there.
func (p *publication) artifactBytes(cmd *cobra.Command) ([]byte, error) {
	if p.packages == "" {
		return p.resolution.artifact(cmd, p.artifact)
	}
	if info, err := os.Stat(p.artifact); p.artifact == "" || err == nil && !info.IsDir() {
		return nil, usageError("--packages needs --artifact FOLDER")
	}
	work, err := os.MkdirTemp("", "bartizan-publish-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = tree.Remove(work) }()
	project := p.artifact
	if p.resolution.wanted {
		if project, err = p.resolved(cmd, work); err != nil {
			return nil, err
		}
	}
	stage, err := packages.Lay(cmd.Context(), p.packages, project, work, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	return sbom.Pack(stage)
}

// resolved is a copy of the project, below work, with the lockfiles that it lacked.
func (p *publication) resolved(cmd *cobra.Command, work string) (string, error) {
	packed, err := p.resolution.artifact(cmd, p.artifact)
	if err != nil {
		return "", err
	}
	file, dir := filepath.Join(work, "resolved.tar.gz"), filepath.Join(work, "resolved")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		return "", err
	}
	_, err = tree.Materialise(cmd.Context(), file, dir, archive.Limits{})
	return dir, err
}

// launch says how the server is started or who has to answer for it.
func (p *publication) launch(ctx context.Context, server, artifact []byte) (admission.Launch, error) {
	l := admission.Launch{Pin: p.pin, Dir: p.dir}
	switch {
	case len(p.command) > 0:
		l.Command = slices.Clone(p.command)
	case p.unsafeRun:
		return l, usageError("--unsafe-run needs -- COMMAND")
	case p.pin == "":
		bundled, err := bundleLaunch(ctx, p.artifact)
		if err != nil || bundled == nil {
			return l, err
		}
		l = *bundled
	default:
		return l, nil
	}
	if p.pin != "" {
		return l, usageError("--pin is about a remote, not about COMMAND")
	}
	for _, pair := range p.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return l, usageError("--set NAME=VALUE")
		}
		if l.Env == nil {
			l.Env = map[string]string{}
		}
		l.Env[name] = value
	}
	l.EnvNames = append(l.EnvNames, p.env...)
	for _, name := range slices.Concat(l.EnvNames, slices.Sorted(maps.Keys(l.Env))) {
		if why, refused := approval.LoaderVariable(name); refused {
			return l, usageError("variable %s would not be approved: %s", name, why)
		}
	}
	if !slices.ContainsFunc(append(l.Command, l.Dir), tree.Names) {
		return p.fromHere(l)
	}
	if artifact == nil {
		return l, usageError("%s is the folder that --artifact becomes", tree.Root)
	}
	if len(l.EnvNames)+len(l.Env) == 0 { // then it is what server.json declares
		if doc, err := serverjson.Parse(server); err == nil {
			l.EnvNames = doc.EnvNames()
		}
	}
	return p.fromTree(l)
}

// fromHere completes a command that binds itself and no code.
func (p *publication) fromHere(l admission.Launch) (admission.Launch, error) {
	if len(p.runtimes) > 0 || len(l.Env) > 0 {
		return l, usageError("--runtime and --set are for a server started from the artifact: name %s in COMMAND", tree.Root)
	}
	var err error
	l.Command[0], err = absoluteCommand(l.Command[0])
	if l.Dir == "" {
		l.Dir = "/"
	}
	l.EnvNames = sortedNames(l.EnvNames)
	return l, err
}

// fromTree completes a launch from the artifact's tree.
func (p *publication) fromTree(l admission.Launch) (admission.Launch, error) {
	l.EnvNames = sortedNames(l.EnvNames)
	if l.Dir == "" {
		l.Dir = tree.Root
	}
	if tree.Names(l.Command[0]) {
		return l, nil
	}
	var err error
	if l.Command[0], err = absoluteCommand(l.Command[0]); err != nil && len(p.runtimes) == 0 {
		return l, err
	}
	for _, r := range p.runtimes {
		sum, ok := strings.CutPrefix(r, "sha256:")
		if !ok {
			return l, usageError("--runtime sha256:HEX")
		}
		l.Runtimes = append(l.Runtimes, sum)
	}
	if len(l.Runtimes) == 0 {
		sum, err := runtimeDigest(l.Command[0])
		if err != nil {
			return l, err
		}
		l.Runtimes = []string{sum}
	}
	return l, nil
}

func sortedNames(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func absoluteCommand(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return name, err
	}
	return filepath.Abs(path)
}

// runtimeDigest is the SHA-256 of an executable here. What only starts another
// one, as version managers put into the PATH, would bind nothing.
func runtimeDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	if !archive.IsExecutable(head[:n]) {
		return "", fmt.Errorf("%s is a script: name the executable that runs the server", path)
	}
	sum := sha256.New()
	sum.Write(head[:n])
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// runnable is a launch as it is run here to list the server: from the same tree
// as on gateways, if from a tree at all, but without a fence.
func (p *publication) runnable(ctx context.Context, l admission.Launch, artifact []byte) (upstream.Target, func(), error) {
	t := upstream.Target{Command: slices.Clone(l.Command), Dir: l.Dir}
	names, tidy := l.EnvNames, func() {}
	if !slices.ContainsFunc(append(l.Command, l.Dir), tree.Names) {
		names = slices.Concat(upstream.Baseline, names)
	} else {
		work, err := os.MkdirTemp("", "bartizan-publish-")
		if err != nil {
			return t, nil, err
		}
		tidy = func() { _ = tree.Remove(work) }
		file, dir := filepath.Join(work, "artifact"), filepath.Join(work, "tree")
		err = os.WriteFile(file, artifact, 0o600)
		if err == nil {
			_, err = tree.Materialise(ctx, file, dir, archive.Limits{})
		}
		if err != nil {
			tidy()
			return t, nil, err
		}
		for i, arg := range t.Command {
			t.Command[i] = tree.Locate(arg, dir)
		}
		t.Dir = tree.Locate(t.Dir, dir)
		for name, value := range l.Env {
			t.Env = append(t.Env, name+"="+tree.Locate(value, dir))
		}
	}
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			t.Env = append(t.Env, name+"="+value)
		}
	}
	return t, tidy, nil
}
