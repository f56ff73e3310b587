package sbom

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	crtar "github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imageLayout writes an OCI layout of one image per platform, with the same layers.
func imageLayout(t *testing.T, platforms []string, layers ...map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range platforms {
		img := v1.Image(empty.Image)
		for _, files := range layers {
			var out bytes.Buffer
			tw := tar.NewWriter(&out)
			for _, name := range sorted(files) {
				if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(files[name]))}); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(tw, files[name]); err != nil {
					t.Fatal(err)
				}
			}
			if err := tw.Close(); err != nil {
				t.Fatal(err)
			}
			l, err := crtar.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil })
			if err != nil {
				t.Fatal(err)
			}
			if img, err = mutate.AppendLayers(img, l); err != nil {
				t.Fatal(err)
			}
		}
		c, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		c = c.DeepCopy()
		c.OS, c.Architecture, _ = strings.Cut(platform, "/")
		c.Architecture = strings.TrimPrefix(platform, c.OS+"/")
		c.Config.Labels = map[string]string{"org.opencontainers.image.title": "acme-image", "org.opencontainers.image.version": "2.0.0"}
		if img, err = mutate.ConfigFile(img, c); err != nil {
			t.Fatal(err)
		}
		if err := p.AppendImage(img); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestImage(t *testing.T) {
	const elf = "\x7fELF"
	pad := strings.Repeat("\x00", 64)
	base := map[string]string{
		"usr/lib/os-release": "ID=debian\nVERSION_ID=\"12\"\n",
		"var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n\n" +
			"Package: old\nStatus: install ok installed\nVersion: 1\n",
		"var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib/libc.so.6\n",
		"usr/lib/libc.so.6":                  elf + pad,
		"usr/share/broken/package.json":      "{not json",
		"app/secret/package-lock.json":       `{"lockfileVersion":3,"packages":{"node_modules/removed":{"version":"6.6.6"}}}`,
	}
	app := map[string]string{
		"var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-10\n",
		"app/.wh.secret":      "",
		"app/package.json":    `{"name":"acme","version":"1.0.0","dependencies":{"color-names":"1.1.4"}}`,
		"app/package-lock.json": `{"name":"acme","lockfileVersion":3,"packages":{"":{"name":"acme","dependencies":{"color-names":"1.1.4"}},
			"node_modules/color-names":{"version":"1.1.4"}}}`,
		"app/node_modules/color-names/package.json":            `{"name":"color-names","version":"1.1.4","license":"MIT"}`,
		"usr/lib/python3/site-packages/a-1.dist-info/METADATA": metadata("a", "1"),
		"usr/lib/python3/site-packages/a-1.dist-info/RECORD":   "a/x.so,,\n",
		"usr/lib/python3/site-packages/a/x.so":                 elf + pad,
		"usr/local/bin/stranger":                               elf + pad,
		"usr/local/lib/python3.12/site-packages/pip/uv.lock":   "not ours",
	}
	dir := imageLayout(t, []string{"linux/amd64"}, base, app)
	d := mustGenerate(t, dir)
	want := []string{
		"pkg:deb/debian/libc6@2.36-10?arch=amd64&distro=debian-12", "pkg:npm/acme@1.0.0", "pkg:npm/color-names@1.1.4", "pkg:pypi/a@1",
	}
	if diff := cmp.Diff(want, purls(d.Components())); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	if r := d.Root(); r.Name != "acme-image" || r.Version != "2.0.0" {
		t.Errorf("root = %+v", r)
	}
	reasons := d.Completeness().Reasons
	for _, part := range []string{"usr/share/broken/package.json is malformed", "1 executable of the image belong to no package that is listed, such as usr/local/bin/stranger"} {
		if !slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, part) }) {
			t.Errorf("reasons = %q, want %q", reasons, part)
		}
	}
	if len(reasons) != 2 {
		t.Errorf("reasons = %q", reasons)
	}
	body := encoded(t, d)
	validate(t, cyclonedxSchema(t), body)
	if bytes.Contains(body, []byte("6.6.6")) {
		t.Error("a file that an upper layer removed is listed")
	}

	packed, err := Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	again := mustGenerate(t, file)
	if diff := Diff(d, again); !diff.Empty() {
		t.Errorf("packing changes the document: %+v", diff)
	}
	if len(again.Root().Hashes) != 2 {
		t.Errorf("root hashes = %v", again.Root().Hashes)
	}
}

func TestImagePlatforms(t *testing.T) {
	layer := map[string]string{"lib/a-1.dist-info/METADATA": metadata("a", "1")}
	dir := imageLayout(t, []string{"linux/arm64", "linux/amd64"}, layer)
	both := mustGenerate(t, dir)
	if got := both.Components(); len(got) != 1 || len(got[0].Locations) != 2 {
		t.Errorf("components = %+v", got)
	}
	if body := encoded(t, both); !bytes.Contains(body, []byte(`"linux/amd64 sha256:`)) || !bytes.Contains(body, []byte(`"linux/arm64 sha256:`)) {
		t.Error("the document does not say which images it is about")
	}
	one, err := Generate(t.Context(), Input{Artifact: dir, Kind: KindImage}, Options{Platform: "linux/arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if got := one.Components(); len(got) != 1 || len(got[0].Locations) != 1 {
		t.Errorf("components = %+v", got)
	}
	if _, err := Generate(t.Context(), Input{Artifact: dir}, Options{Platform: "plan9/386"}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("error = %v", err)
	}
	if _, err := Generate(t.Context(), Input{Artifact: "testdata/npm-v3", Kind: KindImage}, Options{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("error = %v", err)
	}
}
