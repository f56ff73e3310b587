package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ResolutionFile says, at the top of an artifact, which of its lockfiles the
// publisher's tool made for the publication: the authors of the project did not
// write them. It is the publisher's word, like everything in the artifact.
const ResolutionFile = "bartizan-resolved.json"

const (
	maxResolutionBytes = 64 << 10
	maxResolutions     = 64
)

// Resolution is one lockfile that was resolved for the publication.
type Resolution struct {
	Lockfile string `json:"lockfile"` // path, below the top of the artifact
	Tool     string `json:"tool"`
	Version  string `json:"version"` // of the tool
	SHA256   string `json:"sha256"`  // of the lockfile, lower-case hex
}

type resolutions struct {
	Resolved []Resolution `json:"resolved"`
}

// NewResolution describes a lockfile.
func NewResolution(lockfile, tool, version string, body []byte) Resolution {
	sum := sha256.Sum256(body)
	return Resolution{lockfile, tool, version, hex.EncodeToString(sum[:])}
}

// String is the resolution as documents and checklists state it.
func (r Resolution) String() string { return r.Lockfile + " by " + r.Tool + " " + r.Version }

// MarshalResolutions writes a ResolutionFile.
func MarshalResolutions(list []Resolution) ([]byte, error) {
	return json.Marshal(resolutions{list}, jsontext.WithIndent("  "))
}

func parseResolutions(b []byte) ([]Resolution, error) {
	var file resolutions
	if err := json.Unmarshal(b, &file, json.RejectUnknownMembers(true)); err != nil || len(file.Resolved) > maxResolutions {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, ResolutionFile)
	}
	for _, r := range file.Resolved {
		if path.Clean(r.Lockfile) != r.Lockfile || len(r.Lockfile) > 1024 || !toolName.MatchString(r.Tool) || !toolVersion.MatchString(r.Version) {
			return nil, fmt.Errorf("%w: %s: %.100q", ErrMalformed, ResolutionFile, r.Lockfile)
		}
	}
	return file.Resolved, nil
}

var (
	toolName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	toolVersion = regexp.MustCompile(`^[0-9A-Za-z.+-]{1,64}$`)
)

// resolved checks the resolutions against the lockfiles that are there.
func (g *graph) resolved() []Resolution {
	at := path.Join(g.base(), ResolutionFile)
	var out []Resolution
	for _, r := range g.st.resolutions[g.base()] {
		if g.st.sums[path.Join(g.base(), r.Lockfile)] != r.SHA256 {
			g.gap(at, "names a lockfile that is not the one in the artifact")
			continue
		}
		out = append(out, r)
	}
	return out
}

// Resolved lists the lockfiles that the publisher's tool made for the
// publication, each with the tool.
func (d *Document) Resolved() []string {
	var out []string
	if d.bom.Metadata != nil {
		for p := range each(d.bom.Metadata.Properties) {
			if p.Name == propResolved {
				out = append(out, p.Value)
			}
		}
	}
	return out
}
