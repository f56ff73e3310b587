package sbom

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// brought is an artifact with one package in an archive of its own, which the
// lockfile allows, whatever it says of it.
type brought struct {
	lockfile, locked string // %s is the digest
	format, at       string
	body             []byte
}

func (b brought) file(t *testing.T) string {
	t.Helper()
	integrity, allowed := "", ""
	if b.format == tree.FormatNPM {
		sum := sha512.Sum512(b.body)
		integrity = "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
		allowed = integrity
	} else {
		sum := sha256.Sum256(b.body)
		integrity, allowed = "sha256-"+base64.StdEncoding.EncodeToString(sum[:]), hex.EncodeToString(sum[:])
	}
	archived := tree.PackagesFolder + "/0.tgz"
	if b.format == tree.FormatWheel {
		archived = tree.PackagesFolder + "/0.whl"
	}
	manifest, err := json.Marshal(tree.NewManifest(b.lockfile, []tree.Package{{Path: b.at, Archive: archived, Integrity: integrity, Format: b.format}}))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "artifact")
	writeZip(t, file, map[string]string{
		"package.json": `{"name":"server","version":"1.0.0","dependencies":{"dep":"2.0.0"}}`,
		b.lockfile:     fmt.Sprintf(b.locked, allowed), tree.ManifestPath: string(manifest), archived: string(b.body),
	})
	return file
}

func npmTarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	tw := tar.NewWriter(gz)
	for _, name := range sorted(files) {
		err := tw.WriteHeader(&tar.Header{Name: "package/" + name, Size: int64(len(files[name])), Mode: 0o644})
		if _, werr := tw.Write([]byte(files[name])); err != nil || werr != nil {
			t.Fatal(err, werr)
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wheelOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "w")
	writeZip(t, file, files)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const lockOfDep = `{"name":"server","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"server","version":"1.0.0","dependencies":{"dep":"2.0.0"}},"node_modules/dep":{"version":"2.0.0",MARK"integrity":"%s"}}}`

// TestPlanted: a lockfile that calls a digest something else than what its bytes
// are deceives nobody. What would be loaded is listed, and the list does not pass
// for whole.
func TestPlanted(t *testing.T) {
	const dep = `{"name":"dep","version":"2.0.0"}`
	locked := strings.Replace(lockOfDep, "MARK", "", 1)
	npm := func(locked string, files map[string]string) brought {
		return brought{"package-lock.json", locked, tree.FormatNPM, "node_modules/dep", npmTarball(t, files)}
	}
	wheel := func(files map[string]string) brought {
		return brought{"requirements.txt", "part==2.0.0 --hash=sha256:%s\n", tree.FormatWheel, "site", wheelOf(t, files)}
	}
	metadata := func(name, version string) string {
		return "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n\n"
	}
	for name, tc := range map[string]struct {
		artifact brought
		listed   string // a package URL
		reason   string // "": whole
	}{
		"as locked":                {npm(locked, map[string]string{"package.json": dep, "index.js": "", "lib/package.json": `{"type":"module"}`}), "pkg:npm/dep@2.0.0", ""},
		"another package":          {npm(locked, map[string]string{"package.json": `{"name":"evil","version":"6.6.6"}`}), "pkg:npm/evil@6.6.6", `node_modules/dep/package.json says "evil@6.6.6"`},
		"another version":          {npm(locked, map[string]string{"package.json": `{"name":"dep","version":"1.0.0"}`}), "pkg:npm/dep@1.0.0", `says "dep@1.0.0"`},
		"another one inside":       {npm(locked, map[string]string{"package.json": dep, "node_modules/@e/vil/package.json": `{"name":"@e/vil","version":"1.0.0"}`}), "pkg:npm/%40e/vil@1.0.0", `node_modules/dep/node_modules/@e/vil/package.json says "@e/vil@1.0.0"`},
		"without a name":           {npm(locked, map[string]string{"index.js": ""}), "pkg:npm/dep@2.0.0", "node_modules/dep does not say which package it is"},
		"one without a name":       {npm(locked, map[string]string{"package.json": dep, "node_modules/evil/index.js": ""}), "pkg:npm/dep@2.0.0", "node_modules/dep/node_modules/evil does not say"},
		"a file in node_modules":   {npm(locked, map[string]string{"package.json": dep, "node_modules/evil.js": ""}), "pkg:npm/dep@2.0.0", "node_modules/dep/node_modules/evil.js does not say"},
		"two names":                {npm(locked, map[string]string{"package.json": `{"name":"dep","version":"2.0.0","name":"evil"}`}), "pkg:npm/dep@2.0.0", "node_modules/dep/package.json does not say"},
		"terminal escapes":         {npm(locked, map[string]string{"package.json": `{"name":"\u001b[2Jdep","version":"2.0.0"}`}), "pkg:npm/dep@2.0.0", `says "\x1b[2Jdep@2.0.0"`},
		"a wheel as locked":        {wheel(map[string]string{"part/__init__.py": "", "part-2.0.0.dist-info/METADATA": metadata("Part", "2.0")}), "pkg:pypi/part@2.0.0", ""},
		"another wheel":            {wheel(map[string]string{"part/__init__.py": "", "part-2.0.0.dist-info/METADATA": metadata("evil", "2.0.0")}), "pkg:pypi/evil@2.0.0", `says "evil@2.0.0"`},
		"a wheel without a name":   {wheel(map[string]string{"part-2.0.0.dist-info/RECORD": ""}), "pkg:pypi/part@2.0.0", "site/part-2.0.0.dist-info does not say"},
		"two packages in one file": {wheel(map[string]string{"part-2.0.0.dist-info/METADATA": metadata("part", "2.0.0"), "evil-1.dist-info/METADATA": metadata("evil", "1")}), "pkg:pypi/evil@1", `site/evil-1.dist-info/METADATA says "evil@1"`},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.artifact.format == tree.FormatWheel {
				tc.artifact.lockfile = "requirements.txt"
			}
			file := tc.artifact.file(t)
			d := mustGenerate(t, file)
			if !slices.ContainsFunc(d.Components(), func(c Component) bool { return c.Purl == tc.listed }) {
				t.Errorf("%s is not listed: %+v", tc.listed, d.Components())
			}
			c := d.Completeness()
			text := strings.Join(c.Reasons, "\n")
			if tc.artifact.format == tree.FormatWheel { // its package.json asks for a package that nobody locks
				c.Reasons = slices.DeleteFunc(c.Reasons, func(r string) bool { return strings.HasPrefix(r, "package.json asks") })
			}
			if tc.reason == "" && len(c.Reasons) > 0 || !strings.Contains(text, tc.reason) {
				t.Errorf("completeness %+v, want %q", c, tc.reason)
			}

			// A folder that is there already gives the same.
			dir := filepath.Join(t.TempDir(), "tree")
			t.Cleanup(func() { _ = tree.Remove(dir) })
			if _, err := tree.Materialise(t.Context(), file, dir, archive.Limits{}); err != nil {
				t.Fatal(err)
			}
			again, err := Generate(t.Context(), Input{Artifact: file, Tree: dir}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(encoded(t, d), encoded(t, again)) {
				t.Error("the document depends on who unpacked the packages")
			}
		})
	}
}

// TestPlantedDevelopment: what is brought along is no development dependency.
func TestPlantedDevelopment(t *testing.T) {
	locked := strings.Replace(lockOfDep, "MARK", `"dev":true,`, 1)
	locked = strings.Replace(locked, `"dependencies"`, `"devDependencies"`, 1)
	d := mustGenerate(t, brought{"package-lock.json", locked, tree.FormatNPM, "node_modules/dep", npmTarball(t, map[string]string{"package.json": `{"name":"dep","version":"2.0.0"}`})}.file(t))
	for _, c := range d.Components() {
		if c.Name == "dep" && c.Scope == "excluded" {
			t.Errorf("%+v", c)
		}
	}
}

// TestPlantedRefused: archives that the lockfile does not know are no artifact.
func TestPlantedRefused(t *testing.T) {
	b := brought{"package-lock.json", strings.Replace(lockOfDep, "MARK", "", 1), tree.FormatNPM, "node_modules/other", npmTarball(t, map[string]string{"package.json": `{}`})}
	if _, err := Generate(t.Context(), Input{Artifact: b.file(t)}, Options{}); !errors.Is(err, ErrHostileArchive) {
		t.Errorf("err = %v", err)
	}
}
