package pnpm

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
	"github.com/bartizan-mcp/bartizan/sbom/npm/npmtest"
)

const integrity = "sha512-c573HYj0Z+UX6JfyF1UpNFgqPOplfNKghk11ckVXkF0acEsTgmgrbUvg7jT1wzh08PISJuQuV1EFqEff+b8B3A=="

// One project in every version: an alias, peers, a scope, an optional and a
// development dependency, a git package and a workspace.
var project = map[string]string{
	"5": `
lockfileVersion: 5.4
importers:
  .:
    specifiers: {'@acme/codec': ^1.0.0, old: 'npm:padder@1.0.0', tiny: ^5.0.0, native: ^2.0.0, tool: acme/tool, part: 'workspace:*'}
    dependencies: {'@acme/codec': 1.7.0_padder@2.0.0, old: /padder/1.0.0, tool: github.com/acme/tool/abc123, part: link:packages/part}
    devDependencies: {tiny: 5.0.0}
    optionalDependencies: {native: 2.0.0}
  packages/part:
    specifiers: {padder: ^2.0.0}
    dependencies: {padder: 2.0.0}
packages:
  /@acme/codec/1.7.0_padder@2.0.0:
    resolution: {integrity: INTEGRITY}
    peerDependencies: {padder: '*'}
    dependencies: {padder: 2.0.0}
  /padder/1.0.0: {resolution: {integrity: INTEGRITY}}
  /padder/2.0.0: {resolution: {integrity: INTEGRITY}}
  /tiny/5.0.0: {resolution: {integrity: INTEGRITY}, dev: true}
  /native/2.0.0: {resolution: {integrity: INTEGRITY}, optional: true}
  github.com/acme/tool/abc123: {resolution: {tarball: 'https://git.example/acme/tool/tar.gz/abc123'}, name: tool, version: 0.3.0}
`,
	"6": `
lockfileVersion: '6.0'
importers:
  .:
    dependencies:
      '@acme/codec': {specifier: ^1.0.0, version: 1.7.0(padder@2.0.0)}
      old: {specifier: 'npm:padder@1.0.0', version: /padder@1.0.0}
      tool: {specifier: acme/tool, version: github.com/acme/tool/abc123}
      part: {specifier: 'workspace:*', version: link:packages/part}
    devDependencies:
      tiny: {specifier: ^5.0.0, version: 5.0.0}
    optionalDependencies:
      native: {specifier: ^2.0.0, version: 2.0.0}
  packages/part:
    dependencies:
      padder: {specifier: ^2.0.0, version: 2.0.0}
packages:
  /@acme/codec@1.7.0(padder@2.0.0):
    resolution: {integrity: INTEGRITY}
    dependencies: {padder: 2.0.0}
  /padder@1.0.0: {resolution: {integrity: INTEGRITY}}
  /padder@2.0.0: {resolution: {integrity: INTEGRITY}}
  /tiny@5.0.0: {resolution: {integrity: INTEGRITY}, dev: true}
  /native@2.0.0: {resolution: {integrity: INTEGRITY}, optional: true}
  github.com/acme/tool/abc123: {resolution: {tarball: 'https://git.example/acme/tool/tar.gz/abc123'}, name: tool, version: 0.3.0}
`,
	"9": `
lockfileVersion: '9.0'
settings: {autoInstallPeers: true}
importers:
  .:
    dependencies:
      '@acme/codec': {specifier: ^1.0.0, version: 1.7.0(padder@2.0.0)}
      old: {specifier: 'npm:padder@1.0.0', version: padder@1.0.0}
      tool: {specifier: acme/tool, version: 'https://git.example/acme/tool/tar.gz/abc123'}
      part: {specifier: 'workspace:*', version: link:packages/part}
    devDependencies:
      tiny: {specifier: ^5.0.0, version: 5.0.0}
    optionalDependencies:
      native: {specifier: ^2.0.0, version: 2.0.0}
  packages/part:
    dependencies:
      padder: {specifier: ^2.0.0, version: 2.0.0}
packages:
  '@acme/codec@1.7.0':
    resolution: {integrity: INTEGRITY}
    peerDependencies: {padder: '*'}
  padder@1.0.0: {resolution: {integrity: INTEGRITY}}
  padder@2.0.0: {resolution: {integrity: INTEGRITY}}
  tiny@5.0.0: {resolution: {integrity: INTEGRITY}}
  native@2.0.0: {resolution: {integrity: INTEGRITY}, os: [darwin]}
  tool@https://git.example/acme/tool/tar.gz/abc123: {resolution: {tarball: 'https://git.example/acme/tool/tar.gz/abc123'}, version: 0.3.0}
snapshots:
  '@acme/codec@1.7.0(padder@2.0.0)':
    dependencies: {padder: 2.0.0}
  padder@1.0.0: {}
  padder@2.0.0: {}
  tiny@5.0.0: {}
  native@2.0.0: {optional: true}
  tool@https://git.example/acme/tool/tar.gz/abc123: {}
`,
}

func TestOneProjectInEveryVersion(t *testing.T) {
	want := []string{
		"@acme/codec@1.7.0 sha512 -> padder@2.0.0",
		"[] -> @acme/codec@1.7.0 -> [packages/part] -> native@2.0.0 -> padder@1.0.0 -> tiny@5.0.0 -> tool@0.3.0",
		"[packages/part] -> padder@2.0.0",
		"native@2.0.0 optional sha512",
		"padder@1.0.0 sha512",
		"padder@2.0.0 sha512",
		"tiny@5.0.0 development sha512",
		"tool@0.3.0 from https://git.example/acme/tool/tar.gz/abc123",
	}
	asked := map[string]map[string]string{
		"":              {"@acme/codec": "^1.0.0", "old": "npm:padder@1.0.0", "tiny": "^5.0.0", "native": "^2.0.0", "tool": "acme/tool", "part": "workspace:*"},
		"packages/part": {"padder": "^2.0.0"},
	}
	for version, text := range project {
		t.Run(version, func(t *testing.T) {
			l, err := Parse([]byte(strings.ReplaceAll(text, "INTEGRITY", integrity)))
			if err != nil {
				t.Fatal(err)
			}
			got := npmtest.Shown(l)
			for i, line := range got { // edges in the order of names, not of keys
				parts := strings.Split(line, " -> ")
				slices.Sort(parts[1:])
				got[i] = strings.Join(parts, " -> ")
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(asked, l.Asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPackagesWithSeveralSetsOfPeers(t *testing.T) {
	l, err := Parse([]byte(`
lockfileVersion: '9.0'
importers:
  .: {dependencies: {a: {specifier: '1', version: 1.0.0(p@1.0.0)}, b: {specifier: '1', version: 1.0.0}}}
packages:
  a@1.0.0: {resolution: {}}
  b@1.0.0: {resolution: {}}
  p@1.0.0: {resolution: {}}
  p@2.0.0: {resolution: {}}
snapshots:
  a@1.0.0(p@1.0.0): {dependencies: {p: 1.0.0}}
  a@1.0.0(p@2.0.0): {dependencies: {p: 2.0.0}}
  b@1.0.0: {dependencies: {a: 1.0.0(p@2.0.0), missing: 1.0.0}, optionalDependencies: {absent: 1.0.0}}
  p@1.0.0: {}
  p@2.0.0: {}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{" [] -> a@1.0.0 -> b@1.0.0", "a@1.0.0 -> p@1.0.0", "a@1.0.0 -> p@2.0.0", "b@1.0.0 -> a@1.0.0 -> ?missing", "p@1.0.0", "p@2.0.0"}
	want[0] = want[0][1:]
	if diff := cmp.Diff(want, npmtest.Shown(l)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	head := "lockfileVersion: '9.0'\n"
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"no version":        {"packages: {}", npm.ErrVersion},
		"future":            {"lockfileVersion: '10.0'", npm.ErrVersion},
		"a list":            {"- a", npm.ErrMalformed},
		"empty":             {"", npm.ErrMalformed},
		"twice":             {head + "packages: {a@1.0.0: {}, a@1.0.0: {}}", npm.ErrMalformed},
		"anchor":            {head + "packages: &x {}", npm.ErrMalformed},
		"merge":             {head + "packages: {<<: {}}", npm.ErrMalformed},
		"tag":               {head + "packages: !!map {}", npm.ErrMalformed},
		"two documents":     {head + "---\n" + head, npm.ErrMalformed},
		"directive":         {"%YAML 1.1\n---\n" + head, npm.ErrMalformed},
		"no package":        {head + "snapshots: {a@1.0.0: {}}", npm.ErrMalformed},
		"no name":           {head + "packages: {'@1.0.0': {}}\nsnapshots: {}", npm.ErrMalformed},
		"another name":      {head + "packages: {a@1.0.0: {name: b}}\nsnapshots: {}", npm.ErrMalformed},
		"another version":   {head + "packages: {a@1.0.0: {version: 2.0.0}}\nsnapshots: {}", npm.ErrMalformed},
		"bad integrity":     {head + "packages: {a@1.0.0: {resolution: {integrity: sha512-AAAA}}}", npm.ErrMalformed},
		"importer outside":  {head + "importers: {/etc: {}}", npm.ErrMalformed},
		"importer no clean": {head + "importers: {a/../b: {}}", npm.ErrMalformed},
		"no reference":      {head + "importers: {.: {dependencies: {a: {specifier: '1'}}}}", npm.ErrMalformed},
		"importer twice":    {head + "importers: {.: {}, a@1.0.0: {}}\npackages: {a@1.0.0: {}}", npm.ErrMalformed},
		"too long":          {head + strings.Repeat("#", 5<<20), npm.ErrTooLarge},
		"too many values":   {head + "x: [" + strings.Repeat("a,", 300_000) + "]", npm.ErrTooLarge},
		"too deep":          {head + "x: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), npm.ErrTooLarge},
		"deeper":            {head + "x: " + strings.Repeat("{a: ", 100_000), npm.ErrTooLarge},
		"not UTF-8":         {head + "x: \xff", npm.ErrMalformed},
		"not YAML":          {head + "\tx: [", npm.ErrMalformed},
		"billion laughs":    {"a: &a [x,x]\nb: &b [*a,*a]\nlockfileVersion: '9.0'", npm.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tc.text)); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range project {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Parse(b)
		if err != nil {
			if !errors.Is(err, npm.ErrMalformed) && !errors.Is(err, npm.ErrTooLarge) && !errors.Is(err, npm.ErrVersion) {
				t.Errorf("error without a sentinel: %v", err)
			}
			return
		}
		for _, p := range append(l.Packages, l.Root) {
			for _, to := range p.DependsOn {
				if to < 0 || to >= len(l.Packages) {
					t.Errorf("edge to %d of %d", to, len(l.Packages))
				}
			}
		}
	})
}
