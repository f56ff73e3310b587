package main

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/bartizan-mcp/bartizan/cmd/internal/distribution"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/release"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

// harbour is a registry to which everybody may write, and an author.
type harbour struct {
	dir, host     string
	author, thief *attest.Key
}

func newHarbour(t *testing.T, referrers bool) *harbour {
	t.Helper()
	h := &harbour{dir: t.TempDir()}
	t.Chdir(h.dir)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("BARTIZAN_CONFIG", "")
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(referrers), registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	h.host = strings.TrimPrefix(server.URL, "http://")
	for name, key := range map[string]**attest.Key{"acme.key": &h.author, "mallory.key": &h.thief} {
		k, err := attest.GenerateKey()
		if err == nil {
			err = k.Save(name)
		}
		if err != nil {
			t.Fatal(err)
		}
		*key = k
	}
	return h
}

// module makes a scanner; body tells those of one version apart.
func (h *harbour) module(t *testing.T, name, version, body string) []byte {
	t.Helper()
	wasm, err := wat.Assemble(`(module (memory (export "memory") 64)
  (data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}") (data (i32.const 2048) "` + body + `")
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 4398046511139)))`)
	if err == nil {
		wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, []byte(`{"abi":1,"name":"`+name+`","version":"`+version+`","phases":["request"],`+
			`"encoding":"json","form":"reactor","call":"always","rules":[{"id":"x.y","family":"integrity","severity":"low","taxonomy":[],"description":"None."}]}`))
	}
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func (h *harbour) bundle(t *testing.T, key *attest.Key, wasm []byte) []byte {
	t.Helper()
	m, err := engine.ReadManifest(wasm)
	if err != nil {
		t.Fatal(err)
	}
	b, err := release.Sign(t.Context(), key, release.Module{Name: m.Name, Version: m.Version, Digest: engine.Digest(wasm)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ship puts whatever it is given into the registry, as one does who may write
// there.
func (h *harbour) ship(t *testing.T, at string, wasm, bundle []byte) {
	t.Helper()
	r, err := distribution.ParseReference("oci://" + h.host + "/" + at)
	if err == nil {
		_, err = distribution.Push(t.Context(), r, distribution.Shipment{Name: "ticket", Version: "1.2.0", Wasm: wasm, Bundles: [][]byte{bundle}}, distribution.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// shipBare puts a module there without a bundle.
func (h *harbour) shipBare(t *testing.T, at, tag string, wasm []byte) {
	t.Helper()
	to, err := remote.NewRepository(h.host + "/" + at)
	if err != nil {
		t.Fatal(err)
	}
	to.PlainHTTP = true
	layer := content.NewDescriptorFromBytes(distribution.LayerType, wasm)
	if err := to.Push(t.Context(), layer, bytes.NewReader(wasm)); err != nil {
		t.Fatal(err)
	}
	d, err := oras.PackManifest(t.Context(), to, oras.PackManifestVersion1_1, distribution.ArtifactType, oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}})
	if err == nil {
		err = to.Tag(t.Context(), d, tag)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ran runs a command line, whatever becomes of it.
func ran(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// TestPullAttacks has `scanner pull` meet every artifact that must not arrive.
// Each is refused with the reason of the closed list and exit code 3, and
// nothing is written.
func TestPullAttacks(t *testing.T) {
	for _, referrers := range []bool{true, false} {
		h := newHarbour(t, referrers)
		good, older, newer := h.module(t, "ticket", "1.2.0", "good"), h.module(t, "ticket", "1.1.0", "old"), h.module(t, "ticket", "1.3.0", "new")
		twin, other := h.module(t, "ticket", "1.2.0", "evil"), h.module(t, "other", "1.2.0", "other")
		signed := func(wasm []byte) []byte { return h.bundle(t, h.author, wasm) }
		h.ship(t, "good/ticket:1.2.0", good, signed(good))
		h.ship(t, "tampered/ticket:1.2.0", twin, signed(good))
		h.shipBare(t, "unsigned/ticket", "1.2.0", good)
		h.ship(t, "stranger/ticket:1.2.0", good, h.bundle(t, h.thief, good))
		h.ship(t, "other/ticket:1.2.0", other, signed(other))
		h.ship(t, "relabelled/ticket:1.2.0", other, signed(good))
		h.ship(t, "older/ticket:1.2.0", older, signed(older))
		h.ship(t, "newer/ticket:1.2.0", newer, signed(newer))
		h.ship(t, "stable/ticket:stable", older, signed(older))
		h.ship(t, "replaced/ticket:stable", twin, signed(twin))
		h.ship(t, "junk/ticket:1.2.0", good, []byte(`{"mediaType":"x"}`))
		h.ship(t, "nothing/ticket:1.2.0", []byte("no module"), signed(good))
		ledger, err := release.OpenLedger(filepath.Join(h.dir, "scanners.json"))
		if err == nil {
			err = ledger.Record([]release.Module{{Name: "ticket", Version: "1.3.0", Digest: engine.Digest(newer)}})
		}
		if err == nil {
			err = os.WriteFile("bartizan.yaml", []byte("data: .\nscanners:\n  trust: [{scanner: ticket, keys: [acme.key.pub]}]\n"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			at, out string // out "": nothing is there before
			args    []string
			want    release.Reason
		}{
			{"tampered/ticket:1.2.0", "", nil, release.Tampered},
			{"unsigned/ticket:1.2.0", "", nil, release.Unsigned},
			{"stranger/ticket:1.2.0", "", nil, release.Signature},
			{"other/ticket:1.2.0", "", nil, release.Swapped},
			{"relabelled/ticket:1.2.0", "", nil, release.Tampered},
			{"good/ticket:1.2.0", "", []string{"--name", "billing"}, release.Swapped},
			{"older/ticket:1.2.0", "", nil, release.Rollback},
			{"newer/ticket:1.2.0", "", nil, release.Swapped},
			{"stable/ticket:stable", "good", nil, release.Rollback},
			{"stable/ticket:stable", "", []string{"--min-version", "1.2.0"}, release.Rollback},
			{"replaced/ticket:stable", "good", nil, release.Replaced},
			{"good/ticket:1.2.0", "", []string{"--digest", engine.Digest(twin)}, release.Pinned},
			{"good/ticket:1.2.0", "", []string{"--config", "bartizan.yaml"}, release.Rollback},
			{"other/ticket:1.2.0", "", []string{"--name", "other", "--config", "bartizan.yaml"}, release.Unknown},
			{"junk/ticket:1.2.0", "", nil, release.Malformed},
			{"nothing/ticket:1.2.0", "", nil, release.Malformed},
		} {
			_ = os.Remove("t.wasm" + release.BundleSuffix)
			if err := os.WriteFile("t.wasm", good, 0o600); err != nil {
				t.Fatal(err)
			}
			if c.out == "" {
				_ = os.Remove("t.wasm")
			}
			args := append([]string{"scanner", "pull", "oci://" + h.host + "/" + c.at, "--out", "t.wasm"}, c.args...)
			if !strings.Contains(strings.Join(args, " "), "--config") {
				args = append(args, "--public", "acme.key.pub")
			}
			code, stdout, stderr := ran(t, args...)
			if code != exitPolicy || !strings.Contains(stderr, "refused: "+string(c.want)+":") || stdout != "" {
				t.Errorf("%s %q: exit %d, want %s: %s%s", c.at, c.args, code, c.want, stdout, stderr)
			}
			now, err := os.ReadFile("t.wasm")
			if c.out == "" && err == nil || c.out != "" && !bytes.Equal(now, good) {
				t.Errorf("%s %q: something was written", c.at, c.args)
			}
			if _, err := os.Stat("t.wasm" + release.BundleSuffix); err == nil {
				t.Errorf("%s %q: a bundle was written", c.at, c.args)
			}
		}
	}
}

// TestPushAndPull goes the author's way and the operator's, through a registry
// and through a folder.
func TestPushAndPull(t *testing.T) {
	for _, referrers := range []bool{true, false} {
		h := newHarbour(t, referrers)
		good := h.module(t, "ticket", "1.2.0", "good")
		if err := os.WriteFile("ticket.wasm", good, 0o600); err != nil {
			t.Fatal(err)
		}
		place := "oci://" + h.host + "/scanners/ticket"
		steps := []struct {
			want int
			args []string
			says string
		}{
			{exitPolicy, []string{"push", "ticket.wasm", place + ":1.2.0"}, "refused: unsigned"},
			{exitOK, []string{"sign", "ticket.wasm", "--key", "acme.key"}, `"signer": "key `},
			{exitUsage, []string{"push", "ticket.wasm", place + ":1.3.0"}, "the module is version 1.2.0"},
			{exitUsage, []string{"push", "ticket.wasm", place}, "a tag or digest is needed"},
			{exitOK, []string{"push", "ticket.wasm", place + ":v1.2.0"}, `"artifact": "sha256:`},
			{exitOK, []string{"push", "ticket.wasm", "oci:stick:1.2.0", "-o", "table"}, "oci:stick:1.2.0"},
			{exitOK, []string{"pull", place + ":v1.2.0", "--public", "acme.key.pub", "--out", "remote.wasm"}, `"signer": "key ` + h.author.KeyID()},
			{exitOK, []string{"pull", place + ":v1.2.0", "--public", "acme.key.pub", "--out", "remote.wasm"}, `"version": "1.2.0"`},
			{exitOK, []string{"pull", "oci:stick:1.2.0", "--name", "ticket", "--public", "acme.key.pub", "--out", "local.wasm"}, engine.Digest(good)},
			{exitOK, []string{"list", "--config", "bartizan.yaml"}, "nobody"},
			{exitUsage, []string{"pull", "oci:stick:1.2.0", "--public", "acme.key.pub"}, "--name"},
			{exitUsage, []string{"pull", place + ":v1.2.0"}, "whose signature?"},
			{exitUsage, []string{"pull", place + ":v1.2.0", "--public", "acme.key.pub", "--config", "bartizan.yaml"}, "either"},
			{exitUsage, []string{"pull", place + ":v1.2.0", "--public", "acme.key.pub", "--digest", "x"}, "--digest"},
			{exitUsage, []string{"pull", place + ":v1.2.0", "--public", "acme.key.pub", "--min-version", "1"}, "--min-version"},
			{exitFailure, []string{"pull", place + ":v1.2.0", "--public", "acme.key.pub", "--out", "acme.key.pub"}, "not overwritten"},
			{exitFailure, []string{"pull", place + ":9.9.9", "--public", "acme.key.pub"}, "nothing there"},
			{exitFailure, []string{"pull", "oci:nowhere:1.2.0", "--name", "ticket", "--public", "acme.key.pub"}, "nothing there"},
		}
		if err := os.WriteFile("bartizan.yaml", []byte("scanners:\n  extra: [local.wasm]\n  trust: [{scanner: ticket, unsafeUnsigned: true}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			code, stdout, stderr := ran(t, append([]string{"scanner"}, s.args...)...)
			if s.args[0] == "list" && code == exitFailure {
				continue // without the modules of this binary there is no list
			}
			if code != s.want || !strings.Contains(stdout+stderr, s.says) {
				t.Errorf("%q: exit %d, want %d and %q:\n%s%s", s.args, code, s.want, s.says, stdout, stderr)
			}
		}
		for _, file := range []string{"remote.wasm", "local.wasm"} {
			got, err := os.ReadFile(file)
			if err != nil || !bytes.Equal(got, good) {
				t.Errorf("%s: %v", file, err)
			}
			code, _, stderr := ran(t, "verify", file, "--bundle", file+release.BundleSuffix, "--public", "acme.key.pub")
			if code != exitOK {
				t.Errorf("%s: %s", file, stderr)
			}
		}
	}
}
