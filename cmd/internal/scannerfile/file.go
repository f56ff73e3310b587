// Package scannerfile reads scanner.yaml: what a scanner says about itself, as
// sdk/abi/manifest.schema.json has it but in YAML, and how it is built. It runs
// nothing and knows no toolchain.
package scannerfile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/strictyaml"
	"github.com/bartizan-mcp/bartizan/sdk/rulepack"
)

// Name is what the file is called in a scanner's folder.
const Name = "scanner.yaml"

// ErrInvalid means that the file is none of a scanner. What it wraps says why.
var ErrInvalid = errors.New("scanner.yaml")

// File is a scanner.yaml. Of the manifest abi, form and call may be left out:
// they are 1, reactor and always.
type File struct {
	engine.Manifest
	Build Build `json:"build,omitzero"`

	// Pack is set where the file is a rule pack: it makes the module itself.
	Pack *rulepack.Pack `json:"-"`
}

// Build says how the module comes about.
type Build struct {
	// Language picks the commands and the module's place that are usual for it.
	Language string `json:"language,omitzero"`
	// Command are the words of the one command to run instead, in the folder.
	Command []string `json:"command,omitzero"`
	// Module is what the command writes, relative to the folder.
	Module string `json:"module,omitzero"`
	// Toolchain is a command that ends well where the compiler is there, and
	// otherwise says what to install.
	Toolchain []string `json:"toolchain,omitzero"`
	// Script is placed in Template, a module that interprets it, instead of all
	// that. Both are relative to the folder.
	Script   string `json:"script,omitzero"`
	Template string `json:"template,omitzero"`
}

// Parse reads a scanner.yaml. Errors wrap ErrInvalid and name a line where
// there is one to name.
func Parse(b []byte) (File, error) {
	if isPack(b) {
		p, err := rulepack.Parse(b)
		if err != nil {
			return File{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return File{Manifest: p.Manifest(), Build: Build{Language: rulepack.Language}, Pack: p}, nil
	}
	f := File{Manifest: engine.Manifest{ABI: engine.ABI, Form: engine.FormReactor, Call: engine.CallAlways}}
	if err := strictyaml.Unmarshal(b, &f); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := f.ManifestJSON(); err != nil {
		var m *engine.ManifestError
		if errors.As(err, &m) {
			err = strictyaml.At(b, m.At, m.Problem)
		}
		return File{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := f.Build.check(); err != nil {
		return File{}, fmt.Errorf("%w: build: %w", ErrInvalid, err)
	}
	return f, nil
}

// isPack tells a rule pack, whose rules are other than a manifest's.
func isPack(b []byte) bool {
	var doc map[string]any
	if err := strictyaml.Unmarshal(b, &doc); err != nil {
		return false // which is said when it is read as what it ought to be
	}
	build, _ := doc["build"].(map[string]any)
	return build["language"] == rulepack.Language
}

// ManifestJSON returns the manifest as a module holds it. Same content, same
// bytes.
func (f *File) ManifestJSON() ([]byte, error) {
	body, err := json.Marshal(f.Manifest, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	_, err = engine.ParseManifest(body)
	return body, err
}

// IsYAML tells a manifest in YAML from one in JSON by the name of its file.
func IsYAML(name string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name))
}

func (b *Build) check() error {
	switch {
	case (b.Script == "") != (b.Template == ""):
		return errors.New("script and template: the one goes into the other")
	case b.Script != "" && (b.Language != "" || len(b.Command) > 0 || b.Module != ""):
		return errors.New("script: it is not compiled, by neither language nor command")
	case len(b.Command) > 0 && b.Module == "":
		return errors.New("module: where does the command write it?")
	case len(b.Command) > 0 && b.Command[0] == "" || len(b.Toolchain) > 0 && b.Toolchain[0] == "":
		return errors.New("command, toolchain: the program has no name")
	case b.Module != "" && !filepath.IsLocal(filepath.FromSlash(b.Module)):
		return fmt.Errorf("module: %q leads out of the folder", b.Module)
	}
	for _, word := range slices.Concat(b.Command, b.Toolchain) {
		if bytes.IndexByte([]byte(word), 0) >= 0 {
			return errors.New("command: a NUL in it")
		}
	}
	return nil
}
