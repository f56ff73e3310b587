// Package serverjson reads server.json, the description of an MCP server that
// its publisher writes (official schema 2025-12-11).
//
// It reads strictly and within bounds, and reports every problem at once. It
// must not know storage, states or what happens to the document: the bytes are
// kept and served as they came.
package serverjson

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/permission"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Schema is the URI of the schema that this package reads.
const Schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

// MaxBytes and maxDepth bound a document.
const (
	MaxBytes = 256 << 10
	maxDepth = 24
)

// ErrInvalid is a document that breaks the schema or one of the stricter rules
// of this registry; the error is a Problems.
var ErrInvalid = errors.New("server.json is not valid")

// Problem is one thing wrong with a document.
type Problem struct {
	Pointer string `json:"pointer"` // RFC 6901
	Message string `json:"message"`
}

// Problems is every problem of a document. It wraps ErrInvalid.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = fmt.Sprintf("%s: %s", or(problem.Pointer, "document"), problem.Message)
	}
	return ErrInvalid.Error() + ": " + strings.Join(lines, "; ")
}

func (p Problems) Unwrap() error { return ErrInvalid }

// Document is what the registry needs to know of a server.json.
type Document struct {
	Name, Version, Title, Description string
	WebsiteURL                        string
	Repository                        *Repository
	Packages                          []Package
	Remotes                           []Remote
	// ScannerBindings are asked for under our name in the publisher's metadata.
	ScannerBindings []approval.ScannerBinding
	// Permissions are declared there too; nil: nothing is declared.
	Permissions *permission.Declaration
}

// Repository is where the source lives.
type Repository struct{ URL, Source string }

// Package is one way to install the server.
type Package struct {
	RegistryType, Identifier, Version, SHA256 string
	Transport                                 string
	Environment                               []Input
	Arguments                                 []Input // runtime and package arguments
}

// Types of a remote.
const (
	TypeHTTP = "streamable-http"
	TypeSSE  = protocol.TransportSSE
)

// Remote is one endpoint of the server.
type Remote struct {
	Type, URL string
	Headers   []Input
}

// Input is an environment variable, header or argument.
type Input struct {
	Name, Value, Default string
	Secret               bool
}

// Namespace is the part of the name before the slash.
func (d *Document) Namespace() string {
	ns, _, _ := strings.Cut(d.Name, "/")
	return ns
}

// Endpoint is the first streamable HTTP remote whose URL has no variables, else
// the first one over the deprecated HTTP+SSE.
func (d *Document) Endpoint() (Remote, bool) {
	for _, transport := range []string{TypeHTTP, TypeSSE} {
		for _, r := range d.Remotes {
			if r.Type == transport && !strings.ContainsAny(r.URL, "{}") {
				return r, true
			}
		}
	}
	return Remote{}, false
}

// EnvNames are the environment variables that the packages declare.
func (d *Document) EnvNames() []string {
	var names []string
	for _, p := range d.Packages {
		for _, in := range p.Environment {
			names = append(names, in.Name)
		}
	}
	return names
}

var (
	namePattern      = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)+/[a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?$`)
	namespacePattern = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)+$`)
	semverPattern    = regexp.MustCompile(`^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:[-+][0-9A-Za-z.+-]+)?$`)
	sha256Pattern    = regexp.MustCompile(`^[a-f0-9]{64}$`)
	urlTemplate      = regexp.MustCompile(`^(https?://[^\s]+|\{[a-zA-Z_][a-zA-Z0-9_]*\}[^\s]*)$`)
	envPattern       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	headerPattern    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")
)

// ValidName reports whether s is a server name: reverse-DNS namespace, one
// slash, name.
func ValidName(s string) bool {
	return len(s) <= 200 && namePattern.MatchString(s) && !strings.Contains(s, "..")
}

// ValidNamespace reports whether s is the namespace of a server name.
func ValidNamespace(s string) bool { return len(s) <= 190 && namespacePattern.MatchString(s) }

// ValidVersion reports whether s is one semantic version (2.0.0), no range.
func ValidVersion(s string) bool {
	return len(s) <= 255 && semverPattern.MatchString(s) && semver.IsValid("v"+s)
}

// Newer compares versions by semantic version precedence.
func Newer(a, b string) bool { return semver.Compare("v"+a, "v"+b) > 0 }

func absoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && u.Opaque == "" && u.Host != "" && u.User == nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
