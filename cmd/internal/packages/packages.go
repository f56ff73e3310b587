// Package packages lays a project out as an artifact that brings its
// dependencies along: the archives that its lockfile names, fetched by the
// ecosystem's own client as it is configured here, with no script of any
// package run. What it lays out internal/tree unpacks, which checks it all anew.
//
// It knows clients and lockfiles. It must not know approvals or registries of
// servers.
package packages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// Ecosystems.
const (
	NPM = "npm"
	Pip = "pip"
)

var (
	// ErrProject is a folder whose packages cannot be brought along.
	ErrProject = errors.New("packages cannot be brought along")
	// ErrClient is an ecosystem's client that failed.
	ErrClient = errors.New("the package client failed")
)

// Lay copies the project in dir into a new folder below work, adds its
// packages, and returns that folder. What the client says goes to out.
func Lay(ctx context.Context, ecosystem, dir, work string, out io.Writer) (string, error) {
	stage := filepath.Join(work, "stage")
	if err := copyProject(stage, dir); err != nil {
		return "", err
	}
	j := job{ctx: ctx, stage: stage, work: work, out: out}
	var err error
	switch ecosystem {
	case NPM:
		err = j.npm(dir)
	case Pip:
		err = j.pip()
	default:
		err = fmt.Errorf("%w: %q is none of %s, %s", ErrProject, ecosystem, NPM, Pip)
	}
	return stage, err
}

// left are names that are not published: installed packages, which the
// archives replace; history; and the client's configuration, which holds tokens.
var left = []string{"node_modules", ".git", ".bartizan", ".npmrc", ".venv", "venv", "__pycache__", ".env"}

// copyProject copies a project without what is left, at its top.
func copyProject(stage, dir string) error {
	if err := os.MkdirAll(filepath.Join(stage, filepath.FromSlash(tree.PackagesFolder)), 0o755); err != nil {
		return err
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, d := range names {
		from, to := filepath.Join(dir, d.Name()), filepath.Join(stage, d.Name())
		switch {
		case slices.Contains(left, d.Name()):
		case d.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		case d.Type().IsRegular():
			err = copyFile(to, from)
		default:
			err = fmt.Errorf("%w: %s is neither file nor folder", ErrProject, d.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, body, info.Mode().Perm())
}

// job is one project on its way to an artifact.
type job struct {
	ctx         context.Context
	stage, work string
	out         io.Writer
	packages    []tree.Package
}

// run runs a client.
func (j *job) run(dir string, command ...string) (string, error) {
	cmd := exec.CommandContext(j.ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Stderr = dir, j.out
	said, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrClient, strings.Join(command[:2], " "), err)
	}
	return strings.TrimSpace(string(said)), nil
}

// add puts an archive into the artifact; the same one for two places once.
func (j *job) add(name string, body []byte, p tree.Package) error {
	p.Archive = tree.PackagesFolder + "/" + name
	j.packages = append(j.packages, p)
	return os.WriteFile(filepath.Join(j.stage, filepath.FromSlash(p.Archive)), body, 0o644)
}

// finish writes the manifest.
func (j *job) finish(lockfile string) error {
	manifest, err := json.Marshal(tree.NewManifest(lockfile, j.packages), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(j.stage, filepath.FromSlash(tree.ManifestPath)), append(manifest, '\n'), 0o644)
}
