package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/gateway/trees"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// Trees says where artifact-bound servers are started from. Without a Source
// none is.
type Trees struct {
	Dir    string
	Source trees.Source
	// Closed are files and folders that such a server is fenced off from: the
	// gateway's own. Where the system cannot do that, UnsafeRun is needed.
	Closed []string
}

var (
	// errRuntime is a program that may not be executed: it is not the approved
	// one, or not one whose code its digest says.
	errRuntime = errors.New("not an approved runtime")
)

// binder turns an approval with binding artifact into what is started.
type binder struct {
	store     *trees.Store
	closed    []string
	approvals Approvals
	complain  func(error)
}

func newBinder(c Config) (*binder, error) {
	if c.Trees.Source == nil {
		return nil, nil
	}
	store, err := trees.Open(c.Trees.Dir, c.Trees.Source)
	if err != nil {
		return nil, err
	}
	return &binder{store: store, closed: c.Trees.Closed, approvals: c.Approvals, complain: func(err error) {
		c.Logger.Error("collect trees", "error", err)
	}}, nil
}

// fenced reports whether a target is kept off what is the gateway's own.
func fenced(t upstream.Target) bool { return t.Bind != nil && confine.Fences() }

// of is the Bind of a target: the tree, read a moment ago, the program, opened
// and hashed, and the environment as approved. names are the variables that
// the approval names, with their values.
func (b *binder) of(a *approval.Approval, names []string) func(context.Context) (*upstream.Bound, error) {
	return func(ctx context.Context) (*upstream.Bound, error) {
		dir, err := b.store.Tree(ctx, a.Proven.Artifact, a.Proven.Tree)
		b.collect(a.Proven.Tree)
		if err != nil {
			return nil, err
		}
		bound := &upstream.Bound{Dir: tree.Locate(a.Launch.Dir, dir), Env: slices.Clone(names)}
		for _, arg := range a.Launch.Command {
			bound.Command = append(bound.Command, tree.Locate(arg, dir))
		}
		for _, name := range slices.Sorted(maps.Keys(a.Launch.Env)) {
			bound.Env = append(bound.Env, name+"="+tree.Locate(a.Launch.Env[name], dir))
		}
		if confine.Fences() {
			bound.Fence = confine.Fence{Closed: b.closed, Readable: []string{dir}}
		}
		bound.Program, err = openProgram(a.Launch, dir)
		return bound, err
	}
}

// collect removes the trees that no approval in force names.
func (b *binder) collect(used string) {
	if _, err := b.approvals.Find(""); !errors.Is(err, approval.ErrNotApproved) {
		return // nobody knows what is in force
	}
	keep := map[string]bool{used: true}
	for _, a := range b.approvals.All() {
		keep[a.Proven.Tree] = true
	}
	if err := b.store.Collect(func(digest string) bool { return keep[digest] }); err != nil {
		b.complain(err)
	}
}

// openProgram opens the executable of a launch and holds it to its digest: in
// the tree, which was just read, or a runtime. It is executed as it is opened
// here, so that nobody can put another one there.
func openProgram(l approval.Launch, dir string) (*os.File, error) {
	f, err := openInside(l.Command[0], dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRuntime, err)
	}
	if err := checkProgram(f, l.Runtimes); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func openInside(name, dir string) (*os.File, error) {
	below, named := strings.CutPrefix(name, tree.Root+"/")
	if !named {
		return os.Open(name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(below)
}

// checkProgram refuses scripts, whose interpreter nobody approved, and runtimes
// of another digest.
func checkProgram(f *os.File, digests []string) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", errRuntime, err)
	}
	head := make([]byte, 64)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errRuntime, err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 || !archive.IsExecutable(head[:n]) {
		return fmt.Errorf("%w: no native executable", errRuntime)
	}
	if len(digests) == 0 {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, info.Size())); err != nil {
		return fmt.Errorf("%w: %w", errRuntime, err)
	}
	if have := hex.EncodeToString(sum.Sum(nil)); !slices.Contains(digests, have) {
		return fmt.Errorf("%w: it has digest %s", errRuntime, have)
	}
	return nil
}
