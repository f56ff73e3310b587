package yarn

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
	"github.com/bartizan-mcp/bartizan/sbom/npm/npmtest"
)

func manifest(t *testing.T, text string) *npm.Manifest {
	t.Helper()
	m, err := npm.ParseManifest([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func project(t *testing.T) map[string]*npm.Manifest {
	return map[string]*npm.Manifest{
		"": manifest(t, `{"name":"acme","version":"1.0.0","workspaces":["packages/*"],
			"dependencies":{"@acme/codec":"^1.0.0","old":"npm:padder@1.0.0","part":"^2.0.0","tool":"acme/tool"},
			"devDependencies":{"tiny":"^5.0.0"},"optionalDependencies":{"native":"^2.0.0"}}`),
		"packages/part": manifest(t, `{"name":"part","version":"2.0.0","dependencies":{"padder":"^2.0.0"}}`),
		"examples/x":    manifest(t, `{"name":"x","dependencies":{"unlocked":"1"}}`),
	}
}

const integrity = "sha512-c573HYj0Z+UX6JfyF1UpNFgqPOplfNKghk11ckVXkF0acEsTgmgrbUvg7jT1wzh08PISJuQuV1EFqEff+b8B3A=="

func TestClassic(t *testing.T) {
	l, err := Parse([]byte(`# yarn lockfile v1


"@acme/codec@^1.0.0":
  version "1.7.0"
  resolved "https://npm.example/@acme/codec/-/codec-1.7.0.tgz#f2a6ca7a8eb9ad6f37a4b6d4d0b0a6b6a8a7b8c1"
  integrity `+integrity+`
  dependencies:
    padder "^1.0.0 || ^2.0.0"
  optionalDependencies:
    absent "1"

native@^2.0.0:
  version "2.0.0"
  dependencies:
    padder "^2.0.0"

"old@npm:padder@1.0.0":
  version "1.0.0"

padder@^2.0.0, "padder@^1.0.0 || ^2.0.0":
  version "2.0.0"
  resolved "https://npm.example/other/-/other-2.0.0.tgz"

tiny@^5.0.0:
  version "5.0.0"
  engines:
    node ">=18"

tool@acme/tool:
  version "0.3.0"
  resolved "https://git.example/acme/tool/tar.gz/abc123"
`), project(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"acme@1.0.0 -> @acme/codec@1.7.0 -> native@2.0.0 -> padder@1.0.0 -> tiny@5.0.0 -> tool@0.3.0 -> part@2.0.0",
		"@acme/codec@1.7.0 sha1 sha512 -> padder@2.0.0",
		"native@2.0.0 optional -> padder@2.0.0",
		"padder@1.0.0",
		"padder@2.0.0 from https://npm.example/other/-/other-2.0.0.tgz",
		"tiny@5.0.0 development",
		"tool@0.3.0 from https://git.example/acme/tool/tar.gz/abc123",
		"part@2.0.0 -> padder@2.0.0",
	}
	if diff := cmp.Diff(want, npmtest.Shown(l)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

const berry = `
__metadata:
  version: 8
  cacheKey: 10c0

"@acme/codec@npm:^1.0.0":
  version: 1.7.0
  resolution: "@acme/codec@npm:1.7.0"
  dependencies:
    absent: "npm:1"
    padder: "npm:^1.0.0 || ^2.0.0"
  dependenciesMeta:
    absent:
      optional: true
  checksum: 10c0/00ff
  languageName: node
  linkType: hard

"acme@workspace:.":
  version: 0.0.0-use.local
  resolution: "acme@workspace:."
  dependencies:
    "@acme/codec": "npm:^1.0.0"
    native: "npm:^2.0.0"
    old: "npm:padder@1.0.0"
    part: "npm:^2.0.0"
    tiny: "npm:^5.0.0"
    tool: acme/tool
  dependenciesMeta:
    native:
      optional: true
  languageName: unknown
  linkType: soft

"native@npm:^2.0.0":
  version: 2.0.0
  resolution: "native@npm:2.0.0"
  dependencies:
    padder: "npm:^2.0.0"

"old@npm:padder@1.0.0":
  version: 1.0.0
  resolution: "padder@npm:1.0.0::__archiveUrl=https%3A%2F%2Fnpm.example%2Fpadder.tgz"

"padder@npm:^1.0.0 || ^2.0.0, padder@npm:^2.0.0":
  version: 2.0.0
  resolution: "padder@npm:2.0.0"

"part@npm:^2.0.0, part@workspace:packages/part":
  version: 0.0.0-use.local
  resolution: "part@workspace:packages/part"
  dependencies:
    padder: "npm:^2.0.0"

"tiny@npm:^5.0.0":
  version: 5.0.0
  resolution: "tiny@npm:5.0.0"

"tiny@patch:tiny@npm%3A^5.0.0#optional!builtin<compat/tiny>":
  version: 5.0.0
  resolution: "tiny@patch:tiny@npm%3A5.0.0#optional!builtin<compat/tiny>::version=5.0.0&hash=00"

"tool@acme/tool":
  version: 0.3.0
  resolution: "tool@https://git.example/acme/tool.git#commit=abc123"
`

func TestBerry(t *testing.T) {
	l, err := Parse([]byte(berry), project(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"acme@ -> @acme/codec@1.7.0 -> native@2.0.0 -> padder@1.0.0 -> part@ -> tiny@5.0.0 -> tiny@5.0.0 -> tool@0.3.0",
		"@acme/codec@1.7.0 -> padder@2.0.0",
		"native@2.0.0 optional -> padder@2.0.0",
		"padder@1.0.0 from https://npm.example/padder.tgz",
		"padder@2.0.0",
		"part@ -> padder@2.0.0",
		"tiny@5.0.0 development",
		"tiny@5.0.0 development",
		"tool@0.3.0 from https://git.example/acme/tool.git#commit=abc123",
	}
	if diff := cmp.Diff(want, npmtest.Shown(l)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	asked := map[string]map[string]string{
		"":              {"@acme/codec": "^1.0.0", "native": "^2.0.0", "old": "npm:padder@1.0.0", "part": "^2.0.0", "tiny": "^5.0.0", "tool": "acme/tool"},
		"packages/part": {"padder": "^2.0.0"},
	}
	if diff := cmp.Diff(asked, l.Asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// A resolution replaces what is asked for: the pattern is then not in the file.
func TestResolutions(t *testing.T) {
	m := map[string]*npm.Manifest{"": manifest(t, `{"name":"acme","dependencies":{"a":"^1.0.0","b":"^1.0.0"},"resolutions":{"**/a":"2.0.0"}}`)}
	for name, text := range map[string]string{
		"classic": "a@2.0.0:\n  version \"2.0.0\"\n",
		"berry":   "__metadata: {version: 8}\na@npm:2.0.0: {version: 2.0.0, resolution: 'a@npm:2.0.0'}\nacme@workspace:.: {resolution: 'acme@workspace:.', dependencies: {a: 'npm:^1.0.0', b: 'npm:^1.0.0'}}\n",
	} {
		l, err := Parse([]byte(text), m)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff([]string{"acme@ -> a@2.0.0 -> ?b", "a@2.0.0"}, npmtest.Shown(l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	many := strings.Builder{}
	for i := range npm.MaxPackages + 1 {
		fmt.Fprintf(&many, "p@%d:\n  version \"1\"\n", i)
	}
	meta := "__metadata: {version: 8}\n"
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"twice":                 {"a@1:\n  version \"1.0.0\"\n\na@1:\n  version \"2.0.0\"\n", npm.ErrMalformed},
		"property twice":        {"a@1:\n  version \"1.0.0\"\n  version \"2.0.0\"\n", npm.ErrMalformed},
		"dependency twice":      {"a@1:\n  version \"1.0.0\"\n  dependencies:\n    b \"1\"\n    b \"2\"\n", npm.ErrMalformed},
		"no version":            {"a@1:\n  resolved \"x\"\n", npm.ErrMalformed},
		"indented first":        {"  version \"1.0.0\"\n", npm.ErrMalformed},
		"indented by three":     {"a@1:\n   version \"1.0.0\"\n", npm.ErrMalformed},
		"tabs":                  {"a@1:\n\tversion \"1.0.0\"\n", npm.ErrMalformed},
		"conflict":              {"<<<<<<< ours\na@1:\n  version \"1.0.0\"\n=======\n", npm.ErrMalformed},
		"open string":           {"\"a@1:\n  version \"1.0.0\"\n", npm.ErrMalformed},
		"bad escape":            {"\"a\\x@1\":\n  version \"1.0.0\"\n", npm.ErrMalformed},
		"two values":            {"a@1:\n  version \"1.0.0\" \"2.0.0\"\n", npm.ErrMalformed},
		"bad integrity":         {"a@1:\n  version \"1.0.0\"\n  integrity sha512-AAAA\n", npm.ErrMalformed},
		"not UTF-8":             {"a@1:\n  version \"\xff\"\n", npm.ErrMalformed},
		"too many":              {many.String(), npm.ErrTooLarge},
		"too long":              {strings.Repeat("#", npm.MaxLockBytes+1), npm.ErrTooLarge},
		"long line":             {strings.Repeat("a", 1<<20) + "@1:\n  version \"1\"\n", npm.ErrTooLarge},
		"berry of the future":   {"__metadata: {version: 99}\n", npm.ErrVersion},
		"berry of no version":   {"__metadata: {}\n", npm.ErrVersion},
		"berry twice":           {meta + "a@npm:1: {version: 1.0.0, resolution: 'a@npm:1.0.0'}\n'a@npm:1, a@npm:2': {version: 1.0.0, resolution: 'a@npm:1.0.0'}", npm.ErrMalformed},
		"berry no resolution":   {meta + "a@npm:1: {version: 1.0.0}", npm.ErrMalformed},
		"berry two versions":    {meta + "a@npm:1: {version: 1.0.0, resolution: 'a@npm:2.0.0'}", npm.ErrMalformed},
		"berry patch of other":  {meta + "a@patch:1: {version: 1.0.0, resolution: 'a@patch:b@npm%3A1.0.0#x'}", npm.ErrMalformed},
		"berry patch escape":    {meta + "a@patch:1: {version: 1.0.0, resolution: 'a@patch:b@npm%zz'}", npm.ErrMalformed},
		"berry outside":         {meta + "a@workspace:..: {version: 0.0.0, resolution: 'a@workspace:../x'}", npm.ErrMalformed},
		"berry without version": {meta + "a@npm:1: {resolution: 'a@https://a.example'}", npm.ErrMalformed},
		"berry anchors":         {meta + "a@npm:1: &x {version: 1.0.0}", npm.ErrMalformed},
		"both formats":          {"# yarn lockfile v1\n\na@1:\n  version \"1.0.0\"\n__metadata:\n  version: 8\n", npm.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tc.text), nil); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(berry))
	f.Add([]byte("a@1, \"b@2\":\n  version \"1.0.0\"\n  dependencies:\n    b \"2\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := map[string]*npm.Manifest{"": {Name: "acme", Dependencies: []string{"a"}, Specifiers: map[string]string{"a": "1"}}}
		l, err := Parse(b, m)
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
