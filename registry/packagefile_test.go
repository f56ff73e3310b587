package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

// TestBundleIsTheArtifact: whoever installs what server.json names gets the bytes
// that were looked at. The publisher's signature over both does not excuse
// another file behind the URL, and neither does a package beside it.
func TestBundleIsTheArtifact(t *testing.T) {
	h := newHouse(t)
	other := sum([]byte("the bundle with the other server"))
	const npm = `{"registryType":"npm","identifier":"@acme/weather","version":"1.0.0","transport":{"type":"stdio"}}`
	bundle := func(sha string) string {
		return fmt.Sprintf(`{"registryType":"mcpb","identifier":"https://acme.example/%s.mcpb","version":"1.0.0","fileSha256":%q,"transport":{"type":"stdio"}}`, sha[:8], sha)
	}
	for name, tc := range map[string]struct {
		packages func(artifact string) string
		signed   bool
		want     string
	}{
		"the artifact":             {bundle, true, ""},
		"one of two platforms":     {func(a string) string { return bundle(other) + "," + bundle(a) }, true, ""},
		"other bytes":              {func(string) string { return bundle(other) }, true, admission.ReasonDigestMismatch},
		"other bytes, unsigned":    {func(string) string { return bundle(other) }, false, admission.ReasonUnsigned + " " + admission.ReasonDigestMismatch},
		"beside an npm package":    {func(string) string { return npm + "," + bundle(other) }, true, admission.ReasonDigestMismatch},
		"digest of another kind":   {func(a string) string { return strings.Replace(bundle(a), "mcpb", "npm", 1) + "," + bundle(other) }, true, admission.ReasonDigestMismatch},
		"a package without a file": {func(string) string { return npm }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sub := h.submission("w"+sum([]byte(name))[:8], "1.0.0", nil)
			sub.ServerJSON = []byte(strings.Replace(string(sub.ServerJSON), npm, tc.packages(hexDigest(sub.Artifact)), 1))
			if tc.signed {
				sub.Bundles = [][]byte{h.sign(h.publisher, hexDigest(sub.Artifact))}
			}
			v, err := h.Publish(t.Context(), alice, sub)
			h.must(err)
			if reasons(v) != tc.want {
				t.Fatalf("reasons %q, want %q", reasons(v), tc.want)
			}
			if !strings.Contains(tc.want, admission.ReasonDigestMismatch) {
				return
			}
			if last := v.Reasons[len(v.Reasons)-1]; last.Cause != admission.CauseFileSHA256 || !strings.Contains(last.Detail, short(other)) {
				t.Errorf("%+v", last)
			}
			if again := h.recheck(v); len(again) != len(v.Reasons) {
				t.Errorf("looked at again: %+v", again)
			}
			r, err := h.Review(t.Context(), "default", v.Review)
			h.must(err)
			for _, item := range r.Items {
				if item.Code == checklist.CodeDigest && (item.Result != admission.Fail || tc.signed && !strings.Contains(item.Note, "fileSha256")) {
					t.Errorf("%s: %s %q", item.Code, item.Result, item.Note)
				}
			}
			_, err = h.Attach(t.Context(), alice, v.Name, v.Version, [][]byte{h.sign(h.publisher, other)})
			wantRefusal(t, err, ErrConflict, RefusedState)
		})
	}

	sub := h.submission("none", "1.0.0", h.publisher)
	sub.ServerJSON = []byte(strings.Replace(string(sub.ServerJSON), `"registryType":"npm"`, `"registryType":"mcpb"`, 1))
	_, err := h.Publish(t.Context(), alice, sub)
	wantRefusal(t, err, ErrInvalid, RefusedServerJSON)
}
