package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/fixture/nameserver"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry/ownership"
)

// owner holds the key that a domain publishes.
type owner struct {
	e   *edge
	key ed25519.PrivateKey
}

func newOwner(t *testing.T, domains ...string) *owner {
	t.Helper()
	e := newEdge(t)
	public, key, err := ed25519.GenerateKey(rand.Reader)
	e.must(err)
	texts := map[string][]string{}
	for _, d := range domains {
		texts[d] = []string{"v=MCPv1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	}
	_, resolver := nameserver.Start(t, nameserver.TXT(texts))
	e.service.Ownership.Domains = &ownership.Domains{Resolver: resolver, Now: time.Now}
	return &owner{e: e, key: key}
}

func (o *owner) body(domain string, at time.Time) string {
	text := at.UTC().Format(time.RFC3339)
	return fmt.Sprintf(`{"domain":%q,"timestamp":%q,"signed_timestamp":%q}`, domain, text, hex.EncodeToString(ed25519.Sign(o.key, []byte(text))))
}

func (o *owner) login(body string) (int, registryapi.RegistryToken) {
	o.e.t.Helper()
	resp := o.e.request("POST", "/v0/auth/dns", "", body)
	b, err := io.ReadAll(resp.Body)
	o.e.must(err)
	var out registryapi.RegistryToken
	if resp.StatusCode == http.StatusOK {
		o.e.must(json.Unmarshal(b, &out))
	}
	return resp.StatusCode, out
}

// TestExchange: a proven namespace is published under with the key that the
// proof gave, and no other is.
func TestExchange(t *testing.T) {
	o := newOwner(t, "example.com")
	e := o.e
	proof := o.body("example.com", time.Now())
	status, got := o.login(proof)
	if status != 200 || got.RegistryToken == "" || time.Until(time.Unix(got.ExpiresAt, 0)) > time.Hour {
		t.Fatalf("%d %+v", status, got)
	}
	e.tokens["owner"] = got.RegistryToken
	who, err := e.as("owner").Identity(t.Context())
	e.must(err)
	if who.Principal != "dns:example.com" || who.Tenant != identity.DefaultTenant || len(who.Roles) != 1 || who.Roles[0] != identity.RolePublisher || len(who.Namespaces) != 1 || who.Namespaces[0] != "com.example" {
		t.Errorf("%+v", who)
	}
	raw := `{"name":"%s/x","description":"x","version":"1.0.0","remotes":[{"type":"streamable-http","url":"http://127.0.0.1:2/mcp"}]}`
	for namespace, want := range map[string]string{"com.example": "capture_failed", "com.example.sub": "namespace_not_covered", "com.examples": "namespace_not_covered", "com": "invalid_server_json", "io.github.acme": "namespace_not_covered", "Com.Example": "namespace_not_covered"} {
		if p := readProblem(t, e.request("POST", "/v0.1/publish", "owner", fmt.Sprintf(raw, namespace))); p.Reason != want {
			t.Errorf("%s: %s, want %s", namespace, p.Reason, want)
		}
	}
	if status, _ := o.login(proof); status != 401 {
		t.Errorf("a proof is exchanged twice: %d", status)
	}
	if resp := e.request("GET", "/api/v1/keys", "owner", ""); resp.StatusCode != 403 {
		t.Errorf("keys: %d", resp.StatusCode)
	}
	keys, err := e.service.Keys(t.Context(), identity.DefaultTenant)
	e.must(err)
	listed := false
	for _, k := range keys {
		listed = listed || k.Principal == "dns:example.com"
	}
	if !listed {
		t.Error("the key is not listed, so that nobody can revoke it")
	}
}

func TestExchangeRefusals(t *testing.T) {
	o := newOwner(t, "example.com")
	e := o.e
	good := o.body("example.com", time.Now())
	for name, tc := range map[string]struct {
		path, body string
		want       int
	}{
		"another domain":  {"/v0.1/auth/dns", o.body("other.example", time.Now()), 401},
		"stale":           {"/v0.1/auth/dns", o.body("example.com", time.Now().Add(-time.Minute)), 401},
		"local name":      {"/v0.1/auth/dns", o.body("localhost", time.Now()), 401},
		"duplicate":       {"/v0.1/auth/dns", strings.Replace(good, "{", `{"domain":"victim.example",`, 1), 400},
		"unknown member":  {"/v0.1/auth/dns", strings.Replace(good, "{", `{"namespaces":["*"],`, 1), 400},
		"no object":       {"/v0.1/auth/dns", `"x"`, 400},
		"huge":            {"/v0.1/auth/dns", `{"domain":"` + strings.Repeat("x", 70_000) + `"}`, 413},
		"http is off":     {"/v0.1/auth/http", good, 404},
		"tokens are off":  {"/v0.1/auth/oidc", `{"oidc_token":"a.b.c"}`, 404},
		"github-at":       {"/v0.1/auth/github-at", `{"github_token":"x"}`, 404},
		"anonymous":       {"/v0.1/auth/none", ``, 404},
		"another origin":  {"/v0.1/auth/dns", good, 403},
		"another address": {"/v0.1/auth/dns", good, 403},
	} {
		var headers []string
		switch name {
		case "another origin":
			headers = []string{"Origin", "https://page.example"}
		case "another address":
			headers = []string{"Host", "rebound.example"}
		}
		resp := e.request("POST", tc.path, "", tc.body, headers...)
		b, err := io.ReadAll(resp.Body)
		e.must(err)
		if resp.StatusCode != tc.want || strings.Contains(string(b), "registry_token") {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, b, tc.want)
		}
	}
	e.service.Ownership.Domains = nil
	if resp := e.request("POST", "/v0.1/auth/dns", "", good); resp.StatusCode != 404 {
		t.Errorf("without ownership: %d", resp.StatusCode)
	}
}

// TestExchangeIsLimited: whoever guesses about one domain is slowed down, and
// the owner of another is not.
func TestExchangeIsLimited(t *testing.T) {
	o := newOwner(t, "example.com", "quiet.example")
	limited := 0
	for range subjectBurst + 3 {
		if resp := o.e.request("POST", "/v0.1/auth/dns", "", o.body("example.com", time.Now().Add(-time.Hour))); resp.StatusCode == http.StatusTooManyRequests {
			limited++
			if resp.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if limited < 2 {
		t.Errorf("%d of %d were refused", limited, subjectBurst+3)
	}
	if status, _ := o.login(o.body("quiet.example", time.Now())); status != 200 {
		t.Errorf("another domain: %d", status)
	}
}

func TestAttempts(t *testing.T) {
	a, now := newAttempts(), time.Now()
	var running []func()
	for n := range attemptsAtOnce {
		done, wait := a.begin(fmt.Sprint(n), now)
		if wait != 0 {
			t.Fatalf("%d: %v", n, wait)
		}
		running = append(running, done)
	}
	if _, wait := a.begin("one more", now); wait == 0 {
		t.Error("too many at once")
	}
	for _, done := range running {
		done()
	}
	passed := 0
	for n := range 2 * maxSubjects {
		if done, wait := a.begin(fmt.Sprint("many ", n), now); wait == 0 {
			passed++
			done()
		}
	}
	if passed > attemptsBurst || len(a.subjects) > maxSubjects {
		t.Errorf("%d passed, %d remembered", passed, len(a.subjects))
	}
	if done, wait := a.begin("later", now.Add(time.Hour)); wait != 0 || len(a.subjects) > maxSubjects {
		t.Errorf("%v, %d remembered", wait, len(a.subjects))
	} else {
		done()
	}
}
