package approval

import (
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// Launch is the identity of a started command or of an endpoint.
type Launch struct {
	Command  []string `json:"command,omitempty"` // argv
	Dir      string   `json:"dir,omitempty"`
	EnvNames []string `json:"envNames,omitempty"` // names only; order does not matter
	URL      string   `json:"url,omitempty"`
	// Transport of URL: "" for streamable HTTP, else protocol.TransportSSE.
	Transport string `json:"transport,omitempty"`
	// Pin is who must answer at URL, beside the usual checks of TLS: "sha256:" and
	// the hex SHA-256 of a public key (SPKI) of its chain, or a SPIFFE id.
	Pin string `json:"pin,omitempty"`
	// For BindingArtifact, where tree.Root stands for the folder of the tree:
	// SHA-256 of the executables that Command[0] may be if it is not in the tree,
	// and the values of non-secret variables.
	Runtimes []string          `json:"runtimes,omitempty"` // order does not matter
	Env      map[string]string `json:"env,omitempty"`
}

// Digest is the SHA-256 of the canonical JSON of the launch identity, with what
// has no order of its own sorted.
func (l Launch) Digest() fingerprint.Digest {
	l.EnvNames = sortedSet(l.EnvNames)
	l.Runtimes = sortedSet(l.Runtimes)
	d, err := canonicalDigest(l)
	if err != nil {
		// A struct of strings with valid UTF-8 always encodes; with invalid UTF-8
		// it never equals an approved one.
		return fingerprint.Digest{}
	}
	return d
}

// Equal reports whether two launches are the same identity.
func (l Launch) Equal(o Launch) bool {
	a, b := l.Digest(), o.Digest()
	return a == b && a != fingerprint.Digest{}
}

// Check holds a launch to what its binding promises.
func (l Launch) Check(b Binding) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s binding: "+format, append([]any{ErrMalformed, b}, args...)...)
	}
	switch b {
	case BindingEndpoint:
		return l.checkEndpoint(bad)
	case BindingCommand, BindingArtifact:
	default:
		return fmt.Errorf("%w: unknown binding", ErrMalformed)
	}
	if l.URL != "" || l.Transport != "" || l.Pin != "" || len(l.Command) == 0 || l.Command[0] == "" {
		return bad("a command and no URL, transport or pin is needed")
	}
	if err := l.checkEnvironment(bad); err != nil {
		return err
	}
	if b == BindingArtifact {
		return l.checkArtifact(bad)
	}
	if len(l.Runtimes) > 0 || len(l.Env) > 0 {
		return bad("only artifact binding holds runtime digests or values")
	}
	if slices.ContainsFunc(append(slices.Clone(l.Command), l.Dir), tree.Names) {
		return bad("only artifact binding has a tree")
	}
	return nil
}

type complain func(format string, args ...any) error

var pinPattern = regexp.MustCompile(`\A(sha256:[0-9a-f]{64}|spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)+)\z`)

func (l Launch) checkEndpoint(bad complain) error {
	if len(l.Command) > 0 || l.Dir != "" || len(l.EnvNames)+len(l.Env)+len(l.Runtimes) > 0 {
		return bad("with a command")
	}
	if l.Transport != "" && l.Transport != protocol.TransportSSE {
		return bad("unknown transport")
	}
	u, err := url.Parse(l.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Fragment != "" {
		return bad("an absolute http(s) URL without credentials or fragment is needed")
	}
	if l.Pin != "" && (u.Scheme != "https" || !pinPattern.MatchString(l.Pin)) {
		return bad("a pin is sha256:HEX of a public key or a SPIFFE id, of an https URL")
	}
	return nil
}

func (l Launch) checkEnvironment(bad complain) error {
	names := slices.Clone(l.EnvNames)
	for n, value := range l.Env {
		if slices.Contains(l.EnvNames, n) {
			return bad("variable %q has a value and has none", n)
		}
		if strings.ContainsRune(value, 0) {
			return bad("value of variable %q", n)
		}
		names = append(names, n)
	}
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, "=\x00") {
			return bad("malformed environment name")
		}
		if why, refused := LoaderVariable(n); refused {
			return bad("variable %q: %s", n, why)
		}
	}
	return nil
}

const maxRuntimes = 16

// checkArtifact holds argv, folder and values to what a tree can bind: the
// program is in it, or is a runtime that is known by its digest and gets its
// code from the tree.
func (l Launch) checkArtifact(bad complain) error {
	for _, s := range slices.Concat(l.Command, []string{l.Dir}, slices.Collect(maps.Values(l.Env))) {
		if below, named := strings.CutPrefix(s, tree.Root+"/"); named && (!fs.ValidPath(below) || below == ".") {
			return bad("%q is no clean path inside the tree", s)
		}
	}
	if !tree.Names(l.Dir) && !absolute(l.Dir) {
		return bad("the working folder is neither in the tree nor absolute")
	}
	if strings.HasPrefix(l.Command[0], tree.Root+"/") {
		if len(l.Runtimes) > 0 {
			return bad("a program in the tree has no runtime digest")
		}
		return nil
	}
	if !absolute(l.Command[0]) || len(l.Runtimes) == 0 || len(l.Runtimes) > maxRuntimes ||
		slices.ContainsFunc(l.Runtimes, func(d string) bool { return !isHex256(d) }) {
		return bad("command[0] is in the tree, or absolute with 1 to %d runtime digests", maxRuntimes)
	}
	return l.checkRuntimeArguments(bad)
}

// option is one that names no code: without a value, or with a number.
var option = regexp.MustCompile(`\A(-[A-Za-z]|-jar|--[a-z][a-z0-9-]*(=[0-9]+)?)\z`)

// checkRuntimeArguments wants a runtime's code to come from the tree: what
// stands before the first argument that names it are options that load nothing.
func (l Launch) checkRuntimeArguments(bad complain) error {
	first := slices.IndexFunc(l.Command, tree.Names)
	if first < 0 {
		return bad("no argument names the tree")
	}
	options := l.Command[1:first]
	for _, o := range options {
		if !option.MatchString(o) || strings.HasPrefix(o, "--inspect") {
			return bad("%q before the first argument that names the tree may load other code", o)
		}
	}
	if name := path.Base(l.Command[0]); (strings.HasPrefix(name, "python") || strings.HasPrefix(name, "pypy")) && !slices.Contains(options, "-I") {
		return bad("without -I Python loads the user's own packages")
	}
	return nil
}

func absolute(p string) bool { return filepath.IsAbs(p) && filepath.Clean(p) == p }
