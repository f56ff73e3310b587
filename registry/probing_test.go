//go:build linux && (amd64 || arm64)

package registry

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
	"github.com/bartizan-mcp/bartizan/registry/probe"
)

// TestProbedPublication publishes local servers without a listing.
func TestProbedPublication(t *testing.T) {
	prober, err := probe.New(probe.Config{Scratch: t.TempDir(), Linger: 20 * time.Millisecond})
	if errors.Is(err, sandbox.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "server")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", program, "./probe/testdata/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	h := newHouse(t)
	local := func(version, act string) Submission {
		f, err := os.Open(program)
		h.must(err)
		defer f.Close()
		digest, err := h.StoreArtifact(t.Context(), f)
		h.must(err)
		sub := h.submission("weather", version, h.publisher)
		sub.Artifact, sub.Listing, sub.Bundles = digest, nil, [][]byte{h.sign(h.publisher, hexDigest(digest))}
		sub.Options.Launch = admission.Launch{Command: []string{"/usr/local/bin/acme", act}, Dir: "/", EnvNames: []string{"ACME_TOKEN"}}
		return sub
	}
	_, err = h.Publish(t.Context(), alice, local("0.9.0", "honest"))
	wantRefusal(t, err, ErrInvalid, RefusedListingMissing)
	h.Probe = prober

	v, err := h.Publish(t.Context(), alice, local("1.0.0", "honest"))
	h.must(err)
	if v.State != admission.InReview || v.Source != listing.SourceProbe || v.Probe == "" || v.Listing == "" {
		t.Fatalf("%+v", v)
	}
	var report probe.Report
	raw, err := h.get(t.Context(), v.Probe, MaxEvidence)
	h.must(err)
	h.must(json.Unmarshal(raw, &report))
	if len(report.Runs) != 4 {
		t.Errorf("%s", raw)
	}
	if got := h.answersOf(v); got["TOOL-12"] != admission.Pass || got["TOOL-13"] != admission.Pass || got["PERM-4"] != admission.Pass || got["NET-4"] != admission.Pass {
		t.Errorf("%v", got)
	}

	v, err = h.Publish(t.Context(), alice, local("1.0.1", "exfiltrate"))
	h.must(err)
	if v.State != admission.Quarantined || reasons(v) != admission.ReasonCanaryLeft || !strings.Contains(v.Reasons[0].Detail, "~/.aws/credentials in network") {
		t.Errorf("%s %+v", v.State, v.Reasons)
	}
	if got := h.answersOf(v); got["TOOL-12"] != admission.Fail || got["PERM-4"] != admission.Fail || got["NET-4"] != admission.Fail {
		t.Errorf("%v", got)
	}

	v, err = h.Publish(t.Context(), alice, local("1.0.2", "client"))
	h.must(err)
	if got := h.answersOf(v); v.State != admission.InReview || got["TOOL-13"] != admission.Fail || got["NET-4"] != admission.Pass {
		t.Errorf("%s %v", v.State, got)
	}

	_, err = h.Publish(t.Context(), alice, local("1.0.3", "dies"))
	wantRefusal(t, err, ErrInvalid, RefusedCapture)
	bare := local("1.0.4", "honest")
	bare.Artifact = ""
	_, err = h.Publish(t.Context(), alice, bare)
	wantRefusal(t, err, ErrInvalid, RefusedListingMissing)
	h.ProbeRequired = true
	_, err = h.Publish(t.Context(), alice, h.submission("weather", "1.0.5", h.publisher))
	wantRefusal(t, err, ErrInvalid, RefusedProbe)
}

func (h *house) answersOf(v *admission.Version) map[string]admission.Result {
	h.t.Helper()
	r, err := h.Review(h.t.Context(), "default", v.Review)
	h.must(err)
	out := map[string]admission.Result{}
	for _, i := range r.Items {
		out[i.Code] = i.Result
	}
	return out
}
