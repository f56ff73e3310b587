package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/definition"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

// TestOfficialPublish sends what the official tool sends, a server.json alone,
// and attaches the signature afterwards.
func TestOfficialPublish(t *testing.T) {
	e := newEdge(t)
	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "get_forecast", Description: "Gets the forecast"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, struct{}, error) {
		return nil, struct{}{}, nil
	})
	remote := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(remote.Close)
	raw := fmt.Sprintf(`{"name":"io.github.acme/remote","description":"Weather","version":"1.0.0","remotes":[{"type":"streamable-http","url":%q}]}`, remote.URL)

	resp := e.request("POST", "/v0.1/publish", "alice", raw)
	b, err := io.ReadAll(resp.Body)
	e.must(err)
	var got registryapi.ServerResponse
	e.must(json.Unmarshal(b, &got))
	if string(got.Server) != raw || got.Meta.Bartizan == nil || got.Meta.Bartizan.State != admission.Quarantined || got.Meta.Official != nil {
		t.Fatalf("%s", b)
	}
	if p := readProblem(t, e.request("GET", "/v0.1/servers/io.github.acme%2Fremote/versions/1.0.0", "agent", "")); p.Status != 404 {
		t.Errorf("a quarantined version is public: %d", p.Status)
	}
	sum := sha256.Sum256([]byte(raw))
	st := attest.Statement{Subjects: []attest.Subject{{Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}}}, PredicateType: attest.PredicatePublish, Predicate: []byte(`{}`)}
	statement, err := st.Marshal()
	e.must(err)
	bundle, err := e.signer.Sign(t.Context(), statement)
	e.must(err)
	v, err := e.as("alice").Attach(t.Context(), "io.github.acme/remote", "1.0.0", bundle)
	e.must(err)
	if v.State != admission.InReview || v.Source != "registry" {
		t.Errorf("%s %v", v.State, v.Reasons)
	}
}

func TestValidate(t *testing.T) {
	e := newEdge(t)
	for body, want := range map[string]string{
		string(e.publication("weather", "1.0.0", "").Server): `{"valid":true,"issues":[]}`,
		`{"name":"x"}`: `{"valid":false,"issues":[{"type":"schema","path":"name","message":"must have 3 to 200 characters, has 1","severity":"error","reference":"#/name"}`,
		`{"name":"io.github.acme/x","description":"x","version":"1.0.0","packages":[{"registryType":"npm","identifier":"x","transport":{"type":"tcp"}}]}`: `{"valid":false,"issues":[{"type":"schema","path":"packages[0].transport.type","message"`,
	} {
		b, err := io.ReadAll(e.request("POST", "/v0.1/validate", "", body).Body)
		e.must(err)
		if !strings.HasPrefix(string(b), want) {
			t.Errorf("%s, want %s", b, want)
		}
	}
}

// TestExtensionData opens what an approved version carries.
func TestExtensionData(t *testing.T) {
	e := newEdge(t)
	v := e.approved("weather", "1.0.0")
	bill, err := e.as("agent").SBOM(t.Context(), v.Name, v.Version)
	e.must(err)
	if "sha256:"+digestOf(bill) != v.SBOM {
		t.Error("not the SBOM that the approval names")
	}
	served, err := io.ReadAll(e.request("GET", registryapi.ExtensionPath+"/servers/"+url.PathEscape(v.Name)+"/versions/"+v.Version+"/definitions", "agent", "").Body)
	e.must(err)
	if _, err := definition.Parse(served); err != nil || "sha256:"+digestOf(served) != v.Definitions {
		t.Errorf("definitions: %v", err)
	}
	bundles, err := e.as("agent").Attestations(t.Context(), v.Name, v.Version)
	e.must(err)
	if len(bundles) != 2 { // the publisher's and the registry's
		t.Errorf("%d bundles", len(bundles))
	}
	blob, err := e.as("ada").Blob(t.Context(), v.Verdict)
	e.must(err)
	defer blob.Close()
	resp := e.request("GET", "/api/v1/blobs/"+v.SBOM, "ada", "")
	if resp.Header.Get("Content-Disposition") != "attachment" || resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a blob could be taken for a page: %v", resp.Header)
	}
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
