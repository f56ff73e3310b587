package registry

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/definition"
	"github.com/bartizan-mcp/bartizan/sbom"
)

const needs = `{"oauthScopes":["weather:read"],"network":["api.acme.example:443"],"files":[],"data":[{"flow":"outbound","classification":"location"}],"tools":{"get_forecast":{"network":["api.acme.example:443"],"data":[{"flow":"outbound","classification":"location"}]}}}`

var needed = []string{"files:none", "network:api.acme.example:443", "oauth:weather:read"}

// TestPermissions follows a declaration into the SBOM, the checklist and the approval.
func TestPermissions(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.Options.Scopes, sub.Options.Permissions = []string{"by-hand"}, []byte(needs)
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	if d := cmp.Diff(append([]string{"by-hand"}, needed...), v.Scopes); d != "" {
		t.Error(d)
	}
	raw, err := h.get(t.Context(), v.SBOM, MaxEvidence)
	h.must(err)
	doc, err := sbom.Decode(raw)
	h.must(err)
	for _, s := range needed {
		if !slices.Contains(doc.Scopes(), s) {
			t.Errorf("the SBOM has %v", doc.Scopes())
		}
	}
	if e := doc.Endpoint(); e.Transport != "stdio" || !slices.Equal(e.Data, []string{"outbound location"}) || e.LeavesTrust == nil || !*e.LeavesTrust {
		t.Errorf("%+v", e)
	}
	i := slices.IndexFunc(doc.Entries(), func(e sbom.EntryView) bool { return e.Key == "get_forecast" })
	if e := doc.Entries()[i]; !slices.Equal(e.Scopes, []string{"network:api.acme.example:443"}) || !slices.Equal(e.Data, []string{"outbound location"}) {
		t.Errorf("%+v", e)
	}
	review := h.review(v.Review)
	for code, want := range map[string]string{"PERM-1": "network:api.acme.example:443", "DATA-1": "outbound location"} {
		if item := itemOf(t, review, code); item.Result != admission.Pass || !strings.Contains(item.Note, want) {
			t.Errorf("%+v", item)
		}
	}
	approved := h.approve(v)
	bundle, err := h.Source("default").Approval(t.Context(), approved.Approval)
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	if !slices.Equal(a.Scopes, v.Scopes) {
		t.Errorf("approved %v", a.Scopes)
	}

	raw, err = h.get(t.Context(), v.Definitions, definition.MaxBytes)
	h.must(err)
	defs, err := definition.Parse(raw)
	h.must(err)
	if doc.Definitions() != hexDigest(v.Definitions) || len(defs.Listings) != 1 || len(defs.Listings[0].Entries) != len(doc.Entries()) {
		t.Errorf("%s: %+v", doc.Definitions(), defs)
	}
}

func TestPermissionsRefused(t *testing.T) {
	h := newHouse(t)
	meta := strings.Replace(serverJSON, `"packages"`, `"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"io.github.bartizan-mcp":{"permissions":{"network":[]}}}},"packages"`, 1)
	for name, tc := range map[string]struct{ server, options, want string }{
		"malformed": {serverJSON, `{"network":["https://a"]}`, "network[0]"},
		"twice":     {meta, `{"network":[]}`, "already"},
	} {
		sub := h.submission("weather", "1.0.0", h.publisher)
		sub.ServerJSON = []byte(strings.Replace(strings.Replace(tc.server, "%s", "weather", 1), "%s", "1.0.0", 1))
		sub.Options.Permissions = []byte(tc.options)
		if _, err := h.Publish(t.Context(), alice, sub); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPermissionsOfServerJSON(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.ServerJSON = []byte(strings.Replace(string(sub.ServerJSON), `"packages"`, `"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"io.github.bartizan-mcp":{"permissions":{"network":[],"env":["API_KEY"],"tools":{"ghost":{}}}}}},"packages"`, 1))
	sub.Options.Launch.EnvNames = []string{"OTHER"}
	sub.Options.Scopes = nil
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	review := h.review(v.Review)
	if item := itemOf(t, review, "PERM-1"); item.Result != admission.Fail || !strings.Contains(item.Note, "ghost") {
		t.Errorf("a tool that is not listed: %+v", item)
	}
	if item := itemOf(t, review, "AUTH-1"); item.Result != admission.Fail {
		t.Errorf("a variable that is not declared: %+v", item)
	}
	if d := cmp.Diff([]string{"env:API_KEY", "network:none"}, v.Scopes); d != "" {
		t.Error(d)
	}
}

// TestConnection reads what a handshake shows, beside checks of others.
func TestConnection(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer server.Close()
	ask := func(c *http.Client, o *connection) error {
		req, err := http.NewRequestWithContext(o.watch(t.Context()), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	var seen connection
	if err := ask(server.Client(), &seen); err != nil {
		t.Fatal(err)
	}
	got := seen.seen
	if got == nil || !strings.HasPrefix(got.Version, "TLS 1.") || got.Cipher == "" || len(got.Chain) == 0 {
		t.Fatalf("%+v", got)
	}
	cert := server.Certificate()
	if c := got.Chain[0]; c.Subject != cert.Subject.String() || !c.NotAfter.Equal(cert.NotAfter) || c.SPKI != sum(cert.RawSubjectPublicKeyInfo) {
		t.Errorf("%+v", c)
	}

	var none connection
	if err := ask(&http.Client{Transport: &http.Transport{}}, &none); err == nil || none.seen != nil {
		t.Errorf("a certificate that does not verify is noted: %v %+v", err, none.seen)
	}
}
