// Command build compiles every scanner under plugins/ into plugins/dist. A
// scanner is a folder with a manifest.json. It is run from the repository root:
//
//	go run ./plugins/internal/build
//
// Same source and same Go release give the same bytes, wherever the checkout is.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/plugins/internal/straighten"
)

// section is where the engine looks for the manifest (sdk/abi/ABI.md).
const section = "bartizan.manifest"

func main() {
	log.SetFlags(0)
	log.SetPrefix("plugins: ")
	manifests, err := filepath.Glob("plugins/*/manifest.json")
	if err != nil || len(manifests) == 0 {
		log.Fatal("no plugins/*/manifest.json: run this from the repository root")
	}
	for _, manifest := range manifests {
		if err := build(filepath.Dir(manifest), "plugins/dist"); err != nil {
			log.Fatal(err)
		}
	}
}

// build compiles the scanner in dir to <dist>/<name>.wasm, replacing it whole
// or not at all.
func build(dir, dist string) error {
	name := filepath.Base(dir)
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return err
	}
	compact := jsontext.Value(manifest)
	if err := compact.Compact(); err != nil {
		return fmt.Errorf("%s: manifest.json: %w", name, err)
	}
	tmp, err := os.MkdirTemp(dist, ".build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, name+".wasm")
	if err := compile(dir, out); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	if wasm, err = straighten.Module(wasm, scannerCode); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if wasm, err = wasmsection.Attach(wasm, section, compact); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := os.WriteFile(out, wasm, 0o644); err != nil {
		return err
	}
	return os.Rename(out, filepath.Join(dist, name+".wasm"))
}

// scannerCode tells the functions that a scanner spends its time in from the
// runtime's, which are entered in ways of their own.
func scannerCode(name string) bool {
	for _, prefix := range [...]string{"main.", "github.com_bartizan_mcp_bartizan_", "strings.", "slices.", "unicode."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// compile runs the standard toolchain with every input fixed that would
// otherwise leak into the module: paths, version control, link ids, the
// caller's flags.
func compile(dir, out string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared",
		"-ldflags=-w -buildid=", "-o", out, "./"+filepath.ToSlash(dir))
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
