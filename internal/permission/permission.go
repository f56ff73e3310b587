// Package permission reads what an MCP server says that it needs: OAuth scopes,
// network destinations, files, programs, environment variables, and the classes
// of data that it handles.
//
// It is a leaf: a declaration and its text as permission scopes. It must not
// know who declares, whether it is true, or what is decided by it.
package permission

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// ErrMalformed is wrapped by every refusal; the text names the member at fault.
var ErrMalformed = errors.New("permissions")

// Bounds of a declaration.
const (
	MaxBytes = 64 << 10
	maxList  = 64
	maxTools = 256
	maxText  = 150
)

// Needs are lists of what is needed. Absent says nothing about the kind; an
// empty list says that nothing of the kind is needed.
type Needs struct {
	OAuthScopes []string `json:"oauthScopes,omitzero"` // scope-token of RFC 6749 section 3.3
	// Network destinations: host, host:port, *.domain, an IP address ([…] for
	// IPv6), or * for any.
	Network []string `json:"network,omitzero"`
	Files   []File   `json:"files,omitzero"`
	Exec    []string `json:"exec,omitzero"` // programs by name or absolute path, or * for any
	Env     []string `json:"env,omitzero"`  // names of environment variables, never values
	Data    []Data   `json:"data,omitzero"`
}

// File is a path with what is done there.
type File struct {
	Path   string `json:"path"`   // absolute, or below ~ or an argument or variable: {dir}/x
	Access string `json:"access"` // read | write | read-write
}

// Data is a class of data and the way it takes, seen from the server.
type Data struct {
	Flow           string `json:"flow"`           // inbound | outbound | bi-directional | unknown
	Classification string `json:"classification"` // the publisher's word: public, PII, credentials …
}

// Declaration is what a server needs as a whole, and by tool where that is less.
type Declaration struct {
	Needs
	Tools map[string]Needs `json:"tools,omitzero"`
}

// Parse reads a declaration strictly: unknown and repeated members, malformed
// values and lists without bound are ErrMalformed.
func Parse(raw []byte) (*Declaration, error) {
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, MaxBytes)
	}
	var d *Declaration
	if err := json.Unmarshal(raw, &d, json.RejectUnknownMembers(true)); err != nil || d == nil {
		return nil, fmt.Errorf("%w: not the JSON object that it should be", ErrMalformed)
	}
	if err := d.Needs.check(); err != nil {
		return nil, err
	}
	if len(d.Tools) > maxTools {
		return nil, fmt.Errorf("%w: more than %d tools", ErrMalformed, maxTools)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Tools)) {
		if err := d.Tools[name].check(); err != nil {
			return nil, fmt.Errorf("tools[%.80q]: %w", name, err)
		}
	}
	return d, nil
}

// Scopes writes the declaration as permission scopes, sorted, each once: what
// an approval names and what two versions are compared by. A kind that is
// declared to be empty is "kind:none"; spaces and % are written %20 and %25.
func (d *Declaration) Scopes() []string {
	if d == nil {
		return nil
	}
	all := d.Needs.Scopes()
	for _, n := range d.Tools {
		all = append(all, n.Scopes()...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	// What one tool needs, the server needs.
	return slices.DeleteFunc(all, func(s string) bool {
		kind, none := strings.CutSuffix(s, ":none")
		return none && slices.ContainsFunc(all, func(other string) bool { return other != s && strings.HasPrefix(other, kind+":") })
	})
}

// Scopes writes the needs as permission scopes.
func (n Needs) Scopes() []string {
	var out []string
	add := func(kind string, declared bool, values []string) {
		if declared && len(values) == 0 {
			out = append(out, kind+":none")
		}
		for _, v := range values {
			out = append(out, kind+":"+escape.Replace(v))
		}
	}
	add("oauth", n.OAuthScopes != nil, n.OAuthScopes)
	add("network", n.Network != nil, n.Network)
	add("files", n.Files != nil, n.Paths())
	add("exec", n.Exec != nil, n.Exec)
	add("env", n.Env != nil, n.Env)
	slices.Sort(out)
	return slices.Compact(out)
}

// Paths are the files as access:path.
func (n Needs) Paths() []string {
	out := make([]string, len(n.Files))
	for i, f := range n.Files {
		out[i] = f.Access + ":" + f.Path
	}
	return out
}

var escape = strings.NewReplacer("%", "%25", " ", "%20")
