package sbom

import (
	"errors"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/lockyaml"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
	"github.com/bartizan-mcp/bartizan/sbom/pnpm"
	"github.com/bartizan-mcp/bartizan/sbom/yarn"
)

// npmLocks are the lockfiles of npm and of the other clients of its registry,
// in the order in which they are listed. npm itself prefers the shrinkwrap.
var npmLocks = []struct {
	name  string
	limit int64
	parse func(b []byte, manifests map[string]*npm.Manifest) (*npm.Lock, error)
}{
	{"npm-shrinkwrap.json", npm.MaxLockBytes, parseNPM},
	{"package-lock.json", npm.MaxLockBytes, parseNPM},
	{"pnpm-lock.yaml", lockyaml.MaxBytes, func(b []byte, _ map[string]*npm.Manifest) (*npm.Lock, error) { return pnpm.Parse(b) }},
	{"yarn.lock", npm.MaxLockBytes, yarn.Parse},
}

func parseNPM(b []byte, _ map[string]*npm.Manifest) (*npm.Lock, error) { return npm.ParseLock(b) }

// lockfiles reads what one project is locked by, once every package.json is known.
func (s *stage) lockfiles(dir string, p *npmProject) error {
	staged := false
	for _, kind := range npmLocks {
		b, ok := p.raw[kind.name]
		if !ok {
			continue
		}
		at := path.Join(dir, kind.name)
		lock, err := kind.parse(b, s.manifestsBelow(dir))
		if errors.Is(err, npm.ErrVersion) {
			s.gap(at, "has a lockfileVersion that is not read")
			continue
		}
		if err != nil {
			return npmError(at, err)
		}
		p.locks = append(p.locks, npmLock{lock, kind.name})
		if lock.Version != 0 && !staged { // syft knows npm's by one name only
			staged = true
			if err := s.put(path.Join(dir, "package-lock.json"), b); err != nil {
				return err
			}
		}
	}
	p.raw = nil
	return nil
}

// manifestsBelow are the package.json files of a project and of the folders in
// it, by their path within it, "" for its own.
func (s *stage) manifestsBelow(dir string) map[string]*npm.Manifest {
	out := map[string]*npm.Manifest{}
	for at, p := range s.npm {
		if p.manifest == nil {
			continue
		}
		switch within, ok := strings.CutPrefix(at, dir+"/"); {
		case at == dir:
			out[""] = p.manifest
		case dir == ".":
			out[at] = p.manifest
		case ok:
			out[within] = p.manifest
		}
	}
	return out
}
