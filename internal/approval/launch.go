package approval

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Binding says how firmly an approval is tied to what runs.
type Binding string

// From strong to weak.
const (
	BindingArtifact Binding = "artifact" // started from a read-only tree whose digest is a subject
	BindingCommand  Binding = "command"  // argv and environment names; code not
	BindingEndpoint Binding = "endpoint" // exact URL, no redirects; code not
)

var bindingStrength = map[Binding]int{BindingEndpoint: 1, BindingCommand: 2, BindingArtifact: 3}

// Valid reports whether b is one of the three.
func (b Binding) Valid() bool { return bindingStrength[b] > 0 }

// Satisfies reports whether b is at least min. No minimum ("") is satisfied by
// any valid binding; an unknown minimum by none.
func (b Binding) Satisfies(min Binding) bool {
	if min == "" {
		return b.Valid()
	}
	return min.Valid() && bindingStrength[b] >= bindingStrength[min]
}

// Launch is the identity of a started command or of an endpoint.
type Launch struct {
	Command  []string `json:"command,omitempty"` // argv
	Dir      string   `json:"dir,omitempty"`
	EnvNames []string `json:"envNames,omitempty"` // names only; order does not matter
	URL      string   `json:"url,omitempty"`
	// Transport of URL: "" for streamable HTTP, else protocol.TransportSSE.
	Transport string `json:"transport,omitempty"`
	// For BindingArtifact: SHA-256 of the runtime's executable, and the values of
	// non-secret variables.
	Runtime string            `json:"runtime,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

// Digest is the SHA-256 of the canonical JSON of the launch identity, with the
// variable names sorted.
func (l Launch) Digest() fingerprint.Digest {
	l.EnvNames = sortedSet(l.EnvNames)
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

// loaderVariables let their setter run code in the process, so that binding
// the argv would bind nothing.
var loaderVariables = []string{
	"LD_", "DYLD_", "NODE_OPTIONS", "NODE_PATH", "NPM_CONFIG_", "PYTHON", "PERL5", "PERLLIB", "RUBYOPT", "RUBYLIB",
	"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "BASH_ENV", "ENV", "SHELLOPTS", "GCONV_PATH",
	"DOTNET_STARTUP_HOOKS", "LUA_PATH", "LUA_CPATH", "PHPRC", "PHP_INI_SCAN_DIR", "DENO_DIR", "BUN_OPTIONS",
}

func loaderVariable(name string) bool {
	n := strings.ToUpper(name)
	return slices.ContainsFunc(loaderVariables, func(v string) bool {
		return n == v || (len(v) > 3 || strings.HasSuffix(v, "_")) && strings.HasPrefix(n, v)
	})
}

// check holds a launch to what its binding promises.
func (l Launch) check(b Binding) error {
	switch b {
	case BindingEndpoint:
		if len(l.Command) > 0 || l.Dir != "" || len(l.EnvNames)+len(l.Env) > 0 || l.Runtime != "" {
			return fmt.Errorf("%w: endpoint binding with a command", ErrMalformed)
		}
		if l.Transport != "" && l.Transport != protocol.TransportSSE {
			return fmt.Errorf("%w: unknown transport", ErrMalformed)
		}
		u, err := url.Parse(l.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Fragment != "" {
			return fmt.Errorf("%w: endpoint binding needs an absolute http(s) URL without credentials or fragment", ErrMalformed)
		}
		return nil
	case BindingCommand, BindingArtifact:
	default:
		return fmt.Errorf("%w: unknown binding", ErrMalformed)
	}
	if l.URL != "" || l.Transport != "" || len(l.Command) == 0 || l.Command[0] == "" {
		return fmt.Errorf("%w: %s binding needs a command and no URL", ErrMalformed, b)
	}
	for _, n := range l.EnvNames {
		if n == "" || strings.ContainsAny(n, "=\x00") {
			return fmt.Errorf("%w: malformed environment name", ErrMalformed)
		}
	}
	if b == BindingCommand {
		if l.Runtime != "" || len(l.Env) > 0 {
			return fmt.Errorf("%w: only artifact binding holds a runtime digest or values", ErrMalformed)
		}
		return nil
	}
	if !filepath.IsAbs(l.Command[0]) || !filepath.IsAbs(l.Dir) || !isHex256(l.Runtime) {
		return fmt.Errorf("%w: artifact binding needs an absolute argv[0], an absolute dir and a runtime digest", ErrMalformed)
	}
	for _, n := range l.EnvNames {
		if loaderVariable(n) {
			return fmt.Errorf("%w: artifact binding with loader variable %s", ErrMalformed, n)
		}
	}
	for n := range l.Env {
		if n == "" || strings.ContainsAny(n, "=\x00") || loaderVariable(n) {
			return fmt.Errorf("%w: artifact binding with variable %q", ErrMalformed, n)
		}
	}
	return nil
}
