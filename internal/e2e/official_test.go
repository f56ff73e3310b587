//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/fixture/nameserver"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

// publisher is the official mcp-publisher, with a home of its own.
type publisher struct {
	t    *testing.T
	bin  string
	home string
	env  []string
}

// run starts it with the words of a command line and returns what it said.
func (p *publisher) run(fails bool, words ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.bin, words...)
	cmd.Dir = p.home
	cmd.Env = append([]string{"HOME=" + p.home, "PATH=" + os.Getenv("PATH")}, p.env...)
	out, err := cmd.CombinedOutput()
	if (err != nil) != fails {
		p.t.Fatalf("mcp-publisher %s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

func (p *publisher) write(name, version, endpoint string) {
	p.t.Helper()
	body := fmt.Sprintf(`{"$schema":%q,"name":%q,"description":"Weather for tests","version":%q,"remotes":[{"type":"streamable-http","url":%q}]}`, schema, name, version, endpoint)
	if err := os.WriteFile(filepath.Join(p.home, "server.json"), []byte(body), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// TestOfficialPublisher takes the official tool through everything that it can
// do with a registry of its owner's, and reads the answers with the official Go
// packages.
func TestOfficialPublisher(t *testing.T) {
	p := &publisher{t: t, bin: filepath.Join(bin(t), "official", "publisher"), home: t.TempDir()}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dns, _ := nameserver.Start(t, nameserver.TXT(map[string][]string{"acme.example": {"v=spf1 -all", "v=MCPv1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}}))
	jwks, actions := newActions(t)
	config := filepath.Join(t.TempDir(), "bartizan.yaml")
	settings := fmt.Sprintf(`registry:
  ownership:
    dns: true
    resolver: %s
    issuers:
      - issuer: https://token.actions.example
        jwks: %s
        audience: https://registry.e2e.example
        namespaces: ["io.github.{repository_owner}"]
`, dns, jwks)
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "--config", config)
	endpoint := weather(t)
	const name = "example.acme/weather"

	// Without a proof, with that of somebody else, and by ways that are not there.
	seed := hex.EncodeToString(private.Seed())
	login := func(fails bool, words ...string) string {
		t.Helper()
		return p.run(fails, append(append([]string{"login"}, words...), "--registry", w.registry)...)
	}
	p.write(name, "1.0.0", endpoint)
	p.run(true, "publish")
	login(true, "dns", "--domain", "other.example", "--private-key", seed)
	login(true, "dns", "--domain", "acme.example", "--private-key", strings.Repeat("07", 32))
	login(true, "http", "--domain", "acme.example", "--private-key", seed)
	login(true, "none")
	login(false, "dns", "--domain", "acme.example", "--private-key", seed)

	p.run(false, "validate")
	p.write(name, "^1.0.0", endpoint)
	if said := p.run(true, "validate"); !strings.Contains(said, "must be one exact version") {
		t.Errorf("%s", said)
	}
	p.run(true, "publish")
	p.write("io.github.modelcontextprotocol/weather", "1.0.0", endpoint)
	if said := p.run(true, "publish"); !strings.Contains(said, "403") {
		t.Errorf("%s", said)
	}
	w.cli(w.adminKey, 0, "key", "allow", "--namespace", "example.acme", "--public", w.path("author.key.pub"))
	for _, version := range []string{"1.0.0", "1.10.0"} {
		p.write(name, version, endpoint)
		p.run(false, "publish")
		if said := p.run(true, "status", "--status", "deprecated", name, version); !strings.Contains(said, "404") {
			t.Errorf("a version in quarantine has a status: %s", said)
		}
		w.signAndApprove(t, name, version)
	}
	p.write(name, "1.0.0", endpoint+"?changed")
	p.run(true, "publish")

	path := "/v0.1/servers/" + url.PathEscape(name)
	want := func(shape, path string, lines ...string) {
		t.Helper()
		if got := w.official(t, shape, path); got != strings.Join(lines, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", path, got, strings.Join(lines, "\n"))
		}
	}
	line := func(version, status, message string, latest bool) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%v", name, version, status, message, latest)
	}
	first, second := line("1.0.0", "active", "", false), line("1.10.0", "active", "", true)
	want("list", "/v0.1/servers", first, second)
	want("list", "/v0.1/servers?version=latest&search=weather", second)
	want("list", path+"/versions", second, first)
	want("server", path+"/versions/latest", second)
	want("server", path+"/versions/1.0.0", first)
	w.answers(t, keyed(t, w.gateway, w.agent)+"/mcp/weather")

	p.run(false, "status", "--status", "deprecated", "--message", "use 1.10.0", name, "1.0.0")
	want("server", path+"/versions/1.0.0", line("1.0.0", "deprecated", "use 1.10.0", false))
	p.run(false, "status", "--status", "deleted", "--all-versions", "--yes", "--message", "leaks keys", name)
	want("list", "/v0.1/servers")
	want("list", "/v0.1/servers?updated_since=2026-01-01T00:00:00Z", line("1.0.0", "deleted", "leaks keys", false), line("1.10.0", "deleted", "leaks keys", true))
	w.shut(t, "/mcp/weather")
	p.run(false, "status", "--status", "active", name, "1.10.0")
	want("list", "/v0.1/servers", second)
	w.answers(t, keyed(t, w.gateway, w.agent)+"/mcp/weather")

	// A workflow's token opens its owner's namespace, and no other.
	p.env = []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN=x", "ACTIONS_ID_TOKEN_REQUEST_URL=" + actions + "/?x=1"}
	login(false, "github-oidc")
	p.write("io.github.octo-org/weather", "1.0.0", endpoint)
	if said := p.run(true, "publish"); !strings.Contains(said, "alias_taken") {
		t.Errorf("%s", said)
	}
	p.write("io.github.octo-org/rain", "1.0.0", endpoint)
	p.run(false, "publish")
	p.write(name, "2.0.0", endpoint)
	if said := p.run(true, "publish"); !strings.Contains(said, "403") {
		t.Errorf("%s", said)
	}
	count(t, "the official mcp-publisher: login by DNS and by token, validate, publish, status, against this registry")
}

// weather is a remote server.
func weather(t *testing.T) string {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "get_forecast", Description: "Gets the forecast", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, struct{}, error) {
		return nil, struct{}{}, nil
	})
	s := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL + "/mcp"
}

// newActions is where a workflow asks for its token, and the file with the
// issuer's keys.
func newActions(t *testing.T) (jwks, at string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jose.JSONWebKey{Key: &key.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	jwks = filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(jwks, fmt.Appendf(nil, `{"keys":[%s]}`, public), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		now := time.Now().Unix()
		claims := fmt.Sprintf(`{"iss":"https://token.actions.example","aud":"https://registry.e2e.example","sub":"repo:octo-org/rain:ref:refs/heads/main","repository_owner":"octo-org","iat":%d,"nbf":%d,"exp":%d}`, now, now, now+300)
		jws, err := signer.Sign([]byte(claims))
		if err != nil {
			http.Error(rw, "", http.StatusInternalServerError)
			return
		}
		token, _ := jws.CompactSerialize()
		fmt.Fprintf(rw, `{"value":%q}`, token)
	}))
	t.Cleanup(s.Close)
	return jwks, s.URL
}

// signAndApprove attaches a signature to what the tool published without one,
// and lets a reviewer approve.
func (w *world) signAndApprove(t *testing.T, name, version string) {
	t.Helper()
	c, err := client.New(w.registry, w.reviewer, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Version(t.Context(), name, version)
	if err != nil {
		t.Fatal(err)
	}
	key, err := attest.LoadKey(w.path("author.key"))
	if err != nil {
		t.Fatal(err)
	}
	statement, err := (&attest.Statement{
		Subjects:      []attest.Subject{{Digest: map[string]string{"sha256": strings.TrimPrefix(v.ServerJSON, "sha256:")}}},
		PredicateType: attest.PredicatePublish, Predicate: []byte(`{}`),
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := key.Sign(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = c.Attach(t.Context(), name, version, bundle); err != nil || v.State != "in_review" {
		t.Fatalf("%+v %v", v, err)
	}
	r, err := c.Review(t.Context(), v.Review)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range r.Blocking {
		if code != "votes" {
			w.cli(w.reviewer, 0, "review", "answer", v.Review, code, "--result", "waived", "--note", "read by a person", "--expires-in", "24h")
		}
	}
	w.cli(w.reviewer, 0, "review", "vote", v.Review, "--key", w.path("reviewer.key"))
	w.cli(w.reviewer, 0, "review", "approve", v.Review)
}

// official asks the registry and reads its answer with the official packages.
func (w *world) official(t *testing.T, shape, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.registry+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.agent)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s", path, resp.StatusCode, err, body)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin(t), "official", "official"), shape)
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v %s\n%s", path, err, out, body)
	}
	return strings.TrimSpace(string(out))
}

// shut waits until the gateway lets nobody in any more.
func (w *world) shut(t *testing.T, path string) {
	t.Helper()
	for range 100 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.gateway+path, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Authorization", "Bearer "+w.agent)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusNotFound {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the gateway goes on serving what its publisher deleted")
}
