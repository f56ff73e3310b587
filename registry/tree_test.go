package registry

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// bound is an honest submission of a server that is started from its artifact.
func (h *house) bound(name, version string) Submission {
	sub := h.submission(name, version, h.publisher)
	sub.Options.Launch = admission.Launch{
		Command: []string{"/usr/bin/node", "{tree}/package/index.js"}, Dir: "{tree}", Runtimes: []string{sum([]byte("node 22")), sum([]byte("node 24"))},
		Env: map[string]string{"MODE": "read"},
	}
	return sub
}

// TestArtifactBinding: the approval names the tree that gateways make of the
// artifact, and gateways get the artifact once the approval is there.
func TestArtifactBinding(t *testing.T) {
	h := newHouse(t)
	sub := h.bound("weather", "1.0.0")
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	if v.Binding != "artifact" || v.State != admission.InReview {
		t.Fatalf("binding %s, state %s %s", v.Binding, v.State, reasons(v))
	}
	digest := hexDigest(sub.Artifact)
	_, _, err = h.Artifact(t.Context(), "default", digest)
	wantRefusal(t, err, ErrNotFound, RefusedUnknown)
	v = h.approve(v)
	bundle, err := h.Source("default").Approval(t.Context(), hexDigest(v.Approval))
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)

	r, size, err := h.Artifact(t.Context(), "default", digest)
	h.must(err)
	defer r.Close()
	b, err := io.ReadAll(r)
	h.must(err)
	if int64(len(b)) != size || sum(b) != a.Proven.Artifact {
		t.Error("the gateway gets another artifact than the approved one")
	}
	file, dir := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "tree")
	h.must(os.WriteFile(file, b, 0o600))
	t.Cleanup(func() { _ = tree.Remove(dir) })
	made, err := tree.Materialise(t.Context(), file, dir, archive.Limits{})
	h.must(err)
	if made != a.Proven.Tree || made != v.Tree {
		t.Errorf("a gateway makes tree %s, approved is %s", made, a.Proven.Tree)
	}
	if a.Binding != approval.BindingArtifact || !a.Satisfies(approval.BindingArtifact) || len(a.Launch.Runtimes) != 2 || a.Launch.Env["MODE"] != "read" {
		t.Errorf("approved: %s %+v", a.Binding, a.Launch)
	}
	_, _, err = h.Artifact(t.Context(), "other", digest)
	wantRefusal(t, err, ErrNotFound, RefusedUnknown)
	_, err = h.Quarantine(t.Context(), origin("default", "ada", "admin"), v.Name, v.Version, "withdrawn")
	h.must(err)
	_, _, err = h.Artifact(t.Context(), "default", digest)
	wantRefusal(t, err, ErrNotFound, RefusedUnknown)
	left, err := filepath.Glob(filepath.Join(h.dir, scratch, "*"))
	if h.must(err); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestOnlyApprovedArtifactsLeave: what is started from no tree is no gateway's
// to read, and neither is any other blob.
func TestOnlyApprovedArtifactsLeave(t *testing.T) {
	h := newHouse(t)
	v := h.approve(h.publish("weather", "1.0.0"))
	for _, digest := range []string{v.Artifact, v.SBOM, v.Listing, v.ServerJSON, "sha256:x", ""} {
		_, _, err := h.Artifact(t.Context(), "default", hexDigest(digest))
		wantRefusal(t, err, ErrNotFound, RefusedUnknown)
	}
}

// TestLaunchRefusals: what an approval would not take is refused at the door,
// with the reason, and nothing is stored.
func TestLaunchRefusals(t *testing.T) {
	h := newHouse(t)
	for name, tc := range map[string]struct {
		change func(*Submission)
		reason string
		says   string
	}{
		"no artifact":      {func(s *Submission) { s.Artifact, s.Bundles = "", nil }, RefusedOptions, "needs an artifact"},
		"no runtime":       {func(s *Submission) { s.Options.Launch.Runtimes = nil }, RefusedOptions, "runtime digests"},
		"out of the tree":  {func(s *Submission) { s.Options.Launch.Command[1] = "{tree}/../x.js" }, RefusedOptions, "no clean path"},
		"other code":       {func(s *Submission) { s.Options.Launch.Command = []string{"/usr/bin/node", "-e", "evil()", "{tree}/x"} }, RefusedOptions, "may load other code"},
		"a loader":         {func(s *Submission) { s.Options.Launch.Env = map[string]string{"NODE_OPTIONS": "--require /tmp/x"} }, RefusedOptions, "Node.js takes options"},
		"a loader by name": {func(s *Submission) { s.Options.Launch.EnvNames = []string{"LD_PRELOAD"} }, RefusedOptions, "dynamic loader"},
		"a loader, command": {func(s *Submission) {
			s.Options.Launch = admission.Launch{Command: []string{"node", "index.js"}, EnvNames: []string{"LD_PRELOAD"}}
		}, RefusedOptions, "dynamic loader"},
		"no such file": {func(s *Submission) { s.Options.Launch.Command[1] = "{tree}/index.js" }, RefusedArtifact, "argument 1 is not in the tree"},
		"a script as program": {func(s *Submission) {
			s.Options.Launch.Command, s.Options.Launch.Runtimes = []string{"{tree}/package/index.js"}, nil
		}, RefusedArtifact, "no native executable"},
		"pin without a remote": {func(s *Submission) { s.Options.Launch = admission.Launch{Pin: "sha256:" + sum(nil)} }, RefusedLaunch, ""},
		"no tree": {func(s *Submission) {
			digest, err := h.StoreArtifact(t.Context(), bytes.NewReader(tarOf(t, map[string]string{"a/Index.js": "", "a/index.js": ""})))
			h.must(err)
			s.Artifact, s.Bundles = digest, [][]byte{h.sign(h.publisher, hexDigest(digest))}
		}, RefusedArtifact, "differ in case only"},
	} {
		t.Run(name, func(t *testing.T) {
			sub := h.bound("weather", "1.0.0")
			tc.change(&sub)
			_, err := h.Publish(t.Context(), alice, sub)
			wantRefusal(t, err, ErrInvalid, tc.reason)
			if err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("says %q, want %q", err, tc.says)
			}
			if all, err := h.List(t.Context(), "default"); err != nil || len(all) != 0 {
				t.Errorf("left behind: %v %v", all, err)
			}
		})
	}
}

// TestLaunchIsVotedAbout (CVE-2025-54136): whoever swaps the command, a runtime
// digest, a value or the tree after the vote swaps the subject, and nothing is
// signed.
func TestLaunchIsVotedAbout(t *testing.T) {
	h := newHouse(t)
	v, err := h.Publish(t.Context(), alice, h.bound("weather", "1.0.0"))
	h.must(err)
	r := h.complete(v.Review)
	_, err = h.Vote(t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
	h.must(err)
	for name, swap := range map[string]func(*admission.Version){
		"command": func(v *admission.Version) { v.Launch.Command[1] = "{tree}/package/package.json" },
		"runtime": func(v *admission.Version) { v.Launch.Runtimes = []string{sum([]byte("evil node"))} },
		"value":   func(v *admission.Version) { v.Launch.Env = map[string]string{"MODE": "write"} },
		"tree":    func(v *admission.Version) { v.Tree = sum([]byte("evil tree")) },
		"binding": func(v *admission.Version) { v.Binding = "command" },
	} {
		stored, err := h.find(t.Context(), "default", v.Name, v.Version)
		h.must(err)
		swapped := *stored
		swapped.Version.Launch.Command = append([]string{}, stored.Launch.Command...)
		swap(&swapped.Version)
		h.must(h.move(t.Context(), &swapped, admission.InReview, nil))
		if approved, err := h.Approve(t.Context(), bob, v.Review, r.Subject); err == nil {
			t.Errorf("%s swapped: approved %s", name, approved.Approval)
		}
		h.must(h.move(t.Context(), stored, admission.InReview, nil))
	}
	if got := h.listed("default"); len(got) != 0 {
		t.Errorf("snapshot lists %v", got)
	}
	_, err = h.Approve(t.Context(), bob, v.Review, r.Subject)
	h.must(err)
}

// TestNobodyStartsCommands (CVE-2026-42271): whatever a role but the publisher's
// asks to have started, and however, is refused before it is read, and nothing
// has run; what a publisher's launch says goes to no shell.
func TestNobodyStartsCommands(t *testing.T) {
	h := newHouse(t)
	marker := filepath.Join(t.TempDir(), "ran")
	for _, role := range identity.Roles() {
		for _, command := range [][]string{{"/bin/touch", marker}, {"/bin/sh", "-c", "touch " + marker}, {"x; touch " + marker}, {"$(touch " + marker + ")"}} {
			sub := h.submission("weather", "1.0.0", h.publisher)
			sub.Options.Launch = admission.Launch{Command: command}
			by := origin("default", "mallory", role)
			if role != identity.RolePublisher && role != identity.RoleAdmin {
				_, err := h.Publish(t.Context(), by, sub)
				wantRefusal(t, err, ErrForbidden, RefusedRole)
			}
		}
	}
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.Options.Launch = admission.Launch{Command: []string{"sh; touch " + marker, "$(touch " + marker + ")", "`touch " + marker + "`"}}
	if v, err := h.Publish(t.Context(), alice, sub); err != nil || v.Binding != "command" {
		t.Errorf("%v, %v", v, err)
	}
	for _, url := range []string{"file:///etc/passwd", "javascript:alert(1)", "https://a.example/$(touch x)", "http://a.example/;touch x", "data:text/html,x"} {
		sub := h.submission("weather", "1.0.1", h.publisher)
		sub.Options.Launch = admission.Launch{URL: url}
		_, err := h.Publish(t.Context(), alice, sub)
		wantRefusal(t, err, ErrInvalid, RefusedOptions)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("something was started")
	}
}

// TestTreeHoldsWhatTheSBOMNames: the lockfile calls the digest of another package
// by a good name. What gateways would load is in the SBOM, and people have to
// answer for it.
func TestTreeHoldsWhatTheSBOMNames(t *testing.T) {
	h := newHouse(t)
	for name, locked := range map[string]bool{"honest": true, "swapped": false} {
		dep := tarOf(t, map[string]string{"package/package.json": `{"name":"dep","version":"2.0.0"}`, "package/index.js": ""})
		if !locked {
			dep = tarOf(t, map[string]string{"package/package.json": `{"name":"evil","version":"6.6.6"}`, "package/index.js": ""})
		}
		digest := sha512.Sum512(dep)
		integrity := "sha512-" + base64.StdEncoding.EncodeToString(digest[:])
		manifest, err := json.Marshal(tree.NewManifest("package-lock.json", []tree.Package{{Path: "node_modules/dep", Archive: tree.PackagesFolder + "/0.tgz", Integrity: integrity, Format: tree.FormatNPM}}))
		h.must(err)
		sub := h.bound("w"+name, "1.0.0")
		sub.Artifact, err = h.StoreArtifact(t.Context(), bytes.NewReader(tarOf(t, map[string]string{
			"package.json":      `{"name":"@acme/weather","version":"1.0.0","license":"Apache-2.0","dependencies":{"dep":"2.0.0"}}`,
			"package-lock.json": `{"name":"@acme/weather","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"@acme/weather","version":"1.0.0","dependencies":{"dep":"2.0.0"}},"node_modules/dep":{"version":"2.0.0","license":"MIT","integrity":"` + integrity + `"}}}`,
			"package/index.js":  "require('dep')\n", tree.ManifestPath: string(manifest), tree.PackagesFolder + "/0.tgz": string(dep),
		})))
		h.must(err)
		sub.Bundles = [][]byte{h.sign(h.publisher, hexDigest(sub.Artifact))}
		v, err := h.Publish(t.Context(), alice, sub)
		h.must(err)
		r, err := h.Review(t.Context(), "default", v.Review)
		h.must(err)
		for _, item := range r.Items {
			if item.Code == "SRC-4" && (item.Result == admission.Pass) != locked {
				t.Errorf("%s: %s: %s", name, item.Result, item.Note)
			}
		}
		doc, err := h.Service.get(t.Context(), v.SBOM, MaxEvidence)
		h.must(err)
		if bytes.Contains(doc, []byte("pkg:npm/evil@6.6.6")) == locked {
			t.Errorf("%s: components of the SBOM", name)
		}
	}
}
