package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/bartizan-mcp/bartizan/registry/secrets"
)

var findsSecrets = sync.OnceValues(func() (*secrets.Finder, error) {
	modules, err := plugins.Modules()
	if err != nil {
		return nil, err
	}
	e, err := engine.New(context.Background(), engine.Config{})
	if err != nil {
		return nil, err
	}
	s, err := e.Load(context.Background(), modules[secrets.Scanner], engine.Options{})
	if err != nil {
		return nil, err
	}
	return secrets.New(s, []byte("key"))
})

func TestSecretsQuarantine(t *testing.T) {
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	f, err := findsSecrets()
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.Secrets = f
	sum := sha256.Sum256([]byte("cloud"))
	secret := "dop_v1_" + hex.EncodeToString(sum[:])
	with := func(version string, files map[string]string, argv ...string) *admission.Version {
		t.Helper()
		sub := h.submission("weather", version, nil)
		files["package/package.json"] = `{"name":"@acme/weather","version":"` + version + `"}`
		body := tarOf(t, files)
		digest, err := h.StoreArtifact(t.Context(), bytes.NewReader(body))
		h.must(err)
		sub.Artifact, sub.Options.Launch.Command = digest, append(sub.Options.Launch.Command, argv...)
		sub.Bundles = [][]byte{h.sign(h.publisher, hexDigest(digest))}
		v, err := h.Publish(t.Context(), alice, sub)
		h.must(err)
		return v
	}
	for version, tc := range map[string]struct {
		files map[string]string
		argv  []string
		want  string // in the reason; "" is none
	}{
		"1.0.0": {map[string]string{"package/index.js": "x"}, nil, ""},
		"1.0.1": {map[string]string{"package/lib/a.js": "\nconst t = '" + secret + "'"}, nil, "package/lib/a.js line 2 (exfil.provider-token)"},
		"1.0.2": {map[string]string{"package/test/a.js": secret}, nil, ""},
		"1.0.3": {map[string]string{"package/index.js": "x"}, []string{"--token=" + secret}, "launch argument 2"},
	} {
		v := with(version, tc.files, tc.argv...)
		item := itemOf(t, h.review(v.Review), "AUTH-2")
		if tc.want == "" {
			if v.State != admission.InReview || item.Result != admission.Pass {
				t.Errorf("%s: %s %q, AUTH-2 %s %q", version, v.State, reasons(v), item.Result, item.Note)
			}
			continue
		}
		if v.State != admission.Quarantined || reasons(v) != admission.ReasonHardCodedSecret || item.Result != admission.Fail {
			t.Errorf("%s: %s %q, AUTH-2 %s", version, v.State, reasons(v), item.Result)
			continue
		}
		evidence, err := h.get(t.Context(), item.Evidence, MaxEvidence)
		h.must(err)
		for _, said := range []string{v.Reasons[0].Detail, item.Note, string(evidence)} {
			if !strings.Contains(said+v.Reasons[0].Detail, tc.want) || strings.Contains(said, secret[10:30]) {
				t.Errorf("%s: %s", version, said)
			}
		}
	}
}

// Nobody who looked is not nothing found.
func TestSecretsUnmeasured(t *testing.T) {
	h := newHouse(t)
	v := h.publish("weather", "1.0.0")
	if item := itemOf(t, h.review(v.Review), "AUTH-2"); item.Result != admission.Unanswered || !strings.Contains(item.Note, "unmeasured") {
		t.Errorf("%+v", item)
	}
}

func (h *house) review(id string) *admission.Review {
	h.t.Helper()
	r, err := h.Review(h.t.Context(), "default", id)
	h.must(err)
	return r
}
