package packages

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// npm has the client install what the lockfile says, elsewhere and without
// scripts, and takes the tarballs from its cache, where they lie by their
// digest (cacache, content-v2).
func (j *job) npm(dir string) error {
	lockfile := "package-lock.json"
	if _, err := os.Stat(filepath.Join(j.stage, "npm-shrinkwrap.json")); err == nil {
		lockfile = "npm-shrinkwrap.json"
	}
	install := filepath.Join(j.work, "install")
	if err := os.MkdirAll(install, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"package.json", lockfile} {
		if err := copyFile(filepath.Join(install, name), filepath.Join(j.stage, name)); err != nil {
			return fmt.Errorf("%w: %s is needed: %w", ErrProject, name, err)
		}
	}
	if err := copyFile(filepath.Join(install, ".npmrc"), filepath.Join(dir, ".npmrc")); err != nil && !os.IsNotExist(err) {
		return err
	}
	if _, err := j.run(install, "npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	cache, err := j.run(install, "npm", "config", "get", "cache")
	if err != nil {
		return err
	}
	// What was installed here, as npm itself wrote it down.
	raw, err := os.ReadFile(filepath.Join(install, "node_modules", ".package-lock.json"))
	if os.IsNotExist(err) {
		return j.finish(lockfile) // nothing to install
	}
	if err != nil {
		return err
	}
	var installed struct {
		Packages map[string]struct {
			Integrity string `json:"integrity"`
			Link      bool   `json:"link"`
			InBundle  bool   `json:"inBundle"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(raw, &installed); err != nil {
		return fmt.Errorf("%w: what npm installed cannot be read", ErrProject)
	}
	for _, at := range slices.Sorted(maps.Keys(installed.Packages)) {
		p := installed.Packages[at]
		if p.InBundle {
			continue // comes with the package that bundles it
		}
		if p.Link {
			return fmt.Errorf("%w: %s is a link to a folder (workspaces and file: dependencies are not)", ErrProject, at)
		}
		body, integrity, err := cached(cache, p.Integrity)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrProject, at, err)
		}
		sum := sha512.Sum512(body)
		name := hex.EncodeToString(sum[:16]) + ".tgz"
		if err := j.add(name, body, tree.Package{Path: at, Integrity: integrity, Format: tree.FormatNPM}); err != nil {
			return err
		}
	}
	return j.finish(lockfile)
}

// cached reads a tarball from the client's cache and checks it.
func cached(cache, integrity string) (body []byte, strongest string, err error) {
	i := slices.IndexFunc(strings.Fields(integrity), func(s string) bool { return strings.HasPrefix(s, "sha512-") })
	if i < 0 {
		return nil, "", fmt.Errorf("the lockfile has no SHA-512 of it")
	}
	strongest = strings.Fields(integrity)[i]
	want, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strongest, "sha512-"))
	if err != nil || len(want) != sha512.Size {
		return nil, "", fmt.Errorf("its integrity cannot be read")
	}
	name := hex.EncodeToString(want)
	body, err = os.ReadFile(filepath.Join(cache, "_cacache", "content-v2", "sha512", name[:2], name[2:4], name[4:]))
	if err != nil {
		return nil, "", fmt.Errorf("its tarball is not in npm's cache")
	}
	if sum := sha512.Sum512(body); string(sum[:]) != string(want) {
		return nil, "", fmt.Errorf("npm's cache holds other bytes")
	}
	return body, strongest, nil
}
