package resolve

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
	"github.com/bartizan-mcp/bartizan/sbom/python"
)

// pythonProjects are those of a pyproject.toml, resolved by uv where it is
// installed. Source distributions run code to say what they need: only wheels
// are resolved.
type pythonProjects struct{}

func (pythonProjects) projects(a *artifact) []string {
	if _, err := exec.LookPath("uv"); err != nil {
		return nil
	}
	var out []string
	for _, dir := range a.folders("pyproject.toml") {
		m, err := python.ParseManifest(a.files[path.Join(dir, "pyproject.toml")])
		switch {
		case err != nil || !m.Project || m.Dynamic || len(m.Dependencies)+len(m.Extras)+len(m.Groups) == 0:
		case slices.ContainsFunc(kept, func(name string) bool { return python.IsLock(name) && a.has(dir, name) }) || a.has(dir, "requirements.txt"):
		default:
			out = append(out, dir)
		}
	}
	return out
}

func (pythonProjects) lock(ctx context.Context, a *artifact, dir, scratch string) (lockfile, error) {
	reduced, err := reducePyproject(a.files[path.Join(dir, "pyproject.toml")])
	if err != nil {
		return lockfile{}, fmt.Errorf("pyproject.toml: %w", err)
	}
	within := filepath.Join(scratch, "copy")
	if err := put(within, "pyproject.toml", reduced); err != nil {
		return lockfile{}, err
	}
	t, err := find("uv", scratch)
	if err != nil {
		return lockfile{}, err
	}
	// The interpreter itself: what stands on PATH may be a script that picks one.
	interpreter, err := exec.CommandContext(ctx, "python3", "-I", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return lockfile{}, fmt.Errorf("%w: python3: %w", ErrTool, err)
	}
	t.env = []string{"UV_PYTHON=" + strings.TrimSpace(string(interpreter)), "UV_PYTHON_DOWNLOADS=never"}
	version, err := t.version(ctx, within)
	if err != nil {
		return lockfile{}, err
	}
	if _, err := t.run(ctx, within, "lock", "--no-build", "--no-sources", "--no-progress"); err != nil {
		return lockfile{}, err
	}
	body, err := made(within, "uv.lock", npm.MaxLockBytes)
	return lockfile{"uv.lock", "uv", version, body}, err
}

// reducePyproject keeps name, version and what is asked for. Settings of tools,
// which choose indexes and sources, and the build system are left out.
func reducePyproject(b []byte) ([]byte, error) {
	m, err := python.ParseManifest(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	doc, err := stricttoml.Parse(b, python.MaxManifestBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	project, err := doc.Table("project")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	requires, err := project.Text("requires-python")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "[project]\nname = %s\nversion = %s\n", quoted(m.Name), quoted(orZero(m.Version)))
	if requires != "" {
		fmt.Fprintf(&out, "requires-python = %s\n", quoted(requires))
	}
	if err := requirements(&out, "dependencies", m.Dependencies); err != nil {
		return nil, err
	}
	for _, section := range []struct {
		name   string
		groups map[string][]python.Requirement
	}{{"project.optional-dependencies", m.Extras}, {"dependency-groups", m.Groups}} {
		fmt.Fprintf(&out, "[%s]\n", section.name)
		for _, name := range slices.Sorted(maps.Keys(section.groups)) {
			if err := requirements(&out, quoted(name), section.groups[name]); err != nil {
				return nil, err
			}
		}
	}
	return []byte(out.String()), nil
}

func requirements(out *strings.Builder, key string, list []python.Requirement) error {
	fmt.Fprintf(out, "%s = [", key)
	for _, r := range list {
		if r.URL != "" {
			return fmt.Errorf("%w: %.100q is asked for from an address; only packages of an index are resolved", ErrRefused, r.Name)
		}
		s := r.String()
		if r.Marker != "" {
			s += " ; " + r.Marker
		}
		fmt.Fprintf(out, "%s, ", quoted(s))
	}
	out.WriteString("]\n")
	return nil
}

// quoted is a TOML basic string: of printable text, JSON's and Go's are the same.
func quoted(s string) string { return strconv.Quote(s) }

func orZero(version string) string {
	if version == "" {
		return "0"
	}
	return version
}
