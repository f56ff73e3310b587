// Package resolve locks the dependencies of projects that are published without
// a lockfile, with the tools of their ecosystems, on the publisher's machine.
//
// A tool sees a scratch copy of the manifests alone, reduced to what says which
// packages are asked for. Scripts, plug-ins and configuration of the project are
// not in it, what could run code is refused before it starts, the environment is
// trimmed, and time and output are bounded. Packages come from wherever the
// user's own configuration of the tool says.
//
// It knows tools and manifests. It must not know servers, registries of ours or
// signatures, and nothing but the command line may link it: it runs programs and
// uses the network.
package resolve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// Errors of the package.
var (
	// ErrRefused: a manifest asks for what cannot be resolved without running
	// code of strangers, or for something outside of the artifact.
	ErrRefused = errors.New("resolve: refused")
	// ErrTool: a tool is missing, failed, took too long or gave no lockfile.
	ErrTool = errors.New("resolve: no lockfile")
	// ErrNothing: the artifact has no project without a lockfile.
	ErrNothing = errors.New("resolve: nothing to resolve")
)

// DefaultTimeout is for one project with a cold cache.
const DefaultTimeout = 3 * time.Minute

// maxProjects of one artifact; each starts a program.
const maxProjects = 16

// Resolved is an artifact with the lockfiles that it lacked.
type Resolved struct {
	Packed  []byte // deterministic tar.gz, as sbom.Pack writes it
	Records []sbom.Resolution
	Notes   []string // what of the project was left out of account
}

// ecosystem resolves the projects of one kind.
type ecosystem interface {
	// projects are the folders that a lockfile has to be made for.
	projects(a *artifact) []string
	// lock makes it, in a scratch folder of its own.
	lock(ctx context.Context, a *artifact, dir, scratch string) (lockfile, error)
}

// lockfile is what a tool made.
type lockfile struct {
	name, tool, version string
	body                []byte
}

var ecosystems = []ecosystem{npmFamily{}, pythonProjects{}}

// Artifact resolves what is locked by nothing in a folder or a tar file. Its
// time is bounded by timeout, zero meaning DefaultTimeout, for each project.
func Artifact(ctx context.Context, file string, timeout time.Duration) (*Resolved, error) {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	scratch, err := scratchFolder()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	a, err := open(ctx, file, scratch)
	if err != nil {
		return nil, err
	}
	out := &Resolved{}
	made := map[string][]byte{}
	for _, eco := range ecosystems {
		for _, dir := range eco.projects(a) {
			if len(out.Records) >= maxProjects {
				return nil, fmt.Errorf("%w: more than %d projects", ErrRefused, maxProjects)
			}
			within, err := os.MkdirTemp(scratch, "project-")
			if err != nil {
				return nil, err
			}
			bounded, cancel := context.WithTimeout(ctx, timeout)
			l, err := eco.lock(bounded, a, dir, within)
			cancel()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path.Join(a.shown(dir), "."), err)
			}
			made[path.Join(dir, l.name)] = l.body
			out.Records = append(out.Records, sbom.NewResolution(a.shown(path.Join(dir, l.name)), l.tool, l.version, l.body))
		}
	}
	if len(out.Records) == 0 {
		return nil, ErrNothing
	}
	record, err := sbom.MarshalResolutions(out.Records)
	if err != nil {
		return nil, err
	}
	made[path.Join(a.base, sbom.ResolutionFile)] = record
	out.Notes = slices.Sorted(slices.Values(a.notes))
	out.Packed, err = archive.PackWith(a.dir, archive.DefaultLimits, made)
	return out, err
}

// scratchFolder is below the user's own cache: tools look for configuration in
// the folders above, and those of a shared temporary one are anybody's.
func scratchFolder() (string, error) {
	above, err := os.UserCacheDir()
	if err == nil {
		above = filepath.Join(above, "bartizan")
		err = os.MkdirAll(above, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("resolve: no folder of one's own to work in: %w", err)
	}
	return os.MkdirTemp(above, "resolve-")
}
