package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

var small = archive.Limits{
	InputBytes: 4 << 20, TotalBytes: 256 << 10, FileBytes: 128 << 10, Files: 50,
	PathBytes: 200, PathDepth: 8, Ratio: 20, RatioFloor: 64 << 10,
}

// raw is a layout written by hand: documents by what they should say.
type raw struct {
	dir string
	t   *testing.T
}

func rawLayout(t *testing.T) raw {
	r := raw{t.TempDir(), t}
	r.put("oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	return r
}

func (r raw) put(name, body string) {
	r.t.Helper()
	at := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(body), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// blob stores a document under its digest and returns a descriptor of it.
func (r raw) blob(media, body string) string {
	r.t.Helper()
	digest := sha256Of([]byte(body))
	r.put("blobs/sha256/"+strings.TrimPrefix(digest, "sha256:"), body)
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, media, digest, len(body))
}

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// manifest of one layer, whose configuration names diffID.
func (r raw) manifest(layer, diffID string) string {
	config := r.blob(configType, `{"os":"linux","architecture":"amd64","config":{},"rootfs":{"type":"layers","diff_ids":["`+diffID+`"]}}`)
	return r.blob(manifestType, `{"schemaVersion":2,"config":`+config+`,"layers":[`+r.blob(layerType, layer)+`]}`)
}

func (r raw) index(manifests ...string) raw {
	r.put("index.json", `{"schemaVersion":2,"manifests":[`+strings.Join(manifests, ",")+`]}`)
	return r
}

func (r raw) image(layer string) raw { return r.index(r.manifest(layer, sha256Of([]byte(layer)))) }

func rawTar(t *testing.T, headers ...*tar.Header) string {
	t.Helper()
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(bytes.Repeat([]byte("x"), int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHostileImages(t *testing.T) {
	plain := func(t *testing.T) string { return rawTar(t, &tar.Header{Name: "a", Size: 1}) }
	one := func(h ...*tar.Header) func(*testing.T) raw {
		return func(t *testing.T) raw { return rawLayout(t).image(rawTar(t, h...)) }
	}
	for name, tc := range map[string]struct {
		build func(*testing.T) raw
		want  error
	}{
		"leaves the image":   {one(&tar.Header{Name: "a/../../b"}), archive.ErrHostile},
		"absolute":           {one(&tar.Header{Name: "/a"}), archive.ErrHostile},
		"hard link outside":  {one(&tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../b"}), archive.ErrHostile},
		"whiteout of above":  {one(&tar.Header{Name: "d/.wh..."}), archive.ErrHostile},
		"whiteout of itself": {one(&tar.Header{Name: "d/.wh."}), archive.ErrHostile},
		"twice":              {one(&tar.Header{Name: "a"}, &tar.Header{Name: "./a"}), archive.ErrHostile},
		"deep":               {one(&tar.Header{Name: strings.Repeat("d/", 10) + "x"}), archive.ErrTooLarge},
		"long path":          {one(&tar.Header{Name: strings.Repeat("d", 240)}), archive.ErrTooLarge},
		"large file":         {one(&tar.Header{Name: "a", Size: 200 << 10}), archive.ErrTooLarge},
		"large together": {one(&tar.Header{Name: "a", Size: 120 << 10}, &tar.Header{Name: "b", Size: 120 << 10},
			&tar.Header{Name: "c", Size: 120 << 10}), archive.ErrTooLarge},
		"many entries": {func(t *testing.T) raw {
			var all []*tar.Header
			for i := range 60 {
				all = append(all, &tar.Header{Name: fmt.Sprint(i)})
			}
			return rawLayout(t).image(rawTar(t, all...))
		}, archive.ErrTooLarge},
		"truncated": {func(t *testing.T) raw { return rawLayout(t).image(plain(t)[:512]) }, archive.ErrHostile},
		"no tar":    {func(t *testing.T) raw { return rawLayout(t).image(strings.Repeat("hello ", 200)) }, archive.ErrHostile},
		"other bytes of a layer": {func(t *testing.T) raw {
			r := rawLayout(t).image(plain(t))
			r.put("blobs/sha256/"+strings.TrimPrefix(sha256Of([]byte(plain(t))), "sha256:"), rawTar(t, &tar.Header{Name: "b", Size: 1}))
			return r
		}, archive.ErrHostile},
		"other content of a layer": {func(t *testing.T) raw {
			r := rawLayout(t)
			return r.index(r.manifest(plain(t), sha256Of([]byte("something else"))))
		}, archive.ErrHostile},
		"other bytes of a manifest": {func(t *testing.T) raw {
			r := rawLayout(t)
			m := r.manifest(plain(t), sha256Of([]byte(plain(t))))
			digest := m[strings.Index(m, "sha256:")+7:][:64]
			r.put("blobs/sha256/"+digest, `{}`)
			return r.index(m)
		}, archive.ErrHostile},
		"other size": {func(t *testing.T) raw {
			r := rawLayout(t)
			m := r.manifest(plain(t), sha256Of([]byte(plain(t))))
			return r.index(strings.Replace(m, `"size":`, `"size":1`, 1))
		}, archive.ErrHostile},
		"layers in another case": {func(t *testing.T) raw {
			r := rawLayout(t)
			config := r.blob(configType, `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}`)
			return r.index(r.blob(manifestType, `{"config":`+config+`,"layers":[],"Layers":[`+r.blob(layerType, plain(t))+`]}`))
		}, archive.ErrHostile},
		"layers twice": {func(t *testing.T) raw {
			r := rawLayout(t)
			config := r.blob(configType, `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}`)
			return r.index(r.blob(manifestType, `{"config":`+config+`,"layers":[],"layers":[]}`))
		}, archive.ErrHostile},
		"index and manifest": {func(t *testing.T) raw {
			r := rawLayout(t)
			config := r.blob(configType, `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}`)
			return r.index(r.blob(manifestType, `{"config":`+config+`,"layers":[],"manifests":[]}`))
		}, archive.ErrHostile},
		"fewer layers than said": {func(t *testing.T) raw {
			r := rawLayout(t)
			config := r.blob(configType, `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["`+sha256Of(nil)+`"]}}`)
			return r.index(r.blob(manifestType, `{"config":`+config+`,"layers":[]}`))
		}, archive.ErrHostile},
		"missing layer": {func(t *testing.T) raw {
			r := rawLayout(t).image(plain(t))
			if err := os.Remove(filepath.Join(r.dir, "blobs/sha256", strings.TrimPrefix(sha256Of([]byte(plain(t))), "sha256:"))); err != nil {
				t.Fatal(err)
			}
			return r
		}, archive.ErrUnsupported},
		"digest as path": {func(t *testing.T) raw {
			return rawLayout(t).index(`{"digest":"sha256:../../../../etc/passwd","size":1}`)
		}, archive.ErrUnsupported},
		"indexes in indexes": {func(t *testing.T) raw {
			r := rawLayout(t)
			d := r.manifest(plain(t), sha256Of([]byte(plain(t))))
			for range 5 {
				d = r.blob(indexType, `{"manifests":[`+d+`]}`)
			}
			return r.index(d)
		}, archive.ErrTooLarge},
		"many manifests": {func(t *testing.T) raw {
			r := rawLayout(t)
			d := r.manifest(plain(t), sha256Of([]byte(plain(t))))
			return r.index(strings.TrimSuffix(strings.Repeat(d+",", 100), ","))
		}, archive.ErrTooLarge},
		"deep JSON": {func(t *testing.T) raw {
			r := rawLayout(t)
			r.put("index.json", strings.Repeat("[", 10_000))
			return r
		}, archive.ErrHostile},
		"unknown layout": {func(t *testing.T) raw {
			r := rawLayout(t).index()
			r.put("oci-layout", `{"imageLayoutVersion":"2.0.0"}`)
			return r
		}, archive.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			r := tc.build(t)
			if _, err := walkAll(t.Context(), r.dir, small); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestLayerBomb(t *testing.T) {
	bomb := layerOf(t, header{name: "a", body: strings.Repeat("\x00", 8<<20)}) // a few kilobytes compressed
	if _, err := walkAll(t.Context(), layoutOf(t, imageOf(t, "amd64", bomb)), small); !errors.Is(err, archive.ErrTooLarge) {
		t.Errorf("error = %v", err)
	}
	if _, err := walkAll(t.Context(), packed(t, layoutOf(t, imageOf(t, "amd64", bomb)), true), small); !errors.Is(err, archive.ErrTooLarge) {
		t.Errorf("packed: error = %v", err)
	}
}

func TestLinkedBlobIsNoBlob(t *testing.T) {
	r := rawLayout(t).image(rawTar(t, &tar.Header{Name: "a", Size: 1}))
	layer := filepath.Join(r.dir, "blobs/sha256", strings.TrimPrefix(sha256Of([]byte(rawTar(t, &tar.Header{Name: "a", Size: 1}))), "sha256:"))
	if err := os.Remove(layer); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", layer); err != nil {
		t.Skip("no symbolic links here")
	}
	if _, err := walkAll(t.Context(), r.dir, small); !errors.Is(err, archive.ErrUnsupported) {
		t.Errorf("error = %v", err)
	}
}

func FuzzLayer(f *testing.F) {
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	for _, h := range []*tar.Header{{Name: "d/", Typeflag: tar.TypeDir}, {Name: "d/a", Typeflag: tar.TypeReg}, {Name: "d/.wh.b", Typeflag: tar.TypeReg}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/x"}} {
		if err := tw.WriteHeader(h); err != nil {
			f.Fatal(err)
		}
	}
	tw.Close()
	f.Add(out.Bytes())
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := rawLayout(t).image(string(b))
		shown, err := walkAll(t.Context(), r.dir, small)
		if err != nil {
			for _, known := range []error{archive.ErrHostile, archive.ErrTooLarge, archive.ErrUnsupported} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Errorf("error without a sentinel: %v", err)
		}
		for name := range shown {
			if clean, err := archive.CleanName(name); err != nil || clean != name {
				t.Errorf("%q was shown", name)
			}
		}
	})
}
