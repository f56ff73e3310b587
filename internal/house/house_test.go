package house

import (
	"bufio"
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const module = "github.com/bartizan-mcp/bartizan"

// pkg is what `go list -json` says of one package.
type pkg struct {
	ImportPath   string
	Dir          string
	Name         string
	Doc          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(filepath.Dir(dir))
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Name,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	dec := jsontext.NewDecoder(bytes.NewReader(out))
	for dec.PeekKind() == '{' {
		var p pkg
		if err := json.UnmarshalDecode(dec, &p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// rel is an import path inside the module, or "" for somebody else's.
func rel(path string) string {
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return rest
}

func under(path string, rooms ...string) bool {
	return slices.ContainsFunc(rooms, func(room string) bool {
		return path == room || strings.HasPrefix(path, room+"/")
	})
}

// allowed is the import table: for the most specific room that a package is
// in, the rooms of ours that it may import. A room may always import itself,
// except where a row says otherwise.
var allowed = []struct {
	room string
	may  []string
}{
	{"cmd/bartizan-gateway", []string{"cmd/internal", "gateway", "engine", "plugins", "registry/client", "internal"}},
	{"cmd/internal/gatewaycmd", []string{"cmd/internal", "gateway", "engine", "plugins", "registry/client", "internal"}},
	{"cmd/internal/gatewayrun", []string{"cmd/internal", "gateway", "engine", "plugins", "registry/client", "internal"}},
	{"cmd/internal/distribution", []string{"engine", "internal"}},
	{"cmd/internal/clients", []string{"internal"}},
	{"cmd/internal/bridge", []string{"internal"}},
	{"cmd/train", []string{"plugins/train", "internal"}},
	{"cmd", []string{"cmd", "gateway", "engine", "plugins", "registry", "sbom", "sdk", "internal"}},
	{"engine", []string{"engine", "internal"}},
	{"plugins/internal/build", []string{"internal/wasmsection", "plugins/internal/straighten"}},
	{"plugins/internal/straighten", []string{"internal/wasmsection"}},
	{"plugins/train", []string{"plugins/textmodel", "engine/message", "engine/normalise", "internal"}},
	{"plugins", []string{"plugins/textmodel", "plugins/overreach", "plugins/literal", "plugins/swar", "sdk/go"}},
	{"sdk/tck", []string{"engine"}},
	{"sdk/examples", []string{"sdk/go"}},
	{"sdk/rulepack", []string{"engine", "internal"}},
	{"sdk/scaffold", []string{"sdk"}},
	{"sdk", nil},
	{"sbom", []string{"sbom", "internal"}},
	{"registry/client", []string{"internal"}},
	{"registry", []string{"registry", "engine", "sbom", "internal"}},
	{"gateway", []string{"gateway", "engine", "internal"}},
	{"internal", []string{"internal"}},
}

func TestImportTable(t *testing.T) {
	packages := list(t)
	if len(packages) < 15 {
		t.Fatalf("go list saw only %d packages", len(packages))
	}
	for _, p := range packages {
		self := rel(p.ImportPath)
		row := slices.IndexFunc(allowed, func(r struct {
			room string
			may  []string
		}) bool {
			return under(self, r.room)
		})
		if row < 0 {
			t.Errorf("%s is in no room of ARCHITECTURE.md", self)
			continue
		}
		for _, imp := range p.Imports {
			if ours := rel(imp); ours != "" && !under(ours, allowed[row].may...) {
				t.Errorf("%s imports %s; %s may import only %v", self, ours, allowed[row].room, allowed[row].may)
			}
		}
	}
}

// TestSDKIsStandardLibraryOnly keeps an author's download at one small zip.
func TestSDKIsStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t) {
		if !under(rel(p.ImportPath), "sdk/go") {
			continue
		}
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") && !under(rel(imp), "sdk/go") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// TestOneHomePerDependency keeps the heavy libraries behind one door each.
func TestOneHomePerDependency(t *testing.T) {
	homes := map[string][]string{
		"github.com/gin-gonic/gin":    {"registry/api"},
		"github.com/anchore/syft":     {"sbom"},
		"github.com/tetratelabs/":     {"engine"},
		"github.com/sigstore/":        {"internal/attest"},
		"modernc.org/sqlite":          {"internal/store"},
		"github.com/pressly/goose":    {"internal/store"},
		"github.com/CycloneDX/":       {"sbom"},
		"github.com/spf13/cobra":      {"cmd"},
		"github.com/goccy/go-yaml":    {"internal/strictyaml"},
		"go.yaml.in/yaml":             {"sbom/lockyaml"},
		"github.com/gowebpki/jcs":     nil, // a reference for tests
		"github.com/stretchr/":        nil,
		"encoding/json":               {"sdk", "plugins/internal/cases"}, // standard library only; they read what we wrote
		"golang.org/x/text/unicode/":  {"engine/normalise"},
		"github.com/prometheus/":      {"cmd/internal/metrics"},
		"go.opentelemetry.io/":        {"gateway/trace", "cmd/internal/tracing"},
		"github.com/tailscale/hujson": {"cmd/internal/clients"},
		"github.com/pelletier/":       {"cmd/internal/clients"},
		"oras.land/":                  {"cmd/internal/distribution"},
		"github.com/go-jose/":         {"registry/ownership"},
		"github.com/opencontainers/":  {"cmd/internal/distribution"},
	}
	for _, p := range list(t) {
		self := rel(p.ImportPath)
		for _, imp := range p.Imports {
			for prefix, home := range homes {
				if strings.HasPrefix(imp, prefix) && !under(self, home...) {
					t.Errorf("%s imports %s, whose home is %v", self, imp, home)
				}
			}
		}
	}
}

// TestSmallGatewayLinks proves over all dependencies that the data-plane
// binary carries neither the SBOM machinery nor a web framework.
func TestSmallGatewayLinks(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/bartizan-gateway")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps: %v", err)
	}
	scan := bufio.NewScanner(bytes.NewReader(out))
	seen := 0
	for scan.Scan() {
		seen++
		for _, banned := range []string{"github.com/anchore/syft", "github.com/gin-gonic/gin", "modernc.org/sqlite", "oras.land/", module + "/sbom", module + "/registry/api"} {
			if strings.HasPrefix(scan.Text(), banned) {
				t.Errorf("bartizan-gateway links %s", scan.Text())
			}
		}
		if scan.Text() == module+"/registry" {
			t.Error("bartizan-gateway links the registry")
		}
	}
	if seen < 100 {
		t.Fatalf("go list -deps saw only %d packages", seen)
	}
}

// TestPackages holds the rules that every package obeys: a package comment,
// a name that says what it holds, and files with one reason to be opened.
func TestPackages(t *testing.T) {
	banned := []string{"util", "utils", "common", "helpers", "helper", "types", "core", "manager", "misc"}
	for _, p := range list(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if slices.Contains(banned, p.Name) || slices.Contains(banned, filepath.Base(p.Dir)) {
			t.Errorf("%s: banned package name", p.ImportPath)
		}
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			body, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if lines := bytes.Count(body, []byte("\n")); lines > 800 {
				t.Errorf("%s/%s has %d lines; no file has over 800", rel(p.ImportPath), name, lines)
			}
		}
	}
}

// TestInterfacesAreSmall refuses an interface of more than three methods.
func TestInterfacesAreSmall(t *testing.T) {
	for _, p := range list(t) {
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for typeName, methods := range interfaces(file) {
				if methods > 3 {
					t.Errorf("%s.%s has %d methods; at most three", rel(p.ImportPath), typeName, methods)
				}
			}
		}
	}
}
