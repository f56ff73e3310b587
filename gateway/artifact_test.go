package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// artifacts is a registry that keeps some.
type artifacts map[string][]byte

func (a artifacts) Artifact(_ context.Context, digest string) (io.ReadCloser, error) {
	b, ok := a[digest]
	if !ok {
		return nil, errors.New("none of that digest")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func hexOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// boundServer is a gateway that serves a Go server from its artifact.
type boundServer struct {
	*house
	approval *approval.Approval
	blobs    artifacts
	data     string // the gateway's own folder
	trees    string
}

// openBound approves the conformance server with binding artifact: one native
// executable, started from its tree, where a fence can be put up.
func openBound(t *testing.T, edit func(*Config), change func(*approval.Approval)) *boundServer {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("trees need modes of files")
	}
	binary, err := os.ReadFile(everything)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(t.TempDir(), "tree")
	t.Cleanup(func() { _ = tree.Remove(at) })
	digest, err := tree.Materialise(t.Context(), everything, at, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b := &boundServer{blobs: artifacts{hexOf(binary): binary}, data: t.TempDir()}
	b.trees = filepath.Join(b.data, "trees")
	t.Cleanup(func() { _ = tree.Remove(b.trees) })
	b.house = open(t, func(c *Config) {
		c.AutoRoutes, c.UnsafeRun = true, !confine.Fences()
		c.Trees = Trees{Dir: b.trees, Source: b.blobs, Closed: []string{b.data}}
		if edit != nil {
			edit(c)
		}
	})
	b.approval = b.approve("srv", upstream.Target{Command: []string{everything}}, func(a *approval.Approval) {
		a.Binding, a.Launch = approval.BindingArtifact, approval.Launch{Command: []string{"{tree}/artifact"}, Dir: "{tree}"}
		a.Proven = approval.Subjects{Artifact: hexOf(binary), Tree: digest}
		if change != nil {
			change(a)
		}
	})
	return b
}

func (b *boundServer) ask() reply {
	return b.call("srv", 1, "tools/call", `{"name":"test_simple_text","arguments":{}}`)
}

func (b *boundServer) answers() {
	b.t.Helper()
	if r := b.ask(); r.status != 200 || !strings.Contains(string(r.body), "simple text") {
		b.t.Errorf("%d %s", r.status, r.body)
	}
}

// restart makes the next call start a server again.
func (b *boundServer) restart() {
	b.t.Helper()
	b.local.CloseIf(func(string) bool { return true })
}

// TestArtifactBound: fetched, unpacked, checked, started, in both eras, without
// the permission that a start without a fence needs.
func TestArtifactBound(t *testing.T) {
	b := openBound(t, nil, nil)
	b.answers()
	h := b.initialize("srv")
	if r := b.raw("srv", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"test_simple_text","arguments":{}}}`, h...); r.status != 200 {
		t.Errorf("legacy: %d %s", r.status, r.body)
	}
	names, err := os.ReadDir(b.trees)
	if err != nil || len(names) != 1 || names[0].Name() != b.approval.Proven.Tree {
		t.Errorf("trees: %v %v", names, err)
	}
}

// TestTreeEditedOnDisk: between two starts somebody edits the tree.
func TestTreeEditedOnDisk(t *testing.T) {
	b := openBound(t, nil, nil)
	b.answers()
	at := filepath.Join(b.trees, b.approval.Proven.Tree)
	program := filepath.Join(at, "artifact")
	for name, attack := range map[string]func() error{
		"another program": func() error {
			return errors.Join(os.Remove(program), os.WriteFile(program, []byte("#!/bin/sh\ncat\n"), 0o555), os.Chmod(program, 0o555))
		},
		"a link to another": func() error { return errors.Join(os.Remove(program), os.Symlink("/bin/cat", program)) },
		"a file beside it":  func() error { return os.WriteFile(filepath.Join(at, "preload.so"), nil, 0o444) },
	} {
		if err := errors.Join(os.Chmod(at, 0o700), attack(), os.Chmod(at, 0o500)); err != nil {
			t.Fatal(err)
		}
		b.restart()
		if r := b.ask(); r.status != 403 || !strings.Contains(string(r.body), string(ReasonArtifactChanged)) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		b.answers() // from a fresh one
	}
}

// TestArtifactReplaced: the registry's store holds other bytes under the
// approved digest, an older approval's artifact, or none.
func TestArtifactReplaced(t *testing.T) {
	b := openBound(t, nil, nil)
	digest := b.approval.Proven.Artifact
	good := b.blobs[digest]
	b.blobs[digest] = append(bytes.Clone(good), 0)
	b.ask().refused(t, 403, ReasonArtifactChanged)
	delete(b.blobs, digest)
	b.ask().refused(t, 503, ReasonArtifactUnavailable)
	b.blobs[digest] = good
	b.answers()
	older := bytes.Replace(good, []byte("simple text"), []byte("older text!"), 1)
	b.blobs[hexOf(older)] = older
	b.approval.Proven.Artifact = hexOf(older)
	b.approval.Proven.Tree = strings.Repeat("0", 64)
	b.restart()
	b.ask().refused(t, 403, ReasonArtifactChanged)
}

// withRuntime has the artifact started by an executable outside of the tree.
func withRuntime(t *testing.T) (path string, change func(*approval.Approval)) {
	t.Helper()
	binary, err := os.ReadFile(everything)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "runtime")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return path, func(a *approval.Approval) {
		a.Launch = approval.Launch{Command: []string{path, "{tree}/artifact"}, Dir: "/", Runtimes: []string{strings.Repeat("0", 64), hexOf(binary)}}
	}
}

// TestRuntimeReplaced: the executable under the approved name is another one.
func TestRuntimeReplaced(t *testing.T) {
	path, change := withRuntime(t)
	b := openBound(t, nil, change)
	b.answers()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(body []byte) func() error {
		return func() error { return os.WriteFile(path, body, 0o755) }
	}
	for name, attack := range map[string]func() error{
		"one more byte":     write(append(bytes.Clone(good), 0)),
		"a script":          write([]byte("#!/bin/sh\nexec " + everything + "\n")),
		"a link to another": func() error { return os.Symlink("/bin/cat", path) },
		"a folder":          func() error { return os.Mkdir(path, 0o755) },
		"nothing":           func() error { return nil },
	} {
		if err := errors.Join(os.RemoveAll(path), attack()); err != nil {
			t.Fatal(err)
		}
		b.restart()
		if r := b.ask(); r.status != 403 || !strings.Contains(string(r.body), string(ReasonRuntimeChanged)) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if err := errors.Join(os.RemoveAll(path), write(good)()); err != nil {
		t.Fatal(err)
	}
	b.answers()
}

// TestSmuggledEnvironment: what the gateway itself was started with, and what
// its operator's route says, reaches the server only under approved names.
func TestSmuggledEnvironment(t *testing.T) {
	for _, name := range []string{"NODE_OPTIONS", "LD_PRELOAD_X", "PYTHONPATH", "BASH_ENV", "HOME", "SECRET"} {
		t.Setenv(name, "smuggled")
	}
	t.Setenv("TOKEN", "approved")
	b := openBound(t, nil, func(a *approval.Approval) {
		a.Launch.EnvNames = []string{"TOKEN", "UNSET"}
		a.Launch.Env = map[string]string{"MODE": "read", "DATA": "{tree}/data"}
	})
	svc, no := b.routes.resolve("srv", "default")
	if no != nil {
		t.Fatal(no)
	}
	bound, err := svc.target.Bind(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Program.Close()
	at := filepath.Join(b.trees, b.approval.Proven.Tree)
	want := &upstream.Bound{Command: []string{at + "/artifact"}, Dir: at, Env: []string{"TOKEN=approved", "DATA=" + at + "/data", "MODE=read"}}
	if confine.Fences() {
		want.Fence = confine.Fence{Closed: []string{b.data}, Readable: []string{at}}
	}
	bound.Program = nil
	if diff := cmp.Diff(want, bound); diff != "" {
		t.Error(diff)
	}
	b.answers()
}

// TestRouteOfAnArtifactBoundServer: a route may add values for approved names,
// a stronger minimum, and nothing else.
func TestRouteOfAnArtifactBoundServer(t *testing.T) {
	route := func(r Route) func(*Config) {
		r.Alias, r.Server = "srv", "io.example/srv"
		return func(c *Config) { c.Routes = []Route{r} }
	}
	named := func(a *approval.Approval) { a.Launch.EnvNames = []string{"TOKEN"} }
	b := openBound(t, route(Route{Target: upstream.Target{Env: []string{"TOKEN=mine"}}, MinBinding: approval.BindingArtifact}), named)
	b.answers()
	if svc, no := b.routes.resolve("srv", "default"); no != nil || !slices.Equal(svc.target.Env, []string{"TOKEN=mine"}) {
		t.Errorf("%v %v", svc, no)
	}
	b = openBound(t, route(Route{Target: upstream.Target{Env: []string{"NODE_OPTIONS=--require /tmp/x"}}}), named)
	b.ask().refused(t, 403, ReasonLaunchMismatch)
	b = openBound(t, route(Route{Target: upstream.Target{Command: []string{everything}}}), named)
	b.ask().refused(t, 403, ReasonLaunchMismatch)
	b = openBound(t, func(c *Config) { c.Trees = Trees{} }, nil)
	b.ask().refused(t, 503, ReasonArtifactUnavailable)

	h := open(t, nil, Route{Alias: "srv", Server: "io.example/srv", MinBinding: approval.BindingArtifact})
	h.approve("srv", upstream.Target{Command: []string{everything}})
	h.call("srv", 1, "tools/call", `{"name":"test_simple_text","arguments":{}}`).refused(t, 403, ReasonBindingTooWeak)
}
