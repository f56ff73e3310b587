package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// packages is how many the server's lockfile names, beside the server itself.
const packages = 110

// files is the server's package as `npm pack` lays it out: code, a manifest and
// a lockfile; with a licence's text also what the lockfile names, each with that
// text. The same version gives the same bytes.
func files(version string, licence []byte) (map[string][]byte, error) {
	r := rand.New(rand.NewPCG(7, packages)) // versions differ in their number alone
	entries, direct := locked(r, version)
	lock := map[string]any{"name": "@acme/harbour", "version": version, "lockfileVersion": 3, "requires": true, "packages": entries}
	manifest := map[string]any{
		"name": "@acme/harbour", "version": version, "license": "Apache-2.0", "type": "module",
		"bin": map[string]string{"harbour": "dist/index.js"}, "dependencies": direct,
	}
	out := map[string][]byte{
		"package/README.md": []byte("# Harbour\n\n" + prose(r, 600) + "\n"),
		"package/LICENSE":   []byte("Apache License 2.0, see https://www.apache.org/licenses/LICENSE-2.0\n"),
	}
	for name, doc := range map[string]any{"package/package.json": manifest, "package/package-lock.json": lock} {
		b, err := json.Marshal(doc, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		out[name] = b
	}
	out["package/dist/index.js"] = fmt.Appendf(nil, "#!/usr/bin/env node\nexport const version = %q;\n", version)
	for i := range 14 {
		out[fmt.Sprintf("package/dist/tools/%s.js", toolName(i))] = module(r, i)
	}
	if licence == nil {
		return out, nil
	}
	return out, install(out, r, entries, licence)
}

// install lays the packages of the lockfile out below node_modules.
func install(out map[string][]byte, r *rand.Rand, entries map[string]entry, licence []byte) error {
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		if path == "" {
			continue // the server itself
		}
		e := entries[path]
		e.Name = path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):]
		e.Integrity = ""
		manifest, err := json.Marshal(e, json.Deterministic(true))
		if err != nil {
			return err
		}
		at := "package/" + path
		out[at+"/package.json"], out[at+"/LICENSE"], out[at+"/index.js"] = manifest, licence, module(r, 0)
	}
	return nil
}

// entry is a package in a lockfile, or what its own manifest says.
type entry struct {
	Name         string            `json:"name,omitzero"`
	Version      string            `json:"version"`
	License      string            `json:"license"`
	Integrity    string            `json:"integrity,omitzero"`
	Dependencies map[string]string `json:"dependencies,omitempty"`
}

// locked is what a lockfile holds by path, and what the server itself needs.
// As in real trees a tenth of the packages are there twice, one version below
// what needs it.
func locked(r *rand.Rand, version string) (entries map[string]entry, direct map[string]string) {
	licences := []string{"MIT", "MIT", "MIT", "MIT", "ISC", "Apache-2.0", "BSD-3-Clause", "(MIT OR Apache-2.0)"}
	entries, direct = map[string]entry{}, map[string]string{}
	add := func(path, version string, needs map[string]string) {
		sum := sha512.Sum512([]byte(path + version))
		entries[path] = entry{
			Version: version, License: licences[r.IntN(len(licences))], Dependencies: needs,
			Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		}
	}
	const nested = packages / 10
	flat := packages - nested
	for i := range flat {
		needs := map[string]string{packageName((i + 1) % flat): "^1.0.0"}
		for range r.IntN(3) {
			needs[packageName((i+1+r.IntN(flat))%flat)] = "^1.0.0"
		}
		if i%9 == 0 {
			direct[packageName(i)] = "^1.0.0"
		}
		add("node_modules/"+packageName(i), fmt.Sprintf("1.%d.%d", i%12, r.IntN(9)), needs)
	}
	for i := range nested {
		below, other := packageName(2*i), packageName(2*i+1)
		add("node_modules/"+below+"/node_modules/"+other, fmt.Sprintf("0.%d.0", i+1), nil)
	}
	entries[""] = entry{Name: "@acme/harbour", Version: version, License: "Apache-2.0", Dependencies: direct}
	return entries, direct
}

var (
	colours = strings.Fields("amber azure coral ebony green ivory jade ochre olive pearl ruby slate")
	things  = strings.Fields("buffer codec cursor header lexer merge parser queue router stream")
	words   = strings.Fields("a berth by day each from harbour its ship that the tide to two wall with wind")
)

func packageName(i int) string {
	name := colours[i%len(colours)] + "-" + things[i/len(colours)%len(things)]
	if i%5 == 0 {
		return "@" + colours[i/5%len(colours)] + "/" + name
	}
	return name
}

// module is the code of one tool, of some 6 KB.
func module(r *rand.Rand, n int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "export const name = %q;\n", toolName(n))
	for i := range 40 {
		fmt.Fprintf(&b, "// %s.\nexport function step%d(input) {\n  return input.rows.map((row) => row.depth + %d);\n}\n", prose(r, 12), i, i)
	}
	return []byte(b.String())
}

// prose is n words without meaning.
func prose(r *rand.Rand, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = words[r.IntN(len(words))]
	}
	return strings.Join(out, " ")
}

// packed is the folder as a package of npm.
func packed(folder map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(folder[name])), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := tw.Write(folder[name]); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpacked writes the folder below dir.
func unpacked(dir string, folder map[string][]byte) error {
	for name, body := range folder {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, body, 0o600); err != nil {
			return err
		}
	}
	return nil
}
