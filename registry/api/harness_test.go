package api

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

// edge is a registry behind HTTP with one key per role.
type edge struct {
	t        *testing.T
	service  *registry.Service
	api      *api
	server   *httptest.Server
	tokens   map[string]string
	signer   *attest.Key
	trustDir string
}

func newEdge(t *testing.T, change ...func(*Config)) *edge {
	t.Helper()
	e := &edge{t: t, tokens: map[string]string{}, trustDir: filepath.Join(t.TempDir(), "trust")}
	dir := t.TempDir()
	_, err := approval.InitTrust(t.Context(), e.trustDir, "registry.test", time.Now())
	e.must(err)
	load := func(name string) *attest.Key {
		k, err := attest.LoadKey(filepath.Join(e.trustDir, name))
		e.must(err)
		return k
	}
	bill, err := attest.GenerateKey()
	e.must(err)
	e.signer, err = attest.GenerateKey()
	e.must(err)
	blobs, err := blob.Open(filepath.Join(dir, "blobs"))
	e.must(err)
	log, err := audit.Open(filepath.Join(dir, "audit"), audit.Options{Feature: "registry"})
	e.must(err)
	e.service, err = registry.Open(t.Context(), registry.Config{
		DataDir: dir, Blobs: blobs, Audit: log, TrustPath: filepath.Join(e.trustDir, approval.TrustFile), LoopbackUpstreams: true,
		ApprovalSigner: load(approval.ApprovalKeyFile), SnapshotSigner: load(approval.SnapshotKeyFile), SBOMSigner: bill,
	})
	e.must(err)
	cfg := Config{Service: e.service, AuditPath: filepath.Join(dir, "audit")}
	for _, c := range change {
		c(&cfg)
	}
	handler, err := New(cfg)
	e.must(err)
	e.api = &api{Config: cfg, service: e.service}
	e.server = httptest.NewServer(handler)
	t.Cleanup(func() { e.server.Close(); e.service.Close(); log.Close(); blobs.Close() })
	for who, spec := range map[string]identity.KeySpec{
		"root":  {Roles: []string{identity.RoleAdmin}},
		"alice": {Roles: []string{identity.RolePublisher}, Namespaces: []string{"io.github.acme"}},
		"bob":   {Roles: []string{identity.RoleReviewer}},
		"ada":   {Roles: []string{identity.RoleAuditor}},
		"gw":    {Roles: []string{identity.RoleGateway}},
		"agent": {Roles: []string{identity.RoleAgent}},
		"eve":   {Tenant: "other", Roles: []string{identity.RoleAdmin, identity.RoleReviewer, identity.RoleAuditor, identity.RoleGateway, identity.RolePublisher}, Namespaces: []string{identity.AnyNamespace}},
	} {
		spec.Principal = who
		token, _, err := e.service.IssueKey(t.Context(), audit.Origin{}, spec)
		e.must(err)
		e.tokens[who] = token
	}
	_, err = e.as("root").AddSigner(t.Context(), "io.github.acme", registryapi.NewSigner{PublicKey: string(e.signer.Public().PEM())})
	e.must(err)
	return e
}

func (e *edge) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *edge) as(who string) *client.Client {
	e.t.Helper()
	c, err := client.New(e.server.URL, e.tokens[who], client.Options{})
	e.must(err)
	return c
}

func (e *edge) request(method, path, who string, body string, headers ...string) *http.Response {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.server.URL+path, bytes.NewReader([]byte(body)))
	e.must(err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+e.tokens[who])
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	e.must(err)
	e.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

const (
	serverJSON = `{"name":"io.github.acme/%s","description":"Weather for tests","version":"%s","repository":{"url":"https://example.com/acme/weather","source":"git"},"packages":[{"registryType":"npm","identifier":"@acme/weather","version":"1.0.0","transport":{"type":"stdio"}}]}`
	toolList   = `{"tools":[{"name":"get_forecast","description":"%s","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}]}`
)

func (e *edge) publication(name, version, description string) client.Publication {
	e.t.Helper()
	var artifact bytes.Buffer
	zw := gzip.NewWriter(&artifact)
	tw := tar.NewWriter(zw)
	for _, f := range [][2]string{
		{"package/package.json", `{"name":"@acme/weather","version":"` + version + `","license":"MIT"}`},
		{"package/package-lock.json", `{"name":"@acme/weather","version":"` + version + `","lockfileVersion":3,"packages":{"":{"name":"@acme/weather","version":"` + version + `"}}}`},
	} {
		e.must(tw.WriteHeader(&tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1])), Typeflag: tar.TypeReg}))
		_, err := tw.Write([]byte(f[1]))
		e.must(err)
	}
	e.must(tw.Close())
	e.must(zw.Close())
	sum := sha256.Sum256(artifact.Bytes())
	st := attest.Statement{Subjects: []attest.Subject{{Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}}}, PredicateType: attest.PredicatePublish, Predicate: []byte(`{}`)}
	raw, err := st.Marshal()
	e.must(err)
	bundle, err := e.signer.Sign(e.t.Context(), raw)
	e.must(err)
	return client.Publication{
		Server: fmt.Appendf(nil, serverJSON, name, version), Listing: fmt.Appendf(nil, toolList, description),
		Options:  registryapi.PublishOptions{Launch: admission.Launch{Command: []string{"node", "index.js"}}, Scopes: &[]string{}},
		Bundles:  [][]byte{bundle},
		Artifact: bytes.NewReader(artifact.Bytes()),
	}
}

// approved publishes, reviews and approves over HTTP.
func (e *edge) approved(name, version string) *admission.Version {
	e.t.Helper()
	v, err := e.as("alice").Publish(e.t.Context(), e.publication(name, version, "Gets the forecast"))
	e.must(err)
	bob := e.as("bob")
	r, err := bob.Review(e.t.Context(), v.Review)
	e.must(err)
	for _, code := range r.Blocking {
		if code == "votes" {
			continue
		}
		for _, item := range r.Items {
			if item.Code != code {
				continue
			}
			a := registryapi.Answer{Result: admission.Pass, Note: "looked at it"}
			if item.Result == admission.Fail {
				a.Result, a.Expires = admission.Waived, time.Now().Add(time.Hour)
			}
			_, err := bob.Answer(e.t.Context(), v.Review, code, a)
			e.must(err)
		}
	}
	_, err = bob.Vote(e.t.Context(), v.Review, r.Subject, "approve")
	e.must(err)
	out, err := bob.Approve(e.t.Context(), v.Review, r.Subject)
	e.must(err)
	return out
}
