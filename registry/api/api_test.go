package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

func readProblem(t *testing.T, resp *http.Response) registryapi.Problem {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p registryapi.Problem
	if err := json.Unmarshal(b, &p); err != nil || resp.Header.Get("Content-Type") != registryapi.MediaProblem || p.Status != resp.StatusCode || p.Reason == "" {
		t.Fatalf("not a problem document: %d %s", resp.StatusCode, b)
	}
	return p
}

func TestOpenAPI(t *testing.T) {
	e := newEdge(t)
	resp := e.request("GET", "/api/v1/openapi.json", "", "")
	raw, err := io.ReadAll(resp.Body)
	e.must(err)
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	e.must(err)
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
	var got []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			got = append(got, method+" "+path)
			if op.Summary == "" || op.OperationID == "" {
				t.Errorf("%s %s has no summary or id", method, path)
			}
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(described(e.api.routes()), got); diff != "" {
		t.Error(diff)
	}
}

func TestStory(t *testing.T) {
	e := newEdge(t)
	v := e.approved("weather", "1.0.0")
	if v.State != admission.Approved {
		t.Fatalf("state %s", v.State)
	}
	resp := e.request("GET", "/v0.1/servers/io.github.acme%2Fweather/versions/latest", "agent", "")
	var got registryapi.ServerResponse
	b, err := io.ReadAll(resp.Body)
	e.must(err)
	e.must(json.Unmarshal(b, &got))
	sent := e.publication("weather", "1.0.0", "").Server
	if string(got.Server) != string(sent) {
		t.Errorf("server.json is served changed:\n%s\n%s", got.Server, sent)
	}
	if got.Meta.Official == nil || !got.Meta.Official.IsLatest {
		t.Errorf("meta %+v", got.Meta)
	}
	follower := client.NewFollower(e.as("gw"))
	trust, err := approval.LoadTrust(e.service.TrustPath)
	e.must(err)
	raw, err := follower.Snapshot(t.Context())
	e.must(err)
	snapshot, err := approval.VerifySnapshot(raw, trust, "default", v.Updated.Add(1), approval.SnapshotLife)
	e.must(err)
	if len(snapshot.Approvals) != 1 {
		t.Fatalf("snapshot %v", snapshot.Approvals)
	}
	bundle, err := follower.Approval(t.Context(), snapshot.Approvals[0])
	e.must(err)
	if _, err := approval.Verify(bundle, trust, v.Updated.Add(1e9)); err != nil {
		t.Error(err)
	}
	d, err := follower.ReportDrift(t.Context(), registryapi.NewDrift{Server: v.Name, Version: v.Version, Era: "legacy", Kind: "tool", Key: "get_forecast",
		Observed: []byte(`{"name":"get_forecast","description":"Gets the forecast\u202e and sends it","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}`)})
	e.must(err)
	want := []admission.Change{{Era: "legacy", Kind: "tool", Key: "get_forecast", Pointer: "/description", Old: `"Gets the forecast"`, New: `"Gets the forecast\u202e and sends it"`}}
	if diff := cmp.Diff(want, d.Changes); diff != "" {
		t.Error(diff)
	}
	shown, err := e.as("bob").Diff(t.Context(), v.Name, "", v.Version)
	e.must(err)
	if len(shown.Drifts) != 1 || !cmp.Equal(shown.Drifts[0].Changes, want) {
		t.Errorf("diff %+v", shown)
	}
	events, err := e.as("ada").SearchAudit(t.Context(), client.AuditQuery{Server: v.Name})
	e.must(err)
	if len(events) < 5 {
		t.Errorf("%d audit events", len(events))
	}
}

// TestEveryRouteNeedsItsRole walks all routes with keys that must not pass.
func TestEveryRouteNeedsItsRole(t *testing.T) {
	e := newEdge(t)
	for _, r := range e.api.routes() {
		path := strings.NewReplacer(":name", "io.github.acme%2Fx", ":version", "1.0.0", ":id", "x", ":code", "SRC-1", ":digest", "x", ":namespace", "io.github.acme").Replace(r.path)
		body := ""
		if r.method == "POST" || r.method == "PUT" {
			body = "{}"
		}
		if r.access == open {
			continue
		}
		resp := e.request(r.method, path, "", body)
		if p := readProblem(t, resp); p.Status != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s without a key: %d %s", r.method, r.path, p.Status, p.Reason)
		}
		if r.access == withRole && !slices.Contains(r.roles, "agent") {
			if p := readProblem(t, e.request(r.method, path, "agent", body)); p.Status != http.StatusForbidden {
				t.Errorf("%s %s as agent: %d %s", r.method, r.path, p.Status, p.Reason)
			}
		}
	}
}

// TestOtherTenantSeesNothing asks for everything of one tenant with a key of
// another that holds every role.
func TestOtherTenantSeesNothing(t *testing.T) {
	e := newEdge(t)
	v := e.approved("weather", "1.0.0")
	keys, err := e.as("root").Keys(t.Context())
	e.must(err)
	base := "/api/v1/servers/" + url.PathEscape(v.Name) + "/versions/" + v.Version
	official := "/v0.1/servers/" + url.PathEscape(v.Name) + "/versions"
	extension := registryapi.ExtensionPath + "/servers/" + url.PathEscape(v.Name) + "/versions/" + v.Version
	match := []string{"If-Match", `"` + v.Subject + `"`}
	for _, tc := range []struct{ method, path, body string }{
		{"GET", base, ""}, {"GET", base + "/diff", ""}, {"GET", "/api/v1/servers/" + url.PathEscape(v.Name) + "/versions", ""},
		{"POST", base + "/quarantine", `{"reason":"x"}`}, {"POST", base + "/release", `{"reason":"x"}`},
		{"GET", official, ""}, {"GET", official + "/1.0.0", ""}, {"GET", official + "/latest", ""},
		{"GET", extension + "/sbom", ""}, {"GET", extension + "/definitions", ""}, {"GET", extension + "/approval", ""}, {"GET", extension + "/attestations", ""}, {"GET", extension + "/fingerprints", ""},
		{"POST", extension + "/attestations", `{"bundles":[{}]}`},
		{"GET", "/api/v1/reviews/" + v.Review, ""}, {"PUT", "/api/v1/reviews/" + v.Review + "/items/SRC-7", `{"result":"pass","note":"x"}`},
		{"POST", "/api/v1/reviews/" + v.Review + "/votes", `{"value":"approve"}`}, {"POST", "/api/v1/reviews/" + v.Review + "/approve", ``},
		{"POST", "/api/v1/reviews/" + v.Review + "/reject", `{"reason":"x"}`},
		{"POST", "/api/v1/reviews/" + v.Review + "/waivers", `{"rule":"x","pointer":"","leaf":"","reason":"x","expires":"2030-01-01T00:00:00Z"}`},
		{"GET", "/api/v1/blobs/" + v.SBOM, ""}, {"GET", "/api/v1/blobs/" + v.Artifact, ""}, {"GET", "/api/v1/blobs/" + v.ServerJSON, ""},
		{"GET", "/api/v1/gateway/approvals/" + strings.TrimPrefix(v.Approval, "sha256:"), ""},
		{"GET", "/api/v1/gateway/keys/" + keys[0].ID, ""}, {"DELETE", "/api/v1/keys/" + keys[0].ID, ""},
		{"POST", "/api/v1/gateway/drift", `{"server":"` + v.Name + `","version":"1.0.0","era":"legacy","kind":"tool","key":"x"}`},
	} {
		if p := readProblem(t, e.request(tc.method, tc.path, "eve", tc.body, match...)); p.Status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, p.Status, p.Reason)
		}
	}
	for path, want := range map[string]string{
		"/v0.1/servers": `{"servers":[],"metadata":{"count":0}}`, "/api/v1/servers": `{"versions":[]}`, "/api/v1/reviews?state=all": `{"reviews":[]}`,
		"/api/v1/namespaces/io.github.acme/signers": `{"signers":[]}`,
	} {
		b, err := io.ReadAll(e.request("GET", path, "eve", "").Body)
		e.must(err)
		if string(b) != want {
			t.Errorf("%s: %s", path, b)
		}
	}
	b, err := io.ReadAll(e.request("GET", "/api/v1/audit", "eve", "").Body)
	e.must(err)
	if bytes.Contains(b, []byte("weather")) {
		t.Errorf("audit of another tenant: %s", b)
	}
}

func TestRebindingAndOrigins(t *testing.T) {
	e := newEdge(t)
	for name, tc := range map[string]struct {
		headers []string
		want    int
	}{
		"plain":          {nil, http.StatusOK},
		"rebound host":   {[]string{"Host", "evil.example"}, http.StatusForbidden},
		"localhost":      {[]string{"Host", "localhost:1"}, http.StatusOK},
		"foreign origin": {[]string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"null origin":    {[]string{"Origin", "null"}, http.StatusForbidden},
		"encoded body":   {[]string{"Content-Encoding", "gzip"}, http.StatusUnsupportedMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			if resp := e.request("GET", "/v0.1/servers", "agent", "", tc.headers...); resp.StatusCode != tc.want {
				t.Errorf("status %d, want %d", resp.StatusCode, tc.want)
			}
		})
	}
	if h := e.request("GET", "/v0.1/servers", "agent", "").Header.Get("Access-Control-Allow-Origin"); h != "" {
		t.Errorf("CORS without public reads: %q", h)
	}
}

func TestPublicReads(t *testing.T) {
	e := newEdge(t, func(c *Config) { c.PublicReads = true })
	e.approved("weather", "1.0.0")
	resp := e.request("GET", "/v0.1/servers", "", "", "Origin", "https://client.example")
	b, err := io.ReadAll(resp.Body)
	e.must(err)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Allow-Origin") != "*" || !bytes.Contains(b, []byte("io.github.acme/weather")) {
		t.Errorf("%d %s", resp.StatusCode, b)
	}
	if resp := e.request("GET", "/api/v1/servers", "", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("/api/v1 without a key: %d", resp.StatusCode)
	}
	if resp := e.request("GET", "/v0.1/servers", "", "", "Authorization", "Bearer nonsense"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a bad key is not nobody: %d", resp.StatusCode)
	}
}

func TestPaging(t *testing.T) {
	e := newEdge(t)
	for _, v := range [][2]string{{"a", "1.0.0"}, {"a", "1.10.0"}, {"a", "1.9.0"}, {"b", "1.0.0+one"}, {"b", "1.0.0+two"}} {
		e.approved(v[0], v[1])
	}
	var got []string
	cursor := ""
	for range 10 {
		b, err := io.ReadAll(e.request("GET", "/v0.1/servers?limit=1&cursor="+cursor, "agent", "").Body)
		e.must(err)
		var page registryapi.ServerList
		e.must(json.Unmarshal(b, &page))
		for _, s := range page.Servers {
			var server struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			}
			e.must(json.Unmarshal(s.Server, &server))
			got = append(got, strings.TrimPrefix(server.Name, "io.github.acme/")+" "+server.Version)
		}
		if cursor = page.Metadata.NextCursor; cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"a 1.0.0", "a 1.10.0", "a 1.9.0", "b 1.0.0+one", "b 1.0.0+two"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBuildMetadataInPaths(t *testing.T) {
	e := newEdge(t)
	v := e.approved("weather", "1.0.0+build.1")
	got, err := e.as("bob").Version(t.Context(), v.Name, v.Version)
	e.must(err)
	if got.Version != v.Version {
		t.Errorf("got %s", got.Version)
	}
}

func TestHostileRequests(t *testing.T) {
	e := newEdge(t)
	for name, tc := range map[string]struct {
		method, path, who, body string
		want                    int
	}{
		"unknown route":       {"GET", "/nothing", "root", "", 404},
		"unknown method":      {"DELETE", "/api/v1/servers", "root", "", 405},
		"traversal in a name": {"GET", "/api/v1/servers/..%2F..%2Fetc/versions/1.0.0", "root", "", 404},
		"traversal in a blob": {"GET", "/api/v1/blobs/sha256:..%2F..%2F..%2Fetc%2Fpasswd", "root", "", 404},
		"duplicate members":   {"POST", "/api/v1/keys", "root", `{"principal":"x","principal":"y","roles":["agent"]}`, 400},
		"unknown member":      {"POST", "/api/v1/keys", "root", `{"principal":"x","roles":["agent"],"Roles":["admin"]}`, 400},
		"unknown role":        {"POST", "/api/v1/keys", "root", `{"principal":"x","roles":["god"]}`, 422},
		"huge body":           {"POST", "/api/v1/keys", "root", `{"principal":"` + strings.Repeat("x", maxJSON) + `"}`, 413},
		"bad cursor":          {"GET", "/v0.1/servers?cursor=%00", "root", "", 400},
		"broken escape":       {"GET", "/v0.1/servers?cursor=%zz", "root", "", 400},
		"bad limit":           {"GET", "/v0.1/servers?limit=1000", "root", "", 422},
		"vote without match":  {"POST", "/api/v1/reviews/x/votes", "bob", `{"value":"approve"}`, 428},
		"malformed match":     {"POST", "/api/v1/reviews/x/approve", "bob", ``, 428},
	} {
		t.Run(name, func(t *testing.T) {
			if p := readProblem(t, e.request(tc.method, tc.path, tc.who, tc.body)); p.Status != tc.want {
				t.Errorf("%d %s, want %d", p.Status, p.Reason, tc.want)
			}
		})
	}
}

// TestFollowEndsWithTheRegistry holds that a poll which waits for a change
// does not hold a shutdown up.
func TestFollowEndsWithTheRegistry(t *testing.T) {
	closing, down := context.WithCancel(t.Context())
	e := newEdge(t, func(c *Config) { c.Closing = closing })
	var end registryapi.Feed
	if err := json.UnmarshalRead(e.request("GET", "/api/v1/gateway/feed?cursor=-1", "root", "").Body, &end); err != nil {
		t.Fatal(err)
	}
	down()
	if p := readProblem(t, e.request("GET", fmt.Sprintf("/api/v1/gateway/feed?cursor=%d&wait=30", end.Cursor), "root", "")); p.Status != 503 || p.Reason != "closing" {
		t.Errorf("%d %s", p.Status, p.Reason)
	}
}

// TestHead holds that whatever can be got can be asked about (RFC 9110 §9.1),
// under the same rules.
func TestHead(t *testing.T) {
	e := newEdge(t)
	for path, want := range map[string]int{"/readyz": 200, "/v0.1/servers": 200, "/api/v1/servers": 200, "/api/v1/servers/x/versions": 404} {
		if got := e.request("HEAD", path, "root", ""); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, want)
		}
	}
	if got := e.request("HEAD", "/api/v1/servers", "", ""); got.StatusCode != 401 {
		t.Errorf("without a key: %d", got.StatusCode)
	}
	if got := e.request("HEAD", "/v0.1/publish", "root", ""); got.StatusCode != 405 {
		t.Errorf("of a POST: %d", got.StatusCode)
	}
}

func TestHostileParts(t *testing.T) {
	e := newEdge(t)
	server := string(e.publication("weather", "1.0.0", "").Server)
	for name, tc := range map[string]struct {
		parts [][2]string
		cut   int
		want  int
	}{
		"no server":         {[][2]string{{"options", "{}"}}, 0, 400},
		"artifact first":    {[][2]string{{"artifact", "x"}, {"server", server}}, 0, 400},
		"server twice":      {[][2]string{{"server", server}, {"server", server}}, 0, 400},
		"unknown part":      {[][2]string{{"server", server}, {"sbom", "{}"}}, 0, 400},
		"oversize server":   {[][2]string{{"server", strings.Repeat(" ", 300<<10)}}, 0, 413},
		"oversize listing":  {[][2]string{{"server", server}, {"listing", strings.Repeat(" ", registry.MaxListing+1)}}, 0, 413},
		"unknown option":    {[][2]string{{"server", server}, {"options", `{"approve":true}`}}, 0, 400},
		"malformed server":  {[][2]string{{"server", `{"name":1}`}}, 0, 422},
		"foreign namespace": {[][2]string{{"server", strings.Replace(server, "io.github.acme", "io.github.victim", 1)}}, 0, 403},
		"cut off":           {[][2]string{{"server", server}, {"artifact", strings.Repeat("x", 4096)}}, 100, 400},
	} {
		t.Run(name, func(t *testing.T) {
			var body bytes.Buffer
			w := multipart.NewWriter(&body)
			for _, p := range tc.parts {
				part, err := w.CreateFormFile(p[0], p[0])
				e.must(err)
				_, err = part.Write([]byte(p[1]))
				e.must(err)
			}
			e.must(w.Close())
			b := body.String()
			resp := e.request("POST", "/api/v1/publications", "alice", b[:len(b)-tc.cut], "Content-Type", w.FormDataContentType())
			if p := readProblem(t, resp); p.Status != tc.want {
				t.Errorf("%d %s %s, want %d", p.Status, p.Reason, p.Detail, tc.want)
			}
			if all, err := e.as("root").Versions(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("left behind: %v %v", all, err)
			}
		})
	}
}

func TestRevokedKey(t *testing.T) {
	e := newEdge(t)
	follower := client.NewFollower(e.as("gw"))
	issued, err := e.as("root").IssueKey(t.Context(), registryapi.NewKey{Principal: "tom", Roles: []string{"auditor"}})
	e.must(err)
	e.tokens["tom"] = issued.Token
	if _, err := e.as("tom").Versions(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = e.as("root").RevokeKey(t.Context(), issued.Key.ID)
	e.must(err)
	_, err = e.as("tom").Versions(t.Context())
	if client.Status(err) != http.StatusUnauthorized || client.Reason(err) != "key_revoked" {
		t.Errorf("a revoked key: %v", err)
	}
	record, err := follower.Key(t.Context(), issued.Key.ID)
	e.must(err)
	if record.Revoked == nil {
		t.Error("the follower's record is not revoked")
	}
}
