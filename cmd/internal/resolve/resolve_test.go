package resolve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/sbom"
)

// clients of the family, by the packageManager field that asks for them.
var clientNames = []string{"npm", "pnpm", "yarn"}

// document reads what was packed as the registry will.
func document(t *testing.T, r *Resolved) *sbom.Document {
	t.Helper()
	file := filepath.Join(t.TempDir(), "artifact.tar.gz")
	if err := os.WriteFile(file, r.Packed, 0o600); err != nil {
		t.Fatal(err)
	}
	doc, err := sbom.Generate(t.Context(), sbom.Input{Artifact: file}, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func purls(d *sbom.Document) []string {
	var out []string
	for _, c := range d.Components() {
		out = append(out, c.Purl+" "+c.Scope)
	}
	return out
}

// Every way in which a project or a package of a registry asks to be run. The
// canary is a file that any of them would write.
func TestNothingOfAProjectRuns(t *testing.T) {
	for _, name := range clientNames {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(name + " is not installed")
			}
			canary := filepath.Join(t.TempDir(), "canary")
			scripts := map[string]any{}
			for _, hook := range []string{"preinstall", "install", "postinstall", "prepare", "prepublish", "prepack", "preprepare", "dependencies", "pnpm:devPreinstall"} {
				scripts[hook] = "touch " + canary
			}
			address, _ := registry(t,
				served{"wind-tools", "1.2.0", map[string]any{"scripts": scripts, "hasInstallScript": true, "dependencies": map[string]any{"padder": "^1.0.0"}}},
				served{"padder", "1.0.3", map[string]any{"scripts": scripts, "hasInstallScript": true, "bin": map[string]any{"node": "evil.js", "git": "evil.js"}}},
				served{"tiny-check", "5.0.0", nil})
			elsewhere, requests := registry(t)
			home(t, address)
			evil := fmt.Sprintf("require('fs').writeFileSync(%q, '')", canary)
			dir := project(t, map[string]string{
				"package.json": `{"name":"acme-mcp","version":"1.0.0","packageManager":"` + name + `@99.0.0+sha512.00","scripts":{
					"preinstall":"touch ` + canary + `","postinstall":"touch ` + canary + `","prepare":"touch ` + canary + `","pnpm:devPreinstall":"touch ` + canary + `"},
					"config":{"ignore-scripts":"false"},"pnpm":{"onlyBuiltDependencies":["wind-tools","padder"]},"dependenciesMeta":{"padder":{"built":true}},
					"dependencies":{"wind-tools":"^1.0.0"},"devDependencies":{"tiny-check":"5"}}`,
				".npmrc": "ignore-scripts=false\nscript-shell=" + canary + ".sh\nnode-options=--require ./evil.js\nregistry=" + elsewhere + "/\n//127.0.0.1/:_authToken=x\n" +
					"git=./evil.sh\nuserconfig=./evil\nonload-script=./evil.js\nallow-git=all\ndangerously-allow-all-scripts=true\nshell-emulator=false\npnpmfile=evil.cjs\nglobal-pnpmfile=evil.cjs\n",
				".yarnrc":              "ignore-scripts false\nregistry \"" + elsewhere + "\"\nyarn-path \"./evil.js\"\n",
				".yarnrc.yml":          "yarnPath: ./evil.js\nenableScripts: true\nnpmRegistryServer: \"" + elsewhere + "\"\nplugins: [./evil.js]\n",
				".pnpmfile.cjs":        evil,
				"evil.cjs":             evil,
				"evil.js":              evil,
				"evil.sh":              "#!/bin/sh\ntouch " + canary + "\n",
				"node_modules/.bin/sh": "#!/bin/sh\ntouch " + canary + "\n",
			})
			t.Setenv("NODE_OPTIONS", "--require "+filepath.Join(dir, "evil.js"))
			got, err := Artifact(t.Context(), dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(canary); err == nil {
				t.Error("something of the project or its dependencies was run")
			}
			if n := requests.Load(); n != 0 {
				t.Errorf("%d requests to the registry that the project names", n)
			}
			doc := document(t, got)
			want := []string{"pkg:npm/padder@1.0.3 required", "pkg:npm/tiny-check@5.0.0 excluded", "pkg:npm/wind-tools@1.2.0 required"}
			if diff := cmp.Diff(want, purls(doc)); diff != "" {
				t.Errorf("components (-want +got):\n%s", diff)
			}
			if c := doc.Completeness(); c.Level != sbom.Complete {
				t.Errorf("completeness = %+v", c)
			}
			if r := doc.Resolved(); len(r) != 1 || !strings.Contains(r[0], " by "+name+" ") {
				t.Errorf("resolved = %q", r)
			}
			if !slices.Contains(got.Notes, ".npmrc was left out of account") {
				t.Errorf("notes = %q", got.Notes)
			}
			if left, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "bartizan", "*")); err != nil || len(left) != 0 {
				t.Errorf("left behind: %q %v", left, err)
			}
		})
	}
}

// A dependency of a dependency that comes from git, from an address or out of a
// program would be fetched or run by the client on its own.
func TestWhatDependenciesMayNotAskFor(t *testing.T) {
	for _, name := range clientNames {
		for what, spec := range map[string]string{
			"git":        "git+file:///REPO",
			"git commit": "git+https://127.0.0.1:1/x.git#0123456789012345678901234567890123456789",
			"program":    "exec:./evil.js",
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				if _, err := exec.LookPath(name); err != nil {
					t.Skip(name + " is not installed")
				}
				canary := filepath.Join(t.TempDir(), "canary")
				evil := fmt.Sprintf("require('fs').writeFileSync(%q, '')", canary)
				repo := project(t, map[string]string{
					"package.json": `{"name":"evil","version":"1.0.0","scripts":{"prepare":"touch ` + canary + `","prepack":"touch ` + canary + `"}}`,
					"evil.js":      evil,
				})
				if out, err := exec.CommandContext(t.Context(), "sh", "-c", "cd "+repo+" && git init -q && git add -A && git -c user.name=a -c user.email=a@b.example commit -qm a").CombinedOutput(); err != nil {
					t.Skipf("git: %v %s", err, out)
				}
				spec := strings.Replace(spec, "/REPO", repo, 1)
				address, _ := registry(t, served{"wind-tools", "1.2.0", map[string]any{"dependencies": map[string]any{"evil": spec}}})
				home(t, address)
				dir := project(t, map[string]string{
					"package.json": `{"name":"acme-mcp","version":"1.0.0","packageManager":"` + name + `@1.0.0","dependencies":{"wind-tools":"^1.0.0"}}`,
				})
				got, err := Artifact(t.Context(), dir, 0)
				if err == nil { // left out of the lockfile by the client, and said so
					if doc := document(t, got); doc.Completeness().Level == sbom.Complete {
						t.Errorf("resolved as if nothing were missing: %q", purls(doc))
					}
				} else if !errors.Is(err, ErrTool) {
					t.Errorf("error = %v, want %v", err, ErrTool)
				}
				if _, err := os.Stat(canary); err == nil {
					t.Error("it was run")
				}
			})
		}
	}
}

func TestSpecifiersAreRefused(t *testing.T) {
	for name, spec := range map[string]string{
		"git": "git+ssh://git@example.com/a.git", "github": "acme/tool", "github protocol": "github:acme/tool", "address": "https://example.com/a.tgz",
		"folder": "../a", "folder as file": "file:../a", "absolute": "file:/etc", "home": "~/a", "dots": "..", "tarball": "a.tgz", "tarball as file": "file:a.tgz",
		"exec": "exec:./a.js", "patch": "patch:a@1#./p", "portal": "portal:./lib", "alias of git": "npm:acme/tool", "backslash": `file:lib\..\..\a`, "no package": "file:nothing",
	} {
		t.Run(name, func(t *testing.T) {
			spec = strings.ReplaceAll(spec, `\`, `\\`)
			for _, text := range []string{`"dependencies":{"a":"` + spec + `"}`, `"overrides":{"b":{"a":"` + spec + `"}},"dependencies":{"b":"1"}`, `"pnpm":{"overrides":{"a":"` + spec + `"}},"dependencies":{"b":"1"}`} {
				dir := project(t, map[string]string{"package.json": `{"name":"acme",` + text + `}`, "lib/package.json": `{"name":"lib"}`})
				t.Setenv("XDG_CACHE_HOME", t.TempDir())
				if _, err := Artifact(t.Context(), dir, 0); !errors.Is(err, ErrRefused) {
					t.Errorf("%s: error = %v, want %v", text, err, ErrRefused)
				}
			}
		})
	}
}

func TestWorkspacesAndFolders(t *testing.T) {
	address, _ := registry(t, served{"padder", "1.0.3", nil}, served{"@acme/codec", "2.0.0", nil})
	home(t, address)
	dir := project(t, map[string]string{
		"package.json":                `{"name":"acme","version":"1.0.0","private":true,"workspaces":["packages/*"],"dependencies":{"lib":"file:lib","same":"npm:@acme/codec@^2.0.0"}}`,
		"packages/part/package.json":  `{"name":"part","version":"2.0.0","dependencies":{"padder":"^1.0.0"}}`,
		"lib/package.json":            `{"name":"lib","version":"3.0.0","scripts":{"prepare":"exit 1"}}`,
		"other/package.json":          `{"name":"other","version":"4.0.0","dependencies":{"padder":"1"}}`,
		"examples/done/package.json":  `{"name":"done","version":"1.0.0","dependencies":{"padder":"1"}}`,
		"examples/done/yarn.lock":     "padder@1:\n  version \"1.0.3\"\n",
		"examples/asks/package.json":  `{"name":"asks"}`,
		"node_modules/x/package.json": `{"name":"x","version":"1.0.0","dependencies":{"unheard-of":"1"}}`,
	})
	got, err := Artifact(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked []string
	for _, r := range got.Records {
		locked = append(locked, r.Lockfile)
	}
	if diff := cmp.Diff([]string{"package-lock.json", "other/package-lock.json"}, locked); diff != "" {
		t.Errorf("lockfiles (-want +got):\n%s", diff)
	}
	again, err := Artifact(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Packed, again.Packed) {
		t.Error("the same project gives other bytes the second time")
	}
}

func TestTarFiles(t *testing.T) {
	address, _ := registry(t, served{"padder", "1.0.3", nil})
	home(t, address)
	file := filepath.Join(t.TempDir(), "acme.tgz")
	if err := os.WriteFile(file, tarballOf(t, map[string]any{"name": "acme", "version": "1.0.0", "dependencies": map[string]any{"padder": "1"}}), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Artifact(t.Context(), file, 0)
	if err != nil {
		t.Fatal(err)
	}
	doc := document(t, got)
	if c := doc.Completeness(); c.Level != sbom.Complete || len(doc.Components()) != 1 || doc.Root().Purl != "pkg:npm/acme@1.0.0" {
		t.Errorf("%+v %+v %+v", c, doc.Components(), doc.Root())
	}
}

func TestNothingToResolve(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for name, files := range map[string]map[string]string{
		"locked":       {"package.json": `{"dependencies":{"a":"1"}}`, "package-lock.json": `{"lockfileVersion":3,"packages":{}}`},
		"asks nothing": {"package.json": `{"name":"a"}`},
		"no project":   {"README.md": "x"},
	} {
		if _, err := Artifact(t.Context(), project(t, files), 0); !errors.Is(err, ErrNothing) {
			t.Errorf("%s: error = %v, want %v", name, err, ErrNothing)
		}
	}
}

func TestARegistryThatHangs(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(release)
	home(t, srv.URL)
	dir := project(t, map[string]string{"package.json": `{"name":"acme","dependencies":{"padder":"1"}}`})
	_, err := Artifact(t.Context(), dir, 2*time.Second)
	if !errors.Is(err, ErrTool) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
}
