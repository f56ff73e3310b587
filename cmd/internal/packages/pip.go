package packages

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// Site is the folder of the tree that wheels are unpacked into, and that
// python is started with: python -I -S {tree}/site MODULE.
const Site = "site"

// launcher makes the folder one that python runs, as the module that its first
// argument names.
const launcher = `import runpy
import sys

module = sys.argv.pop(1)
runpy.run_module(module, run_name="__main__", alter_sys=True)
`

const requirements = "requirements.txt"

// pip has the client download the wheels that requirements.txt has hashes of,
// for the interpreter here. A source distribution would run its setup.py: there
// are none.
func (j *job) pip() error {
	if _, err := os.Stat(filepath.Join(j.stage, requirements)); err != nil {
		return fmt.Errorf("%w: %s is needed: %w", ErrProject, requirements, err)
	}
	wheels := filepath.Join(j.work, "wheels")
	if _, err := j.run(j.stage, "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
		"--require-hashes", "--only-binary", ":all:", "--dest", wheels, "--requirement", requirements); err != nil {
		return err
	}
	found, err := os.ReadDir(wheels)
	if err != nil {
		return err
	}
	for _, w := range found {
		if !strings.HasSuffix(w.Name(), ".whl") {
			return fmt.Errorf("%w: %s is no wheel", ErrProject, w.Name())
		}
		body, err := os.ReadFile(filepath.Join(wheels, w.Name()))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		p := tree.Package{Path: Site, Integrity: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), Format: tree.FormatWheel}
		if err := j.add(w.Name(), body, p); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(j.stage, Site), 0o755); err != nil {
		return err
	}
	main := filepath.Join(j.stage, Site, "__main__.py")
	if _, err := os.Stat(main); os.IsNotExist(err) {
		if err := os.WriteFile(main, []byte(launcher), 0o644); err != nil {
			return err
		}
	}
	return j.finish(requirements)
}
