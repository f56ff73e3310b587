package sbom

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const crateSource = "source = \"" + gitIndex + "\"\nchecksum = \"" + emptySHA256 + "\"\n"

func TestCargo(t *testing.T) {
	const manifest = "[package]\nname = \"acme\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n[dependencies]\na = \"1\"\n[dev-dependencies]\nd = \"1\"\n"
	const lock = "version = 4\n[[package]]\nname = \"acme\"\nversion = \"1.0.0\"\ndependencies = [\"a\", \"d\"]\n" +
		"[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n" + crateSource + "[[package]]\nname = \"d\"\nversion = \"1.0.0\"\n" + crateSource
	locked := []string{"pkg:cargo/a@1.0.0", "pkg:cargo/d@1.0.0"}
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
		purls []string
	}{
		"locked":   {files: map[string]string{"Cargo.toml": manifest, "Cargo.lock": lock, "vendor/a/Cargo.toml": "[package]\nname = \"a\"\n[dependencies]\nelse = \"1\"\n"}, purls: locked},
		"declared": {files: map[string]string{"Cargo.toml": manifest}, want: []string{"Cargo.toml asks for 2 dependencies and has no lockfile"}},
		"stale":    {files: map[string]string{"Cargo.toml": manifest + "[build-dependencies]\nb = \"1\"\n", "Cargo.lock": lock}, want: []string{"does not lock 1 dependency"}, purls: locked},
		"future":   {files: map[string]string{"Cargo.lock": "version = 9\n"}, want: []string{"has a version that is not read"}},
		"workspace": {files: map[string]string{"Cargo.toml": "[workspace]\nmembers = [\"m\"]\n", "Cargo.lock": lock, "m/Cargo.toml": manifest},
			purls: []string{"pkg:cargo/a@1.0.0", "pkg:cargo/acme@1.0.0", "pkg:cargo/d@1.0.0"}},
		"git": {files: map[string]string{"Cargo.lock": "version = 4\n[[package]]\nname = \"g\"\nversion = \"1.0.0\"\nsource = \"git+https://example.org/g.git#abc\"\n"},
			purls: []string{"pkg:cargo/g@1.0.0?vcs_url=git%2Bhttps%3A%2F%2Fexample.org%2Fg.git%23abc"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := mustGenerate(t, folder(t, tc.files))
			c := d.Completeness()
			if len(c.Reasons) != len(tc.want) || (c.Level == Complete) != (len(tc.want) == 0) {
				t.Fatalf("completeness = %+v, want %q", c, tc.want)
			}
			for i, want := range tc.want {
				if !strings.Contains(c.Reasons[i], want) {
					t.Errorf("reason %q, want %q", c.Reasons[i], want)
				}
			}
			if diff := cmp.Diff(tc.purls, purls(d.Components())); diff != "" {
				t.Errorf("components (-want +got):\n%s", diff)
			}
		})
	}
	d := mustGenerate(t, folder(t, map[string]string{"Cargo.toml": manifest, "Cargo.lock": lock}))
	golden(t, "cargo.golden.json", encoded(t, d))
	validate(t, cyclonedxSchema(t), encoded(t, d))
	for name, tc := range map[string]struct {
		files map[string]string
		want  error
	}{
		"case":      {map[string]string{"cargo.lock": lock}, ErrHostileArchive},
		"duplicate": {map[string]string{"Cargo.lock": "version = 4\nversion = 3\n"}, ErrMalformed},
		"bomb":      {map[string]string{"Cargo.toml": "x = " + strings.Repeat("{a=", 1000)}, ErrTooLarge},
	} {
		if _, err := Generate(t.Context(), Input{Artifact: folder(t, tc.files)}, Options{}); !errors.Is(err, tc.want) {
			t.Errorf("%s: error = %v, want %v", name, err, tc.want)
		}
	}
}
