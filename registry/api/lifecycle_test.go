package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

// list asks for one page and writes what is on it, the latest with a mark.
func (e *edge) list(path, who string) (names []string, next string) {
	e.t.Helper()
	resp := e.request("GET", path, who, "")
	b, err := io.ReadAll(resp.Body)
	e.must(err)
	if resp.StatusCode != http.StatusOK {
		e.t.Fatalf("%s: %d %s", path, resp.StatusCode, b)
	}
	var page registryapi.ServerList
	e.must(json.Unmarshal(b, &page))
	if page.Metadata.Count != len(page.Servers) {
		e.t.Errorf("count %d of %d", page.Metadata.Count, len(page.Servers))
	}
	for _, s := range page.Servers {
		var server struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		}
		e.must(json.Unmarshal(s.Server, &server))
		name := strings.TrimPrefix(server.Name, "io.github.acme/") + " " + server.Version
		if s.Meta.Official.IsLatest {
			name += "*"
		}
		names = append(names, name)
	}
	return names, page.Metadata.NextCursor
}

func (e *edge) wantList(path string, want ...string) {
	e.t.Helper()
	if got, _ := e.list(path, "agent"); !cmp.Equal(got, want) {
		e.t.Errorf("%s: %v; want %v", path, got, want)
	}
}

func TestOfficialLists(t *testing.T) {
	e := newEdge(t)
	before := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	for _, v := range [][2]string{{"weather", "1.9.0"}, {"weather", "1.10.0"}, {"weather_map", "0.1.0"}, {"zoo", "1.0.0"}} {
		e.approved(v[0], v[1])
	}
	all := []string{"weather 1.10.0*", "weather 1.9.0", "weather_map 0.1.0*", "zoo 1.0.0*"}
	for _, prefix := range []string{"/v0.1", "/v0"} {
		e.wantList(prefix+"/servers", all...)
		e.wantList(prefix+"/servers?version=latest", "weather 1.10.0*", "weather_map 0.1.0*", "zoo 1.0.0*")
		e.wantList(prefix+"/servers/io.github.acme%2Fweather/versions", "weather 1.10.0*", "weather 1.9.0")
	}
	e.wantList("/v0.1/servers?version=1.9.0", "weather 1.9.0")
	e.wantList("/v0.1/servers?search=WEATHER&version=latest", "weather 1.10.0*", "weather_map 0.1.0*")
	e.wantList("/v0.1/servers?search=her_", "weather_map 0.1.0*")
	e.wantList("/v0.1/servers?search=%25%25%25")
	e.wantList("/v0.1/servers?updated_since="+before, all...)
	e.wantList("/v0.1/servers?updated_since=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339))

	first, next := e.list("/v0.1/servers?version=latest&limit=2", "agent")
	second, end := e.list("/v0.1/servers?version=latest&limit=2&cursor="+next, "agent")
	if !cmp.Equal(append(first, second...), []string{"weather 1.10.0*", "weather_map 0.1.0*", "zoo 1.0.0*"}) || end != "" {
		t.Errorf("%v %v %q", first, second, end)
	}
	for query, want := range map[string]int{
		"limit=0": 422, "limit=x": 422, "limit=101": 422, "search=ab": 422, "search=%20%20%20a": 422, "include_deleted=maybe": 422,
		"updated_since=yesterday": 400, "cursor=bm9jb2xvbg": 400, "updated_since=" + before + "&include_deleted=false": 400,
	} {
		resp := e.request("GET", "/v0.1/servers?"+query, "agent", "")
		b, err := io.ReadAll(resp.Body)
		e.must(err)
		var official struct {
			Error  string `json:"error"`
			Title  string `json:"title"`
			Detail string `json:"detail"`
		}
		e.must(json.Unmarshal(b, &official))
		if resp.StatusCode != want || official.Error == "" || official.Error != official.Detail || official.Title != http.StatusText(want) {
			t.Errorf("%s: %d %s; want %d", query, resp.StatusCode, b, want)
		}
	}
	e.wantList("/v0.1/servers?search=nothing+like+it")
	if got, _ := e.list("/v0.1/servers", "eve"); len(got) != 0 {
		t.Errorf("another tenant sees %v", got)
	}
}

func TestOfficialStatus(t *testing.T) {
	e := newEdge(t)
	for _, v := range []string{"1.0.0", "1.1.0"} {
		e.approved("weather", v)
	}
	server := "/v0.1/servers/io.github.acme%2Fweather"
	patch := func(path, who, body string, want int) string {
		t.Helper()
		resp := e.request("PATCH", path, who, body)
		b, err := io.ReadAll(resp.Body)
		e.must(err)
		if resp.StatusCode != want {
			t.Errorf("%s %s as %s: %d %s; want %d", path, body, who, resp.StatusCode, b, want)
		}
		return string(b)
	}
	if got := patch(server+"/versions/1.1.0/status", "alice", `{"status":"deleted","statusMessage":"leaks keys"}`, 200); !strings.Contains(got, `"status":"deleted"`) || !strings.Contains(got, `"statusMessage":"leaks keys"`) {
		t.Error(got)
	}
	e.wantList("/v0.1/servers", "weather 1.0.0*")
	e.wantList("/v0.1/servers?include_deleted=true", "weather 1.0.0*", "weather 1.1.0")
	e.wantList("/v0.1/servers?updated_since=2026-01-01T00:00:00Z", "weather 1.0.0*", "weather 1.1.0")
	e.wantList(server+"/versions?include_deleted=true", "weather 1.1.0", "weather 1.0.0*")
	for path, want := range map[string]int{"/versions/1.1.0": 404, "/versions/1.1.0?include_deleted=true": 200, "/versions/latest": 200} {
		if resp := e.request("GET", server+path, "agent", ""); resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	if resp := e.request("GET", registryapi.ExtensionPath+"/servers/io.github.acme%2Fweather/versions/1.1.0/sbom", "agent", ""); resp.StatusCode != 404 {
		t.Errorf("what belongs to a deleted version: %d", resp.StatusCode)
	}
	var all registryapi.ChangedStatuses
	e.must(json.Unmarshal([]byte(patch("/v0/servers/io.github.acme%2Fweather/status", "alice", `{"status":"deprecated"}`, 200)), &all))
	if all.UpdatedCount != 2 || len(all.Servers) != 2 {
		t.Errorf("%+v", all)
	}
	one := server + "/versions/1.0.0/status"
	patch(one, "alice", `{"status":"deprecated"}`, 400)
	patch(one, "alice", `{"status":"gone"}`, 400)
	patch(one, "alice", `{"status":"active","statusMessage":"x"}`, 400)
	patch(one, "alice", `{"status":"active","state":"approved"}`, 400)
	patch(one, "alice", `{"status":"active"}`, 200)
	patch(one, "bob", `{"status":"deleted"}`, 403)
	patch(one, "agent", `{"status":"deleted"}`, 403)
	patch(one, "", `{"status":"deleted"}`, 401)
	patch(one, "eve", `{"status":"deleted"}`, 404)
	patch(server+"/versions/latest/status", "alice", `{"status":"deleted"}`, 404)
	patch(server+"/versions//status", "alice", `{"status":"deleted"}`, 404)
}

// TestOfficialVersionsNeverChange holds the official registry's answer to a
// second publication.
func TestOfficialVersionsNeverChange(t *testing.T) {
	e := newEdge(t)
	e.approved("weather", "1.0.0")
	raw := `{"name":"io.github.acme/weather","description":"Other","version":"1.0.0","remotes":[{"type":"streamable-http","url":"https://example.com/mcp"}]}`
	if p := readProblem(t, e.request("POST", "/v0.1/publish", "alice", raw)); p.Status != 400 || p.Reason != "version_exists" {
		t.Errorf("%d %s", p.Status, p.Reason)
	}
	for _, version := range []string{"^1.0.0", "1.x", "latest", ">=1", "v1.0.0", "1.0", "2026-01-01"} {
		if p := readProblem(t, e.request("POST", "/v0.1/publish", "alice", strings.Replace(raw, `"1.0.0"`, `"`+version+`"`, 1))); p.Status != 422 || p.Reason != "invalid_server_json" {
			t.Errorf("%s: %d %s", version, p.Status, p.Reason)
		}
	}
}

func TestOfficialProbes(t *testing.T) {
	e := newEdge(t, func(c *Config) { c.PublicReads, c.Version = true, "1.2.3" })
	for path, want := range map[string]string{"/v0.1/health": `{"status":"ok"}`, "/v0.1/ping": `{"pong":true}`, "/v0/health": `{"status":"ok"}`, "/v0.1/version": `{"version":"1.2.3","git_commit":"unknown","build_time":"unknown"}`} {
		resp := e.request("GET", path, "", "", "Origin", "https://page.example")
		b, err := io.ReadAll(resp.Body)
		e.must(err)
		if string(b) != want || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %s %v", path, b, resp.Header)
		}
	}
	closed := newEdge(t)
	if resp := closed.request("GET", "/v0.1/version", "", ""); resp.StatusCode != 401 {
		t.Errorf("version to nobody: %d", resp.StatusCode)
	}
	if resp := closed.request("GET", "/v0.1/health", "", "", "Origin", "https://page.example"); resp.StatusCode != 403 {
		t.Errorf("health to another origin: %d", resp.StatusCode)
	}
	// Only reads are shared with pages of other origins.
	if resp := e.request("POST", "/v0.1/validate", "", "{}", "Origin", "https://page.example"); resp.StatusCode != 403 {
		t.Errorf("validate to another origin: %d", resp.StatusCode)
	}
	if resp := e.request("OPTIONS", "/v0.1/publish", "", "", "Origin", "https://page.example"); resp.StatusCode != 405 {
		t.Errorf("preflight of publish: %d", resp.StatusCode)
	}
}
