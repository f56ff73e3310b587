package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	crtar "github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// header is one entry of a layer under test: a name ending in "/" is a
// directory, one with a target a link.
type header struct {
	name, body, symlink, hard string
}

func layerOf(t *testing.T, headers ...header) v1.Layer {
	t.Helper()
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	for _, h := range headers {
		th := &tar.Header{Name: h.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(h.body))}
		switch {
		case strings.HasSuffix(h.name, "/"):
			th.Typeflag = tar.TypeDir
		case h.symlink != "":
			th.Typeflag, th.Linkname = tar.TypeSymlink, h.symlink
		case h.hard != "":
			th.Typeflag, th.Linkname = tar.TypeLink, h.hard
		}
		if err := tw.WriteHeader(th); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, h.body); err != nil {
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
	return l
}

func imageOf(t *testing.T, arch string, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture = "linux", arch
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	return img
}

// layoutOf writes an OCI layout directory.
func layoutOf(t *testing.T, images ...v1.Image) string {
	t.Helper()
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range images {
		if err := p.AppendImage(img); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// packed is the layout as a tar, compressed or not.
func packed(t *testing.T, dir string, compressed bool) string {
	t.Helper()
	b, err := archive.Pack(dir, archive.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if !compressed {
		gz, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(gz); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// files walks every image of an artifact: path to content.
func files(t *testing.T, name string) map[string]string {
	t.Helper()
	out, err := walkAll(t.Context(), name, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func walkAll(ctx context.Context, name string, lim archive.Limits) (map[string]string, error) {
	l, err := Open(ctx, name, lim)
	if err != nil || l == nil {
		return nil, err
	}
	defer l.Close()
	out := map[string]string{}
	for _, img := range l.Images {
		_, err := l.Walk(ctx, img, func(f File, r *io.SectionReader) error {
			b, err := io.ReadAll(r)
			if _, twice := out[f.Path]; twice {
				return fmt.Errorf("%s is shown twice", f.Path)
			}
			out[f.Path] = string(b)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func TestLayers(t *testing.T) {
	for name, tc := range map[string]struct {
		layers [][]header
		want   map[string]string
	}{
		"replaced":       {[][]header{{{name: "a", body: "1"}, {name: "b", body: "1"}}, {{name: "a", body: "2"}}}, map[string]string{"a": "2", "b": "1"}},
		"removed":        {[][]header{{{name: "a", body: "1"}, {name: "d/x", body: "1"}}, {{name: ".wh.a"}, {name: ".wh.d"}}}, map[string]string{}},
		"removed, again": {[][]header{{{name: "a", body: "1"}}, {{name: ".wh.a"}}, {{name: "a", body: "3"}}}, map[string]string{"a": "3"}},
		"opaque":         {[][]header{{{name: "d/x", body: "1"}, {name: "d/e/y", body: "1"}, {name: "z", body: "1"}}, {{name: "d/"}, {name: "d/.wh..wh..opq"}, {name: "d/n", body: "2"}}}, map[string]string{"d/n": "2", "z": "1"}},
		"opaque root":    {[][]header{{{name: "a", body: "1"}}, {{name: ".wh..wh..opq"}, {name: "b", body: "2"}}}, map[string]string{"b": "2"}},
		"file over dir":  {[][]header{{{name: "d/x", body: "1"}}, {{name: "d", body: "2"}}}, map[string]string{"d": "2"}},
		"dir over file":  {[][]header{{{name: "d", body: "1"}}, {{name: "d/"}, {name: "d/x", body: "2"}}}, map[string]string{"d/x": "2"}},
		"dir, file, dir": {[][]header{{{name: "d/x", body: "1"}}, {{name: "d", body: "2"}}, {{name: "d/"}, {name: "d/y", body: "3"}}}, map[string]string{"d/y": "3"}},
		"link over dir":  {[][]header{{{name: "d/x", body: "1"}}, {{name: "d", symlink: "/etc"}}}, map[string]string{}},
		"hard link":      {[][]header{{{name: "a", body: "1"}, {name: "b", hard: "a"}}, {{name: ".wh.a"}}}, map[string]string{"b": "1"}},
		"absolute link":  {[][]header{{{name: "a", symlink: "/etc/passwd"}, {name: "b", symlink: "../../../etc/passwd"}}}, map[string]string{}},
		"odd names":      {[][]header{{{name: "a\\x2db", body: "1"}, {name: "./c", body: "1"}}}, map[string]string{"c": "1"}},
		"only its layer": {[][]header{{{name: "x", body: "1"}}, {{name: "x", body: "2"}, {name: ".wh.x"}}}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "only its layer" { // a whiteout is for lower layers: what its own layer adds stays
				tc.want = map[string]string{"x": "2"}
			}
			var layers []v1.Layer
			for _, h := range tc.layers {
				layers = append(layers, layerOf(t, h...))
			}
			dir := layoutOf(t, imageOf(t, "amd64", layers...))
			for kind, at := range map[string]string{"directory": dir, "tar": packed(t, dir, false), "tar.gz": packed(t, dir, true)} {
				if diff := cmp.Diff(tc.want, files(t, at)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", kind, diff)
				}
			}
		})
	}
}

// Random layers, and what another implementation makes of them.
func TestLayersAgainstReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c/d", "c/e", "c/f/g", "h/i", "h"}
	for round := range 60 {
		var layers []v1.Layer
		for range 1 + rng.IntN(4) {
			var headers []header
			taken := map[string]bool{}
			for _, n := range names {
				if taken[filepath.Dir(n)] || n == "h" && taken["h/"] {
					continue
				}
				switch rng.IntN(4) {
				case 0:
					headers = append(headers, header{name: n, body: fmt.Sprint(rng.Int())})
					taken[n], taken[filepath.Dir(n)+"/"] = true, true
				case 1:
					headers = append(headers, header{name: filepath.Join(filepath.Dir(n), ".wh."+filepath.Base(n))})
					taken[n], taken[filepath.Dir(n)+"/"] = true, true
				}
			}
			layers = append(layers, layerOf(t, headers...))
		}
		img := imageOf(t, "amd64", layers...)
		want := map[string]string{}
		rc := mutate.Extract(img)
		tr := tar.NewReader(rc)
		for {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg {
				b, err := io.ReadAll(tr)
				if err != nil {
					t.Fatal(err)
				}
				want[h.Name] = string(b)
			}
		}
		rc.Close()
		if diff := cmp.Diff(want, files(t, layoutOf(t, img))); diff != "" {
			t.Fatalf("round %d (-reference +ours):\n%s", round, diff)
		}
	}
}

func TestPlatforms(t *testing.T) {
	dir := layoutOf(t, imageOf(t, "amd64", layerOf(t, header{name: "a", body: "amd"})), imageOf(t, "arm64", layerOf(t, header{name: "a", body: "arm"})))
	l, err := Open(t.Context(), dir, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(l.Images) != 2 || l.Images[0].Platform != "linux/amd64" || l.Images[1].Platform != "linux/arm64" {
		t.Fatalf("images = %+v", l.Images)
	}
	if err := l.Select("linux/arm64"); err != nil || len(l.Images) != 1 || l.Images[0].Platform != "linux/arm64" {
		t.Errorf("images = %+v, %v", l.Images, err)
	}
	if err := l.Select("linux/riscv64"); !errors.Is(err, archive.ErrUnsupported) {
		t.Errorf("error = %v", err)
	}
}

func TestDockerArchive(t *testing.T) {
	img := imageOf(t, "amd64", layerOf(t, header{name: "a", body: "1"}), layerOf(t, header{name: ".wh.a"}, header{name: "b", body: "2"}))
	file := filepath.Join(t.TempDir(), "saved.tar")
	tag, err := name.NewTag("example.org/acme:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := crtar.WriteToFile(file, tag, img); err != nil {
		t.Fatal(err)
	}
	// Its names of layers and of the configuration are digests with a prefix and a suffix.
	if diff := cmp.Diff(map[string]string{"b": "2"}, files(t, rewriteDocker(t, file))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// rewriteDocker gives the files of go-containerregistry's archive the names that
// docker gives them.
func rewriteDocker(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	tr := tar.NewReader(f)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "manifest.json" {
			b = []byte(strings.NewReplacer(`"sha256:`, `"`, `.tar.gz"`, `/layer.tar"`).Replace(string(b)))
		}
		name := strings.TrimPrefix(strings.Replace(h.Name, ".tar.gz", "/layer.tar", 1), "sha256:")
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(b))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "docker.tar")
	if err := os.WriteFile(again, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return again
}

func TestNoImages(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, at := range map[string]string{"directory": dir, "tar": packed(t, dir, false), "tar.gz": packed(t, dir, true)} {
		if l, err := Open(t.Context(), at, archive.Limits{}); l != nil || err != nil {
			t.Errorf("%s: %+v, %v", kind, l, err)
		}
	}
}
