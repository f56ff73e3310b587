package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestRebinding (row 6): a web page that makes a browser take its name for this
// machine gets nothing from any listener, whatever it holds.
func TestRebinding(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	ferry := w.cast(t, "landing", protocol.Legacy, nil) // of this test alone: it counts
	body, header := modern("1", "tools/call", pier.act("rebinding"))
	visit := w.gate.visit(t, ferry.name, w.alice)
	var listeners []func(t *testing.T, extra ...string) *http.Request
	listen := func(method, url, token, body string, header ...string) {
		listeners = append(listeners, func(t *testing.T, extra ...string) *http.Request {
			return newRequest(t, method, url, token, body, append(append([]string{}, header...), extra...)...)
		})
	}
	for _, gate := range []string{w.gate.url, w.Gateway} {
		listen(http.MethodPost, gate+"/mcp/pier", w.alice, body, header...)
		listen(http.MethodGet, gate+"/metrics", w.auditor, "")
	}
	listen(http.MethodGet, w.gate.url+"/mcp/"+ferry.name, w.alice, "", append([]string{"Accept: text/event-stream"}, visit.header...)...)
	listen(http.MethodDelete, w.gate.url+"/mcp/"+ferry.name, w.alice, "", visit.header...)
	listen(http.MethodPost, w.gate.url+"/mcp/"+ferry.name, w.alice, initialize)
	for _, path := range []string{"/", "/v0.1/servers", "/api/v1/keys", "/api/v1/audit", "/api/v1/openapi.json", "/metrics"} {
		listen(http.MethodGet, w.Registry+path, w.AdminKey, "")
	}
	listen(http.MethodPost, w.Registry+"/v0.1/publish", w.Publisher, "{}")
	// The gateway lists the server's tools of its own accord now and then, in
	// sessions of its own.
	asked := func() int { return len(ferry.saw(`"clientInfo":{"name":"t"`)) + len(ferry.saw(visitorSession)) }
	before := asked()
	if before == 0 {
		t.Fatal("the visitor's own session was not seen")
	}
	for _, listener := range listeners {
		own := listener(t).URL.Host
		for _, page := range [][]string{
			{"Host: evil.example"},
			{"Host: evil.example:8471", "Origin: http://evil.example:8471"},
			{"Host: 127.0.0.1.evil.example"},
			{"Host: localhost.evil.example"},
			{"Host: 169.254.169.254"},
			{"Origin: https://evil.example"},
			{"Origin: null"},
			{"Origin: http://" + own + ".evil.example"},
			{"Origin: http://" + own + "@evil.example"},
			{"Origin: http://127.0.0.1:1"},
			{"Origin: file://"},
		} {
			req := listener(t, page...)
			r := do(t, req)
			if r.status != http.StatusForbidden {
				t.Errorf("%s %s with %q: %d %.300s", req.Method, req.URL, page, r.status, r.body)
			}
			for name := range r.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s with %q: %s: %s", req.Method, req.URL, page, name, r.header.Get(name))
				}
			}
		}
	}
	pier.untouched(t, "rebinding")
	if n := asked() - before; n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
	origin := w.gate.post(t, "pier", body, append(header, "Origin: https://evil.example")...)
	host := w.gate.post(t, "pier", body, append(header, "Host: evil.example")...)
	w.gate.refused(t, origin, http.StatusForbidden, protocol.CodeInvalidRequest, "origin_refused")
	w.gate.refused(t, host, http.StatusForbidden, protocol.CodeInvalidRequest, "host_refused")
	// No page learns how the gateway is doing beyond that it is there.
	r := do(t, newRequest(t, http.MethodGet, w.gate.url+"/readyz", "", "", "Host: evil.example"))
	if body := strings.TrimSpace(string(r.body)); body != "ready" && body != "not ready" {
		t.Errorf("/readyz tells a page %q", body)
	}
	if r := visit.call(t, 1, "tools/call", `{"name":"`+ferry.name+`_look","arguments":{}}`); r.status != http.StatusOK {
		t.Errorf("the session of the attacked client: %d %s", r.status, r.body)
	}
}

// TestBadHost (row 7): no Host or request target makes two readers see two
// paths.
func TestBadHost(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	post := func(target, host, cue string) string {
		body, header := modern("1", "tools/call", pier.act(cue))
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n%s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			target, host, w.alice, strings.Join(header, "\r\n"), len(body), body)
	}
	own := w.gate.host()
	for i, tt := range []struct {
		target, host string
		status       []int
	}{
		{"/mcp/pier", own + "/healthz", []int{400}},
		{"/mcp/pier", own + "?x=/healthz", []int{400}},
		{"/mcp/pier", own + "#/healthz", []int{400}},
		{"/mcp/pier", "user@" + own, []int{400}},
		{"/mcp/pier", own + "\\x", []int{400}},
		{"/mcp/pier", own + " " + own, []int{400}},
		{"/mcp/pier", "%31%32%37.0.0.1", []int{400, 403}},
		{"/mcp/pier", "", []int{400, 403}},
		{"/mcp/pier", own + "\r\nHost: evil.example", []int{400}},
		{"http://evil.example/mcp/pier", own, []int{403}},
		{"http://" + own + "?/mcp/pier", own, []int{404}},
		{"http://" + own + "/healthz#/mcp/pier", own, []int{400, 404}},
		{"/mcp/pier/", own, []int{404}},
		{"/mcp//pier", own, []int{404}},
		{"//mcp/pier", own, []int{400, 403, 404}},
		{"/mcp/nowhere/../pier", own, []int{404}},
		{"/mcp/%70ier", own, []int{404}},
		{"/mcp/pier%2f", own, []int{404}},
		{"/mcp/pier%00", own, []int{404}},
		{"/mcp/PIER", own, []int{404}},
		{"/healthz/../mcp/pier", own, []int{404}},
		{"/mcp\\pier", own, []int{404}},
		{"/mcp/pier;x", own, []int{404}},
	} {
		cue := fmt.Sprintf("badhost-%d-", i)
		got, _ := w.gate.raw(t, 1, post(tt.target, tt.host, cue))
		if len(got) != 1 || !contains(tt.status, got[0].status) {
			t.Errorf("%q with Host %q: %+v, want %v", tt.target, tt.host, got, tt.status)
		}
		pier.untouched(t, cue)
	}
	// The query is no part of the path, and does not travel.
	if got, _ := w.gate.raw(t, 1, post("/mcp/pier?server=nowhere&token=t", own, "badhost-query")); len(got) != 1 || got[0].status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	pier.untouched(t, "server=nowhere")
}

func contains(list []int, n int) bool {
	for _, have := range list {
		if have == n {
			return true
		}
	}
	return false
}
