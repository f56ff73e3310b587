// Package mcpb reads the manifest.json of an .mcpb (formerly .dxt) bundle:
// https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md.
//
// It knows that format; it must not know archives or CycloneDX, and starts nothing.
package mcpb

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// ErrMalformed: a manifest that hosts may read differently, or none at all.
var ErrMalformed = errors.New("malformed bundle manifest")

// MaxBytes of a manifest.
const MaxBytes = 1 << 20

// Manifest is the part that matters here.
type Manifest struct {
	ServerType string // node, python, binary or uv
	EntryPoint string // clean path within the bundle; "" where the type needs none
}

var serverTypes = []string{"node", "python", "binary", "uv"}

// Parse reads a manifest. ok is false, without an error, for another program's
// manifest.json: one that has neither manifest_version nor dxt_version.
func Parse(b []byte) (m *Manifest, ok bool, err error) {
	var raw struct {
		Version string `json:"manifest_version"`
		Old     string `json:"dxt_version"`
		Server  *struct {
			Type       string `json:"type"`
			EntryPoint string `json:"entry_point"`
		} `json:"server"`
	}
	if len(b) > MaxBytes {
		return nil, false, nil
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		for _, key := range []string{`"manifest_version"`, `"dxt_version"`} {
			if strings.Contains(string(b), key) {
				return nil, true, fmt.Errorf("%w: %.200s", ErrMalformed, strings.ToValidUTF8(err.Error(), "?"))
			}
		}
		return nil, false, nil
	}
	if raw.Version == "" && raw.Old == "" {
		return nil, false, nil
	}
	if raw.Server == nil {
		return nil, true, fmt.Errorf("%w: it names no server", ErrMalformed)
	}
	m = &Manifest{ServerType: raw.Server.Type}
	if !slices.Contains(serverTypes, m.ServerType) {
		return nil, true, fmt.Errorf("%w: server type %.50q", ErrMalformed, m.ServerType)
	}
	if at := raw.Server.EntryPoint; at != "" {
		m.EntryPoint = path.Clean(at)
		if !utf8.ValidString(at) || strings.HasPrefix(at, "/") || strings.Contains(at, `\`) || m.EntryPoint == ".." || strings.HasPrefix(m.EntryPoint, "../") || len(at) > 1024 {
			return nil, true, fmt.Errorf("%w: entry point %.100q leaves the bundle", ErrMalformed, at)
		}
	} else if m.ServerType != "uv" {
		return nil, true, fmt.Errorf("%w: no entry point", ErrMalformed)
	}
	return m, true, nil
}
