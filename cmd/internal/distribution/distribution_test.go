package distribution

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"

	"github.com/bartizan-mcp/bartizan/internal/release"
)

// serve starts a registry, seen through wrap if there is one, and returns its
// host and port. The docker configuration is empty unless auth is given.
func serve(t *testing.T, referrers bool, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	if os.Getenv("DOCKER_CONFIG") == "" {
		t.Setenv("DOCKER_CONFIG", t.TempDir())
	}
	handler := registry.New(registry.WithReferrersSupport(referrers), registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func login(t *testing.T, host, credential string) {
	t.Helper()
	dir := t.TempDir()
	body := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte(credential)))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
}

func ref(t *testing.T, s string) Reference {
	t.Helper()
	r, err := ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var ticket = Shipment{Name: "ticket", Version: "1.2.0", Wasm: []byte("\x00asm\x01\x00\x00\x00"), Bundles: [][]byte{[]byte(`{"bundle":1}`)}}

// places are a registry with the referrers API, one without, and a layout.
func places(t *testing.T) map[string]string {
	return map[string]string{
		"referrers API": "oci://" + serve(t, true, nil) + "/scanners/ticket",
		"tag fallback":  "oci://" + serve(t, false, nil) + "/scanners/ticket",
		"layout":        "oci:" + filepath.Join(t.TempDir(), "stick"),
	}
}

func TestPushAndPull(t *testing.T) {
	for name, place := range places(t) {
		digest, err := Push(t.Context(), ref(t, place+":1.2.0"), ticket, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := Push(t.Context(), ref(t, place+":1.2.0"), ticket, Options{})
		if err != nil || again != digest {
			t.Errorf("%s: pushed again: %s, %v", name, again, err)
		}
		for _, at := range []string{":1.2.0", "@" + digest} {
			got, err := Pull(t.Context(), ref(t, place+at), "ticket", Options{})
			if diff := cmp.Diff(ticket, got); err != nil || diff != "" {
				t.Errorf("%s%s: %v\n%s", name, at, err, diff)
			}
		}
		if _, err := Pull(t.Context(), ref(t, place+":9.9.9"), "ticket", Options{}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: what is not there: %v", name, err)
		}

		// A second bundle is one more; a version's tag does not move, others do.
		second := ticket
		second.Bundles = [][]byte{[]byte(`{"bundle":2}`)}
		if _, err := Push(t.Context(), ref(t, place+":1.2.0"), second, Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := Pull(t.Context(), ref(t, place+":1.2.0"), "ticket", Options{}); err != nil || len(got.Bundles) != 2 {
			t.Errorf("%s: %d bundles, %v", name, len(got.Bundles), err)
		}
		other := ticket
		other.Wasm = []byte("\x00asm\x01\x00\x00\x00other")
		if _, err := Push(t.Context(), ref(t, place+":1.2.0"), other, Options{}); release.ReasonOf(err) != release.Replaced {
			t.Errorf("%s: a version's tag was moved: %v", name, err)
		}
		for _, s := range []Shipment{ticket, other} {
			if _, err := Push(t.Context(), ref(t, place+":stable"), s, Options{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := Pull(t.Context(), ref(t, place+":stable"), "ticket", Options{}); err != nil || !bytes.Equal(got.Wasm, other.Wasm) {
			t.Errorf("%s: stable is another: %v", name, err)
		}
	}
}

func TestPushRefuses(t *testing.T) {
	place := ref(t, "oci:"+filepath.Join(t.TempDir(), "stick:1.2.0"))
	for name, change := range map[string]func(*Shipment){
		"no bundle":      func(s *Shipment) { s.Bundles = nil },
		"a large bundle": func(s *Shipment) { s.Bundles = [][]byte{make([]byte, release.MaxBundle+1)} },
		"a large module": func(s *Shipment) { s.Wasm = make([]byte, maxModule+1) },
	} {
		s := ticket
		change(&s)
		if _, err := Push(t.Context(), place, s, Options{}); release.ReasonOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHostileArtifacts pulls what somebody made who may write to a registry.
func TestHostileArtifacts(t *testing.T) {
	host := serve(t, true, nil)
	wasm := []byte("\x00asm\x01\x00\x00\x00")
	put := func(tag, artifactType string, layers ...ocispec.Descriptor) {
		t.Helper()
		r := ref(t, "oci://"+host+"/hostile:"+tag)
		to, err := open(r, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			if l.Size < 1<<20 && l.Data != nil {
				if err := to.Push(t.Context(), content.NewDescriptorFromBytes(l.MediaType, l.Data), bytes.NewReader(l.Data)); err != nil {
					t.Fatal(err)
				}
			}
		}
		d, err := oras.PackManifest(t.Context(), to, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{Layers: layers})
		if err == nil {
			err = to.Tag(t.Context(), d, tag)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	good := content.NewDescriptorFromBytes(LayerType, wasm)
	good.Data = wasm
	image, giant := good, good
	image.MediaType = ocispec.MediaTypeImageLayerGzip
	giant.Size = maxModule + 1
	put("image", ocispec.MediaTypeImageConfig, good)
	put("two", ArtifactType, good, good)
	put("layer", ArtifactType, image)
	put("giant", ArtifactType, giant)
	put("empty", ArtifactType)
	for _, tag := range []string{"image", "two", "layer", "giant", "empty"} {
		if _, err := Pull(t.Context(), ref(t, "oci://"+host+"/hostile:"+tag), "ticket", Options{}); release.ReasonOf(err) != release.Malformed {
			t.Errorf("%s: %v", tag, err)
		}
	}

	// Anybody can attach anything: junk does not hide the bundle.
	place := ref(t, "oci://"+host+"/crowded:1.2.0")
	if _, err := Push(t.Context(), place, ticket, Options{}); err != nil {
		t.Fatal(err)
	}
	to, err := open(place, Options{})
	if err != nil {
		t.Fatal(err)
	}
	subject, err := to.Resolve(t.Context(), "1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"application/vnd.example.sbom", BundleType} {
		for i := range 5 {
			if _, err := pack(t.Context(), to, kind, "text/plain", []byte{byte(i)}, &subject, map[string]string{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err := Pull(t.Context(), place, "ticket", Options{}); err != nil || len(got.Bundles) != 1 {
		t.Errorf("%d bundles, %v", len(got.Bundles), err)
	}
}

// TestTamperingRegistry serves other bytes under the digests asked for.
func TestTamperingRegistry(t *testing.T) {
	for _, what := range []string{"/blobs/", "/manifests/sha256:"} {
		var tamper atomic.Bool
		host := serve(t, true, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !tamper.Load() || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, what) {
					next.ServeHTTP(w, r)
					return
				}
				seen := httptest.NewRecorder()
				next.ServeHTTP(seen, r)
				body := seen.Body.Bytes()
				if len(body) > 0 {
					body[len(body)-1] ^= 1
				}
				for key, values := range seen.Header() {
					w.Header()[key] = values
				}
				w.WriteHeader(seen.Code)
				w.Write(body)
			})
		})
		place := ref(t, "oci://"+host+"/ticket:1.2.0")
		if _, err := Push(t.Context(), place, ticket, Options{}); err != nil {
			t.Fatal(err)
		}
		tamper.Store(true)
		if _, err := Pull(t.Context(), place, "ticket", Options{}); release.ReasonOf(err) != release.Tampered {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestHostileLayout pulls from a folder that somebody else filled.
func TestHostileLayout(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, ticket.Wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(dir, blob string) error{
		"another module": func(_, blob string) error { return os.WriteFile(blob, []byte("\x00asm\x02\x00\x00\x00"), 0o600) },
		"a link that leads out": func(_, blob string) error {
			return errors.Join(os.Remove(blob), os.Symlink(outside, blob))
		},
		"a folder": func(_, blob string) error { return errors.Join(os.Remove(blob), os.Mkdir(blob, 0o700)) },
		"a giant index": func(dir, _ string) error {
			return os.Truncate(filepath.Join(dir, ocispec.ImageIndexFile), maxIndex+1)
		},
		"an index that is none": func(dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, ocispec.ImageIndexFile), []byte("{"), 0o600)
		},
		"a forged size": func(dir, _ string) error {
			path := filepath.Join(dir, ocispec.ImageIndexFile)
			var index ocispec.Index
			body, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(body, &index)
			}
			if err != nil {
				return err
			}
			for i := range index.Manifests {
				index.Manifests[i].Size = 1 << 60
			}
			if body, err = json.Marshal(index); err != nil {
				return err
			}
			return os.WriteFile(path, body, 0o600)
		},
	} {
		dir := filepath.Join(t.TempDir(), "stick")
		place := ref(t, "oci:"+dir+":1.2.0")
		if _, err := Push(t.Context(), place, ticket, Options{}); err != nil {
			t.Fatal(err)
		}
		blob := filepath.Join(dir, "blobs", "sha256", content.NewDescriptorFromBytes(LayerType, ticket.Wasm).Digest.Encoded())
		if err := os.Chmod(blob, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := spoil(dir, blob); err != nil {
			t.Fatal(err)
		}
		if got, err := Pull(t.Context(), place, "ticket", Options{}); err == nil {
			t.Errorf("%s: pulled %q", name, got.Wasm)
		}
	}
}

// TestCredentials are those of the docker configuration, for the registry they
// are for.
func TestCredentials(t *testing.T) {
	guarded := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, pass, ok := r.BasicAuth(); !ok || user != "ann" || pass != "secret" {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := serve(t, true, guarded)
	place := ref(t, "oci://"+host+"/ticket:1.2.0")
	if _, err := Push(t.Context(), place, ticket, Options{}); !errors.Is(err, ErrAuth) {
		t.Errorf("without credentials: %v", err)
	}
	login(t, host, "ann:wrong")
	if _, err := Push(t.Context(), place, ticket, Options{}); !errors.Is(err, ErrAuth) {
		t.Errorf("with wrong credentials: %v", err)
	}
	login(t, host, "ann:secret")
	if _, err := Push(t.Context(), place, ticket, Options{}); err != nil {
		t.Error(err)
	}
	if _, err := Pull(t.Context(), place, "ticket", Options{}); err != nil {
		t.Error(err)
	}
}

// TestNoCredentialsElsewhere has a registry send its client to another host:
// content may come from there, credentials and uploads do not go there.
func TestNoCredentialsElsewhere(t *testing.T) {
	var stolen, written atomic.Int32
	var inner http.Handler
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			stolen.Add(1)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			written.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	defer thief.Close()
	var redirect, upload atomic.Bool
	wrap := func(next http.Handler) http.Handler {
		inner = next
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			switch {
			case redirect.Load() && r.Method == http.MethodGet:
				http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
			case upload.Load() && r.Method == http.MethodPost:
				w.Header().Set("Location", thief.URL+"/v2/ticket/blobs/uploads/1")
				w.WriteHeader(http.StatusAccepted)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := serve(t, true, wrap)
	login(t, host, "ann:secret")
	place := ref(t, "oci://"+host+"/ticket:1.2.0")
	if _, err := Push(t.Context(), place, ticket, Options{}); err != nil {
		t.Fatal(err)
	}
	redirect.Store(true)
	if got, err := Pull(t.Context(), place, "ticket", Options{}); err != nil || !bytes.Equal(got.Wasm, ticket.Wasm) {
		t.Errorf("content from elsewhere: %v", err)
	}
	upload.Store(true)
	other := ticket
	other.Wasm = []byte("another")
	if _, err := Push(t.Context(), ref(t, "oci://"+host+"/ticket:2.0.0"), other, Options{}); err == nil {
		t.Error("uploaded elsewhere")
	}
	if stolen.Load() != 0 || written.Load() != 0 {
		t.Errorf("elsewhere got credentials %d times, uploads %d times", stolen.Load(), written.Load())
	}
}

// trips answers every request with 200 and keeps it.
type trips struct{ last *http.Request }

func (r *trips) RoundTrip(req *http.Request) (*http.Response, error) {
	r.last = req
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}}, nil
}

func TestGuard(t *testing.T) {
	for _, c := range []struct {
		method, url, host string
		plain             bool
		realm             string
		want              error
		bare              bool // goes without credentials
	}{
		{"GET", "https://registry.example/v2/", "registry.example", false, "", nil, false},
		{"PUT", "https://registry.example/v2/", "registry.example", false, "", nil, false},
		{"GET", "http://registry.example/v2/", "registry.example", false, "", ErrPlaintext, false},
		{"GET", "http://registry.example/v2/", "registry.example", true, "", nil, false},
		{"GET", "http://cdn.example/x", "registry.example", true, "", ErrPlaintext, false},
		{"GET", "http://169.254.169.254/x", "registry.example", true, "", ErrPlaintext, false},
		{"GET", "http://127.0.0.1:5000/v2/", "127.0.0.1:5000", true, "", nil, false},
		{"GET", "http://127.0.0.1:5001/x", "127.0.0.1:5000", true, "", nil, true},
		{"GET", "http://127.0.0.1:5001/x", "registry.example", false, "", ErrPlaintext, false},
		{"GET", "https://cdn.example/x", "registry.example", false, "", nil, true},
		{"PUT", "https://cdn.example/x", "registry.example", false, "", ErrElsewhere, false},
		{"POST", "https://registry.example:8443/x", "registry.example", false, "", ErrElsewhere, false},
		{"GET", "https://auth.example/token?service=x", "registry.example", false, "https://auth.example/token", nil, false},
		{"POST", "https://auth.example/token", "registry.example", false, "https://auth.example/token", nil, false},
		{"GET", "https://auth.example/other", "registry.example", false, "https://auth.example/token", nil, true},
		{"GET", "http://auth.example/token", "registry.example", false, "http://auth.example/token", ErrPlaintext, false},
		{"GET", "file:///etc/passwd", "registry.example", true, "", ErrElsewhere, false},
	} {
		next := &trips{}
		g := &guard{next: next, host: c.host, plain: c.plain}
		if c.realm != "" {
			g.learn(&http.Response{Header: http.Header{"Www-Authenticate": {`Bearer realm="` + c.realm + `",service="x"`}}})
		}
		req, err := http.NewRequestWithContext(t.Context(), c.method, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer secret")
		if _, err := g.RoundTrip(req); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s %s: %v, want %v", c.method, c.url, err, c.want)
		} else if err == nil && (next.last.Header.Get("Authorization") == "") != c.bare {
			t.Errorf("%s %s: with credentials %t", c.method, c.url, c.bare)
		}
		if req.Header.Get("Authorization") == "" {
			t.Errorf("%s %s: the caller's request was changed", c.method, c.url)
		}
	}
}

func TestParseReference(t *testing.T) {
	for s, want := range map[string][2]string{ // name, tag
		"oci://registry.example/acme/ticket:1.2.0":            {"ticket", "1.2.0"},
		"oci://127.0.0.1:5000/ticket:latest":                  {"ticket", "latest"},
		"oci://r.example/t@sha256:" + strings.Repeat("a", 64): {"t", ""},
		"oci:./stick:1.2.0":                                   {"", "1.2.0"},
		"oci:/media/a:b/stick:v1":                             {"", "v1"},
		"oci:stick@sha256:" + strings.Repeat("a", 64):         {"", ""},
	} {
		r, err := ParseReference(s)
		if err != nil || r.Name() != want[0] || r.Tag() != want[1] {
			t.Errorf("%s: %q %q %v", s, r.Name(), r.Tag(), err)
		}
	}
	for _, s := range []string{"", "ticket.wasm", "oci:", "oci:dir", "oci::1.0.0", "oci:/a:b/c", "oci://registry.example", "oci://registry.example/ticket", "oci://r.example/Ticket:1", "https://r.example/t:1", "oci:dir:a b", "oci:dir@sha256:00"} {
		if r, err := ParseReference(s); !errors.Is(err, ErrReference) {
			t.Errorf("%q is %+v, %v", s, r, err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("oci://registry.example/acme/ticket:1.2.0")
	f.Add("oci:./stick:1.2.0")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err != nil {
			return
		}
		if r.tag == "" || r.layout == "" && r.remote.Host() == "" || strings.ContainsAny(r.Name(), "/\x00") {
			t.Errorf("%q is %+v", s, r)
		}
	})
}
