package probe

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// DefaultRuntimes are folders and files that programs of this machine need, as
// far as they exist. Of /etc there is nothing that tells of it or of its users.
var DefaultRuntimes = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
	"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/alternatives", "/etc/ld.so.cache", "/etc/mime.types",
}

// treeAt is where the artifact stands if the launch names no folder for it.
const treeAt = "/srv/server"

// placed is a launch as it is inside.
type placed struct {
	command  []string
	dir      string
	env      []string // non-secret values
	at       string   // of the artifact's tree
	binds    []sandbox.Bind
	runtimes []string // folders inside that are no part of the artifact
	path     string   // PATH
}

// place decides where the artifact's tree stands and what its runtime is.
func (p *Prober) place(dir string, j Job) (*placed, error) {
	if len(j.Command) == 0 {
		return nil, fmt.Errorf("%w: no command", ErrLaunch)
	}
	out := &placed{dir: j.Dir, command: slices.Clone(j.Command)}
	for _, r := range append(slices.Clone(p.Runtimes), DefaultRuntimes...) {
		out.addRuntime(r)
	}
	out.path = strings.Join(append(binFolders(p.Runtimes), "/usr/local/bin", "/usr/bin", "/bin"), ":")
	single := loneExecutable(dir)
	switch {
	case slices.ContainsFunc(append(slices.Collect(maps.Values(j.Env)), append(j.Command, j.Dir)...), tree.Names):
		out.at = treeAt
	case single:
		out.at, out.command[0] = treeAt, treeAt+"/"+archive.BinaryPath
	default:
		out.at = standsAt(dir, j)
	}
	for i, a := range out.command {
		out.command[i] = tree.Locate(a, out.at)
	}
	if out.dir = tree.Locate(out.dir, out.at); out.dir == "" || !path.IsAbs(out.dir) {
		out.dir = "/"
	}
	for name, value := range j.Env {
		out.env = append(out.env, name+"="+tree.Locate(value, out.at))
	}
	if !path.IsAbs(out.at) || path.Clean(out.at) != out.at || slices.ContainsFunc(out.binds, func(b sandbox.Bind) bool { return within(out.at, b.To) || within(b.To, out.at) }) {
		return nil, fmt.Errorf("%w: its folder cannot be made inside", ErrLaunch)
	}
	out.binds = append(out.binds, sandbox.Bind{From: dir, To: out.at})
	return out, out.findProgram(dir)
}

// addRuntime shows a folder of the machine. Links such as /bin are made inside
// as they are here, since what they lead to is there.
func (p *placed) addRuntime(r string) {
	info, err := os.Lstat(r)
	if err != nil {
		return
	}
	from := r
	if info.Mode()&fs.ModeSymlink != 0 {
		if from, err = filepath.EvalSymlinks(r); err != nil || slices.ContainsFunc(p.runtimes, func(have string) bool { return within(from, have) }) {
			return
		}
	}
	if slices.ContainsFunc(p.runtimes, func(have string) bool { return within(r, have) || within(have, r) }) {
		return
	}
	p.binds = append(p.binds, sandbox.Bind{From: from, To: r})
	p.runtimes = append(p.runtimes, r)
}

func binFolders(runtimes []string) (out []string) {
	for _, r := range runtimes {
		if info, err := os.Stat(filepath.Join(r, "bin")); err == nil && info.IsDir() {
			out = append(out, filepath.Join(r, "bin"))
		}
	}
	return out
}

// loneExecutable reports an artifact that is one program.
func loneExecutable(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 1 && entries[0].Name() == archive.BinaryPath && entries[0].Type().IsRegular()
}

// standsAt finds the folder whose contents the artifact is, by what the launch
// says of it: its working folder, or the longest end of an argument that the
// artifact has too.
func standsAt(dir string, j Job) string {
	for _, arg := range j.Command {
		if !path.IsAbs(arg) || path.Clean(arg) != arg {
			continue
		}
		parts := strings.Split(strings.TrimPrefix(arg, "/"), "/")
		for i := 1; i < len(parts); i++ { // the longest end first; something stays before it
			end := filepath.Join(parts[i:]...)
			if info, err := os.Lstat(filepath.Join(dir, end)); err == nil && info.Mode().IsRegular() {
				return "/" + path.Join(parts[:i]...)
			}
		}
	}
	if clean := path.Clean(j.Dir); path.IsAbs(clean) && clean != "/" {
		return clean
	}
	return treeAt
}

// findProgram makes sure that the program exists inside. A runtime that stands
// elsewhere on the publisher's machine is looked for by its name.
func (p *placed) findProgram(dir string) error {
	name := p.command[0]
	outside := name
	if rest, ok := strings.CutPrefix(name, p.at+"/"); ok {
		outside = filepath.Join(dir, rest)
	}
	if info, err := os.Stat(outside); path.IsAbs(name) && err == nil && !info.IsDir() && (outside != name || p.visible(name)) {
		return nil
	}
	for _, folder := range strings.Split(p.path, ":") {
		candidate := path.Join(folder, path.Base(name))
		if info, err := os.Stat(candidate); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			p.command[0] = candidate
			return nil
		}
	}
	return fmt.Errorf("%w: its program is neither in the artifact nor among the runtimes of this registry", ErrLaunch)
}

func (p *placed) visible(name string) bool {
	real, err := filepath.EvalSymlinks(name)
	return err == nil && slices.ContainsFunc(p.runtimes, func(r string) bool { return within(real, r) })
}

// within reports that p is dir or lies under it.
func within(p, dir string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}
