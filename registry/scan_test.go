package registry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

func scanning(t *testing.T) func(*house) {
	return func(h *house) { h.scanners = markerScanner(t) }
}

func itemOf(t *testing.T, r *admission.Review, code string) admission.Item {
	t.Helper()
	for _, i := range r.Items {
		if i.Code == code {
			return i
		}
	}
	t.Fatalf("no item %s", code)
	return admission.Item{}
}

func TestCleanListing(t *testing.T) {
	h := newHouse(t, scanning(t))
	v := h.publish("weather", "1.0.0")
	r, err := h.Review(t.Context(), "default", v.Review)
	h.must(err)
	if item := itemOf(t, r, checklist.CodeScan); item.Result != admission.Pass || v.State != admission.InReview {
		t.Errorf("%s %s: %+v", v.State, reasons(v), item)
	}
	approved := h.approve(v)
	bundle, err := h.Source("default").Approval(t.Context(), approved.Approval)
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	if len(a.Scanners) != 1 || a.Scanners[0].Name != "marker" || a.Scanners[0].Action != "allow" {
		t.Errorf("scanners in the approval: %+v", a.Scanners)
	}
}

func TestPoisonedListingIsQuarantinedAndWaivedExactly(t *testing.T) {
	h := newHouse(t, scanning(t))
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.Listing = fmt.Appendf(nil, toolList, "Gets the forecast. EVIL")
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	if v.State != admission.Quarantined || reasons(v) != admission.ReasonMaliciousListing || len(v.Findings) == 0 {
		t.Fatalf("%s %q %v", v.State, reasons(v), v.Findings)
	}
	// A release answers nothing: the item still blocks.
	v, err = h.Release(t.Context(), admin, v.Name, v.Version, "looked at it")
	h.must(err)
	_, err = h.Vote(t.Context(), bob, v.Review, v.Subject, approval.VoteApprove, nil)
	h.must(err)
	_, err = h.Approve(t.Context(), bob, v.Review, v.Subject)
	wantRefusal(t, err, ErrConflict, RefusedBlocked)

	f := v.Findings[0]
	good := admission.Waiver{Rule: f.Rule, Pointer: f.Pointer, Leaf: f.Leaf, Reason: "a product called EVIL", Expires: h.now.Add(time.Hour)}
	for name, change := range map[string]func(*admission.Waiver){
		"other rule":    func(w *admission.Waiver) { w.Rule = "poisoning.other" },
		"other pointer": func(w *admission.Waiver) { w.Pointer = "/tools/1/name" },
		"other leaf":    func(w *admission.Waiver) { w.Leaf = "sha256:" + strings.Repeat("0", 64) },
		"no leaf":       func(w *admission.Waiver) { w.Leaf = "" },
		"no reason":     func(w *admission.Waiver) { w.Reason = " " },
		"too long":      func(w *admission.Waiver) { w.Expires = h.now.Add(91 * 24 * time.Hour) },
		"over already":  func(w *admission.Waiver) { w.Expires = h.now },
	} {
		w := good
		change(&w)
		_, err := h.Waive(t.Context(), bob, v.Review, v.Subject, w)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, ErrInvalid, RefusedWaiver) })
	}
	r, err := h.Waive(t.Context(), bob, v.Review, v.Subject, good)
	h.must(err)
	if itemOf(t, r, checklist.CodeScan).Result != admission.Pass || r.Subject == v.Subject || !r.Votes[0].Stale {
		t.Errorf("after the waiver: %+v", r)
	}
	_, err = h.Approve(t.Context(), bob, v.Review, v.Subject)
	wantRefusal(t, err, ErrConflict, RefusedStale)
	approved := h.approve(&r.Version)
	bundle, err := h.Source("default").Approval(t.Context(), approved.Approval)
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	if len(a.Waivers) != 1 || a.Waivers[0].Rule != f.Rule {
		t.Errorf("waivers in the approval: %+v", a.Waivers)
	}
}

func TestFailingScannerIsNoFinding(t *testing.T) {
	h := newHouse(t, scanning(t))
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.Listing = fmt.Appendf(nil, toolList, "TRAP")
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	if v.State != admission.Quarantined || reasons(v) != admission.ReasonScanIncomplete || len(v.Failures) == 0 || len(v.Findings) != 0 {
		t.Errorf("%s %q findings %v failures %v", v.State, reasons(v), v.Findings, v.Failures)
	}
	records, err := audit.Search(t.Context(), h.auditPath, audit.Query{Text: "listing_scanned"})
	h.must(err)
	digest := h.scanners.Scanners()[0].Digest
	if len(records) != 1 || !strings.Contains(string(records[0].Raw), `"failures":[{"scanner":"marker","digest":"`+digest+`","kind":"trap","detail":"`) {
		t.Errorf("the failure is not named in one record of %d", len(records))
	}
}

func TestShadowingStaysInItsTenant(t *testing.T) {
	h := newHouse(t)
	h.approve(h.publish("weather", "1.0.0"))
	r, err := h.Review(t.Context(), "default", h.publish("copy", "1.0.0").Review)
	h.must(err)
	if item := itemOf(t, r, "TOOL-8"); item.Result != admission.Fail {
		t.Errorf("a copied name: %+v", item)
	}
	eve := origin("other", "eve", "publisher")
	_, err = h.AddSigner(t.Context(), origin("other", "root", "admin"), admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: string(h.publisher.Public().PEM())})
	h.must(err)
	v, err := h.Publish(t.Context(), eve, h.submission("copy", "1.0.0", h.publisher))
	h.must(err)
	r, err = h.Review(t.Context(), "other", v.Review)
	h.must(err)
	if item := itemOf(t, r, "TOOL-8"); item.Result != admission.Pass {
		t.Errorf("another tenant's names leak: %+v", item)
	}
}

// TestShadowingAfterThePublication approves the twin while the other is under
// review.
func TestShadowingAfterThePublication(t *testing.T) {
	h := newHouse(t)
	first, twin := h.publish("weather", "1.0.0"), h.publish("twin", "1.0.0")
	r := h.complete(twin.Review)
	_, err := h.Vote(t.Context(), bob, twin.Review, r.Subject, approval.VoteApprove, nil)
	h.must(err)
	h.approve(first)
	_, err = h.Approve(t.Context(), bob, twin.Review, r.Subject)
	wantRefusal(t, err, ErrConflict, RefusedBlocked)
	r, err = h.Review(t.Context(), "default", twin.Review)
	h.must(err)
	if item := itemOf(t, r, checklist.CodeShadowing); item.Result != admission.Fail {
		t.Fatalf("%+v", item)
	}
	h.complete(twin.Review)
	_, err = h.Approve(t.Context(), bob, twin.Review, r.Subject)
	h.must(err)
}

// TestSignersAreTheTenantsOwn publishes with a key that only another tenant
// trusts.
func TestSignersAreTheTenantsOwn(t *testing.T) {
	h := newHouse(t)
	v, err := h.Publish(t.Context(), origin("other", "eve", "publisher"), h.submission("weather", "1.0.0", h.publisher))
	h.must(err)
	if reasons(v) != admission.ReasonSignatureInvalid {
		t.Errorf("reasons %q", reasons(v))
	}
}

func TestDiffOfVersions(t *testing.T) {
	h := newHouse(t)
	h.publish("weather", "1.0.0")
	sub := h.submission("weather", "1.1.0", h.publisher)
	sub.Listing = []byte(`{"tools":[{"name":"get_forecast","description":"Gets\u202e it","inputSchema":{"type":"object","properties":{"city":{"type":"string","description":"Name of the city"}}},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":false}},{"name":"new_one","inputSchema":{}}]}`)
	_, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	changes, err := h.Diff(t.Context(), "default", "io.github.acme/weather", "1.0.0", "1.1.0")
	h.must(err)
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s %s%s %s -> %s", c.Kind, c.Key, c.Pointer, c.Old, c.New))
	}
	want := strings.Join([]string{
		`tool get_forecast/annotations/readOnlyHint true -> false`,
		`tool get_forecast/description "Gets the weather forecast" -> "Gets\u202e it"`,
		`tool list_cities {"description":"Lists the cities","inputSchema":{"type":"object"},"name":"list_cities","outputSchema":{"type":"object"}} -> `,
		`tool new_one  -> {"inputSchema":{},"name":"new_one"}`,
	}, "\n")
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	_, err = h.Diff(t.Context(), "other", "io.github.acme/weather", "1.0.0", "1.1.0")
	wantRefusal(t, err, ErrNotFound, RefusedUnknown)
}
