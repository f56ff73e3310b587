package tree

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// reserved is the folder of an artifact that is about its packages and no part
// of the tree.
const reserved = ".bartizan"

// Names inside an artifact.
const (
	ManifestPath   = reserved + "/tree.json"
	PackagesFolder = reserved + "/packages"
)

// Formats of a Package.
const (
	FormatNPM   = "npm"   // a tarball as registries of npm packages serve it
	FormatWheel = "wheel" // PEP 427
)

const (
	manifestVersion = 1
	maxManifest     = 8 << 20
	maxLockfile     = 64 << 20
	maxPackages     = 20_000
)

// Manifest says which packages an artifact brings along, and which lockfile
// knows them.
type Manifest struct {
	Version  int       `json:"version"`
	Lockfile string    `json:"lockfile"` // a file of the artifact
	Packages []Package `json:"packages"`
}

// Package is one archive and the folder that it is unpacked into.
type Package struct {
	Path      string `json:"path"`
	Archive   string `json:"archive"`   // a file below PackagesFolder
	Integrity string `json:"integrity"` // W3C Subresource Integrity: sha512- or sha256-, then base64
	Format    string `json:"format"`
}

// NewManifest is one of the present version.
func NewManifest(lockfile string, packages []Package) Manifest {
	return Manifest{Version: manifestVersion, Lockfile: lockfile, Packages: packages}
}

func parseManifest(raw []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(raw, &m, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: it cannot be read", ErrManifest)
	}
	switch {
	case m.Version != manifestVersion:
		return nil, fmt.Errorf("%w: version %d", ErrManifest, m.Version)
	case len(m.Packages) > maxPackages:
		return nil, fmt.Errorf("%w: more than %d packages", ErrManifest, maxPackages)
	case !usable(m.Lockfile):
		return nil, fmt.Errorf("%w: lockfile %q", ErrManifest, m.Lockfile)
	}
	for _, p := range m.Packages {
		if !usable(p.Path) || path.Dir(p.Archive) != PackagesFolder || !fs.ValidPath(p.Archive) {
			return nil, fmt.Errorf("%w: package %q in %q", ErrManifest, p.Path, p.Archive)
		}
		if p.Format != FormatNPM && p.Format != FormatWheel {
			return nil, fmt.Errorf("%w: format %q", ErrManifest, p.Format)
		}
	}
	return &m, nil
}

// usable reports whether a path lies inside the tree.
func usable(p string) bool {
	return fs.ValidPath(p) && p != "." && p != reserved && !strings.HasPrefix(p, reserved+"/")
}

// integrity is a digest as lockfiles write it.
type integrity struct {
	algorithm string
	sum       string
}

func parseIntegrity(s string) (integrity, bool) {
	algorithm, encoded, _ := strings.Cut(s, "-")
	sum, err := base64.StdEncoding.Strict().DecodeString(encoded)
	size := map[string]int{"sha256": sha256.Size, "sha512": sha512.Size}[algorithm]
	return integrity{algorithm, string(sum)}, err == nil && size > 0 && len(sum) == size
}

// lock knows the digests that a lockfile allows.
type lock struct {
	dir  string
	npm  map[string]string // integrity by path below dir
	text string
}

// parseLock reads a lockfile: npm's by its structure, any other as a text that
// holds digests in hexadecimal (requirements.txt, uv.lock, poetry.lock, pylock.toml).
func parseLock(name string, raw []byte) (*lock, error) {
	l := &lock{dir: path.Dir(name), text: string(raw)}
	switch path.Base(name) {
	case "package-lock.json", "npm-shrinkwrap.json":
	default:
		return l, nil
	}
	var doc struct {
		Packages map[string]struct {
			Integrity string `json:"integrity"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("%w: lockfile %q cannot be read", ErrManifest, name)
	}
	l.npm = map[string]string{}
	for at, p := range doc.Packages {
		l.npm[at] = p.Integrity
	}
	return l, nil
}

// allows reports whether the lockfile knows the package by this digest: at its
// very path for npm, anywhere for wheels.
func (l *lock) allows(p Package, want integrity) bool {
	if p.Format == FormatWheel {
		return l.npm == nil && want.algorithm == "sha256" && l.holds(hex.EncodeToString([]byte(want.sum)))
	}
	at := p.Path
	if l.dir != "." {
		var below bool
		if at, below = strings.CutPrefix(p.Path, l.dir+"/"); !below {
			return false
		}
	}
	return slices.ContainsFunc(strings.Fields(l.npm[at]), func(s string) bool {
		allowed, ok := parseIntegrity(s)
		return ok && allowed == want
	})
}

// holds finds a digest that is no part of a longer one.
func (l *lock) holds(digest string) bool {
	for rest := l.text; ; {
		i := strings.Index(rest, digest)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(digest):]
		if !hexAt(before, len(before)-1) && !hexAt(after, 0) {
			return true
		}
		rest = rest[i+1:]
	}
}

func hexAt(s string, i int) bool {
	return i >= 0 && i < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[i]) >= 0
}
