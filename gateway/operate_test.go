package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// TestBreakerHarmsOnlyTheAuthor attacks the breaker from both sides: a caller
// whose arguments trap the scanner, and a server whose answers do. Neither gets
// anything through, nor anybody else refused.
func TestBreakerHarmsOnlyTheAuthor(t *testing.T) {
	good, bad := newScript(t), newScript(t)
	now := time.Now() // stands still: what opened stays open
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Now = func() time.Time { return now } })
	h.serve("good", good.start())
	h.serve("bad", bad.start())
	bad.set("tools/call", `{"content":[{"type":"text","text":"TRAP-ME"}]}`)
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	fine, trap := `{"name":"one","arguments":{"a":"fine"}}`, `{"name":"one","arguments":{"a":"TRAP-ME"}}`

	for range 5 {
		h.call("good", 1, "tools/call", trap, mallory).refused(t, 403, ReasonScannerFailure)
	}
	data := h.call("good", 1, "tools/call", fine, mallory).refused(t, 403, ReasonScannerFailure)
	if r := h.call("good", 1, "tools/call", fine); r.status != 200 {
		t.Errorf("mallory's payloads had alice refused: %s", r.body)
	}
	for range 5 {
		h.call("bad", 1, "tools/call", fine).refused(t, 403, ReasonScannerFailure)
	}
	if r := h.call("good", 1, "tools/call", fine); r.status != 200 {
		t.Errorf("one server's answers had another's refused: %s", r.body)
	}
	health := h.cfg.Scanners.Health()[0]
	failures := int64(0)
	for _, n := range health.Failures {
		failures += n
	}
	if health.Openings != 2 || failures != 6 || health.Skipped != 5 {
		t.Errorf("%d openings, %d failures, %d skipped", health.Openings, failures, health.Skipped)
	}
	digest := h.cfg.Scanners.Scanners()[0].Digest
	found := h.events(audit.Query{ID: data.AuditID})
	want := regexp.MustCompile(`"failures":\[\{"scanner":"marker","digest":"` + digest + `","kind":"[a-z]+","detail":"[^"]+","skipped":true\}\]`)
	if len(found) != 1 || !want.Match(found[0].Raw) {
		t.Errorf("one of %d records lacks %s", len(found), want)
	}
}

// TestSwapForgetsListings holds that what scanners said of a listing counts as
// long as they are in force, and a failure not even that long.
func TestSwapForgetsListings(t *testing.T) {
	scanner, err := sharedScanner()
	if err != nil {
		t.Fatal(err)
	}
	live := engine.NewLive(engine.NewSet())
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Scanners = live })
	s := newScript(t)
	s.set("tools/list", `{"resultType":"complete","tools":[{"name":"one","description":"BLOCK-ME","inputSchema":{"type":"object"}}]}`)
	h.serve("srv", s.start())
	if r := h.call("srv", 1, "tools/call", `{"name":"one","arguments":{}}`); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if err := live.Swap(t.Context(), engine.NewSet(scanner), nil); err != nil {
		t.Fatal(err)
	}
	h.call("srv", 1, "tools/call", `{"name":"one","arguments":{}}`).refused(t, 403, ReasonFinding)
}

// TestMetrics holds that counters are told on this machine, and elsewhere to
// the tenant's auditors only.
func TestMetrics(t *testing.T) {
	h := open(t, func(c *Config) {
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "counters") })
	})
	auditor := h.keys.issue(t, "ada", identity.RoleAuditor)
	stranger := h.keys.issue(t, "eve", identity.RoleAdmin)
	h.keys.change("eve", func(r *identity.KeyRecord) { r.Tenant = "other" })
	for _, tt := range []struct {
		name, method, remote, host string
		header                     []string
		want                       int
	}{
		{"here", "GET", "127.0.0.1:40000", "localhost:8471", nil, 200},
		{"here, IPv6", "GET", "[::1]:40000", "[::1]:8471", nil, 200},
		{"another method", "POST", "127.0.0.1:40000", "localhost:8471", nil, 405},
		{"elsewhere", "GET", "192.0.2.1:40000", "gateway.example.com", nil, 401},
		{"elsewhere, saying it is here", "GET", "192.0.2.1:40000", "localhost", nil, 401},
		{"a proxy here under its public name", "GET", "127.0.0.1:40000", "gateway.example.com", nil, 401},
		{"a proxy here that says so", "GET", "127.0.0.1:40000", "localhost", []string{"X-Forwarded-For", "192.0.2.1"}, 401},
		{"a page elsewhere", "GET", "127.0.0.1:40000", "localhost", []string{"Origin", "https://evil.example"}, 403},
		{"an agent", "GET", "192.0.2.1:40000", "gateway.example.com", []string{"Authorization", "Bearer " + h.token}, 403},
		{"another tenant", "GET", "192.0.2.1:40000", "gateway.example.com", []string{"Authorization", "Bearer " + stranger}, 403},
		{"an auditor", "GET", "192.0.2.1:40000", "gateway.example.com", []string{"Authorization", "Bearer " + auditor}, 200},
	} {
		r := httptest.NewRequest(tt.method, "/metrics", nil)
		r.RemoteAddr, r.Host = tt.remote, tt.host
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if told := w.Body.String() == "counters"; w.Code != tt.want || told != (tt.want == 200) {
			t.Errorf("%s: %d %s, want %d", tt.name, w.Code, w.Body, tt.want)
		}
	}
	if r := open(t, nil).do(http.MethodGet, "/metrics", ""); r.status != 404 {
		t.Errorf("without counters: %d", r.status)
	}
}
