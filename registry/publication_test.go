package registry

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

func wantRefusal(t *testing.T, err error, class error, reason string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || !errors.Is(err, class) || r.Reason != reason {
		t.Fatalf("got %v, want %s (%v)", err, reason, class)
	}
}

func TestPublishApproveList(t *testing.T) {
	h := newHouse(t)
	v := h.publish("weather", "1.0.0")
	if v.State != admission.InReview || len(v.Reasons) != 0 || v.Subject == "" || len(v.Signers) != 1 || v.Signers[0].KeyID != h.publisher.KeyID() {
		t.Fatalf("published: %+v", v)
	}
	approved := h.approve(v)
	if approved.State != admission.Approved {
		t.Fatalf("state %s", approved.State)
	}
	if diff := cmp.Diff([]string{hexDigest(approved.Approval)}, h.listed("default")); diff != "" {
		t.Fatal(diff)
	}
	bundle, err := h.Source("default").Approval(t.Context(), hexDigest(approved.Approval))
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	if a.Server != "io.github.acme/weather" || a.Version != "1.0.0" || a.Binding != approval.BindingCommand || a.Proven.Artifact != hexDigest(v.Artifact) || a.Proven.SBOM != hexDigest(v.SBOM) {
		t.Errorf("approval %+v", a.Predicate)
	}
	if _, ok := a.Lookup("legacy", "tool", "get_forecast"); !ok {
		t.Error("the approval does not hold the tool")
	}
	if string(a.Annotations["get_forecast"]) != `{"readOnlyHint":true}` {
		t.Errorf("annotations %s", a.Annotations["get_forecast"])
	}
	page, next, err := h.Public(t.Context(), "default", PublicQuery{Limit: 10})
	h.must(err)
	if len(page) != 1 || next != "" || !page[0].Latest || !bytes.Contains(page[0].Raw, []byte(`"io.github.acme/weather"`)) {
		t.Errorf("public list %v %q", page, next)
	}
}

func TestEveryAutomaticAnswerOpens(t *testing.T) {
	h := newHouse(t)
	v := h.publish("weather", "1.0.0")
	r, err := h.Review(t.Context(), "default", v.Review)
	h.must(err)
	answered := 0
	for _, item := range r.Items {
		if item.Class != admission.Automatic || item.Result == admission.Unanswered {
			continue
		}
		answered++
		body, media, _, err := h.Blob(t.Context(), "default", item.Evidence)
		h.must(err)
		body.Close()
		if media != mediaJSON {
			t.Errorf("%s: evidence is %s", item.Code, media)
		}
	}
	if answered < 12 {
		t.Errorf("only %d items were answered automatically", answered)
	}
}

func TestQuarantineReasons(t *testing.T) {
	h := newHouse(t)
	stranger := h.key()
	for name, tc := range map[string]struct {
		change func(*Submission)
		want   string
	}{
		"unsigned":   {func(s *Submission) { s.Bundles = nil }, "unsigned"},
		"stranger":   {func(s *Submission) { s.Bundles = [][]byte{h.sign(stranger, hexDigest(s.Artifact))} }, "signature_invalid"},
		"mismatch":   {func(s *Submission) { s.Bundles = [][]byte{h.sign(h.publisher, sum([]byte("else")))} }, "digest_mismatch"},
		"rubbish":    {func(s *Submission) { s.Bundles = [][]byte{[]byte("{}")} }, "signature_invalid"},
		"both-kinds": {func(s *Submission) { s.Bundles = append(s.Bundles, h.sign(stranger, hexDigest(s.Artifact))) }, "signature_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			sub := h.submission("w-"+name, "1.0.0", h.publisher)
			tc.change(&sub)
			v, err := h.Publish(t.Context(), alice, sub)
			h.must(err)
			if v.State != admission.Quarantined || reasons(v) != tc.want {
				t.Errorf("state %s, reasons %q, want %q", v.State, reasons(v), tc.want)
			}
		})
	}
	if got := h.listed("default"); len(got) != 0 {
		t.Errorf("snapshot lists %v", got)
	}
}

func TestPublishRefusals(t *testing.T) {
	h := newHouse(t)
	mallory := origin("default", "mallory", identity.RolePublisher)
	mallory.Caller.Namespaces = []string{"io.github.mallory"}
	reader := origin("default", "ray", identity.RoleAuditor)
	for name, tc := range map[string]struct {
		by     *audit.Origin // nil: alice
		change func(*Submission)
		class  error
		reason string
	}{
		"foreign namespace": {by: &mallory, class: ErrForbidden, reason: RefusedNamespace},
		"no role":           {by: &reader, class: ErrForbidden, reason: RefusedRole},
		"server.json":       {change: func(s *Submission) { s.ServerJSON = []byte(`{"name":"../../etc/passwd"}`) }, class: ErrInvalid, reason: RefusedServerJSON},
		"no listing":        {change: func(s *Submission) { s.Listing = nil }, class: ErrInvalid, reason: RefusedListingMissing},
		"no launch":         {change: func(s *Submission) { s.Options.Launch = admission.Launch{} }, class: ErrInvalid, reason: RefusedLaunch},
		"other transport": {change: func(s *Submission) {
			s.Options.Launch = admission.Launch{URL: "https://acme.example/mcp", Transport: "sse"}
		}, class: ErrInvalid, reason: RefusedOptions},
		"transport alone":   {change: func(s *Submission) { s.Options.Launch = admission.Launch{Transport: "sse"} }, class: ErrInvalid, reason: RefusedOptions},
		"foreign endpoint":  {change: func(s *Submission) { s.Options.Launch = admission.Launch{URL: "https://evil.example/mcp"} }, class: ErrInvalid, reason: RefusedOptions},
		"environment value": {change: func(s *Submission) { s.Options.Launch.EnvNames = []string{"TOKEN=secret"} }, class: ErrInvalid, reason: RefusedOptions},
		"alias":             {change: func(s *Submission) { s.Options.Alias = "../up" }, class: ErrInvalid, reason: RefusedOptions},
		"tier":              {change: func(s *Submission) { s.Options.Tier = "none" }, class: ErrInvalid, reason: RefusedOptions},
		"duplicate keys":    {change: func(s *Submission) { s.Listing = []byte(`{"tools":[{"name":"a","name":"b","inputSchema":{}}]}`) }, class: ErrInvalid, reason: RefusedListing},
		"external reference": {change: func(s *Submission) {
			s.Listing = []byte(`{"tools":[{"name":"a","inputSchema":{"$ref":"https://evil.example/x"}}]}`)
		}, class: ErrInvalid, reason: RefusedListing},
		"rubbish listing": {change: func(s *Submission) { s.Listing = []byte(`[1]`) }, class: ErrInvalid, reason: RefusedListing},
		"hostile archive": {change: func(s *Submission) {
			digest, err := h.StoreArtifact(t.Context(), bytes.NewReader(tarOf(t, map[string]string{"../../escape": "x"})))
			h.must(err)
			s.Artifact, s.Bundles = digest, nil
		}, class: ErrInvalid, reason: RefusedArtifact},
	} {
		t.Run(name, func(t *testing.T) {
			sub := h.submission("weather", "1.0.0", h.publisher)
			if tc.change != nil {
				tc.change(&sub)
			}
			by := alice
			if tc.by != nil {
				by = *tc.by
			}
			_, err := h.Publish(t.Context(), by, sub)
			wantRefusal(t, err, tc.class, tc.reason)
			if all, err := h.List(t.Context(), "default"); err != nil || len(all) != 0 {
				t.Errorf("left behind: %v %v", all, err)
			}
		})
	}
}

func TestTwoPublishesOfOneVersion(t *testing.T) {
	h := newHouse(t)
	first, second := h.submission("weather", "1.0.0", h.publisher), h.submission("weather", "1.0.0", h.publisher)
	second.Options.Alias = "other"
	var wg sync.WaitGroup
	results := make([]error, 2)
	for i, sub := range []Submission{first, second} {
		wg.Go(func() { _, results[i] = h.Publish(t.Context(), alice, sub) })
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("one must win: %v, %v", results[0], results[1])
	}
	for _, err := range results {
		if err != nil {
			wantRefusal(t, err, ErrConflict, RefusedVersionExists)
		}
	}
	winner := first
	if results[0] != nil {
		winner = second
	}
	again, err := h.Publish(t.Context(), alice, winner)
	h.must(err)
	if again.State != admission.InReview {
		t.Errorf("the same publication again: %s", again.State)
	}
	_, err = h.Publish(t.Context(), origin("default", "carol", identity.RolePublisher), winner)
	wantRefusal(t, err, ErrConflict, RefusedVersionExists)
}

func TestAliasBelongsToOneServer(t *testing.T) {
	h := newHouse(t)
	h.publish("weather", "1.0.0")
	sub := h.submission("wether", "1.0.0", h.publisher)
	sub.Options.Alias = "weather"
	_, err := h.Publish(t.Context(), alice, sub)
	wantRefusal(t, err, ErrConflict, RefusedAlias)
}

func TestAttach(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", nil)
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	if reasons(v) != "unsigned" {
		t.Fatalf("reasons %q", reasons(v))
	}
	bundle := h.sign(h.publisher, hexDigest(sub.Artifact))
	_, err = h.Attach(t.Context(), origin("default", "carol", identity.RolePublisher), v.Name, v.Version, [][]byte{bundle})
	wantRefusal(t, err, ErrNotFound, RefusedUnknown)

	h.now = h.now.Add(AttachWindow + 1e9)
	_, err = h.Attach(t.Context(), alice, v.Name, v.Version, [][]byte{bundle})
	wantRefusal(t, err, ErrConflict, RefusedWindow)
	h.now = h.now.Add(-AttachWindow)

	v, err = h.Attach(t.Context(), alice, v.Name, v.Version, [][]byte{bundle})
	h.must(err)
	if v.State != admission.InReview || len(v.Signers) != 1 {
		t.Errorf("after attaching: %s %q", v.State, reasons(v))
	}
	_, err = h.Attach(t.Context(), alice, v.Name, v.Version, [][]byte{bundle})
	wantRefusal(t, err, ErrConflict, RefusedState)
}
