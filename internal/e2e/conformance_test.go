//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/fixture/proxy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// suiteRun is one version of the official suite against one way in which the
// go-sdk's conformance server can be started.
type suiteRun struct {
	name   string
	suite  string // folder below conformance/node_modules
	flags  []string
	server []string
	least  int // passes of a direct run when this was written: fewer means the suite did not run
}

var suiteRuns = []suiteRun{
	{name: "stable", suite: "conformance-stable", server: []string{"-stateless=false"}, least: 44},
	{name: "next-2025-11-25", suite: "conformance-next", flags: []string{"--spec-version", "2025-11-25"}, server: []string{"-stateless=false"}, least: 82},
	{name: "next-2026-07-28", suite: "conformance-next", flags: []string{"--spec-version", "2026-07-28"}, server: []string{"-stateless=true"}, least: 153},
}

// TestConformance runs the official suite against the conformance server twice:
// directly, and through the running gateway with every check on. The gateway
// may cost no pass. What fails behind it and not without it must stand in
// testdata/conformance.txt, and what stands there must fail.
func TestConformance(t *testing.T) {
	node := newestNode(t)
	known := knownFailures(t)
	for _, run := range suiteRuns {
		t.Run(run.name, func(t *testing.T) {
			w := newWorld(t) // of its own: the same server twice in one registry is a copy
			target := startEverything(t, run.server...)
			w.admitRemote(t, run.name, target)
			through := keyed(t, w.gateway, w.agent) + "/mcp/" + run.name
			w.answers(t, through)

			direct := runSuite(t, node, run, target)
			behind := runSuite(t, node, run, through)
			count(t, "conformance %s: direct %s; through the gateway %s", run.name, direct, behind)
			if n := direct.total(passed); n < run.least {
				t.Errorf("%d passes directly, %d are known", n, run.least)
			}
			lost := behind.lostAgainst(direct)
			if diff := cmp.Diff(known[run.name], lost); diff != "" {
				t.Errorf("failures behind the gateway differ from testdata/conformance.txt (-known +found):\n%s", diff)
				for _, key := range lost {
					t.Logf("%s:\n%s", key, behind.messages[key])
				}
			}
			if len(known[run.name]) == 0 && behind.total(passed) < direct.total(passed) {
				t.Errorf("%d passes behind the gateway, %d without it", behind.total(passed), direct.total(passed))
			}
		})
	}
}

// knownFailures reads "RUN SCENARIO/CHECK" lines.
func knownFailures(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "conformance.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		run, check, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("testdata/conformance.txt: %q", line)
		}
		known[run] = append(known[run], check)
	}
	for _, checks := range known {
		slices.Sort(checks)
	}
	return known
}

// startEverything starts the go-sdk's conformance server and returns its URL.
func startEverything(t *testing.T, flags ...string) string {
	t.Helper()
	return listening(t, func(host, port string) *exec.Cmd {
		return exec.Command(filepath.Join(bin(t), "fixtures", "everything-server"), append([]string{"-http", host + ":" + port}, flags...)...)
	}) + "/"
}

// keyed is a proxy that does nothing but add a key, for clients that have no
// option for one. Host and Origin arrive as they were sent.
func keyed(t *testing.T, gateway, token string) string {
	t.Helper()
	to, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	front := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
		r.Out.Header.Set("Authorization", "Bearer "+token)
	}}
	server := httptest.NewServer(proxy.Duplex(front))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// answers waits for an approval to reach the gateway.
func (w *world) answers(t *testing.T, endpoint string) {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`
	for range 300 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusNotFound {
			if id := resp.Header.Get(protocol.HeaderSessionID); id != "" {
				endSession(t, endpoint, id)
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s does not let anybody in", endpoint)
}

// endSession gives a session back: each has a process of a local server.
func endSession(t *testing.T, endpoint, id string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodDelete, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(protocol.HeaderSessionID, id)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("DELETE of a session: %s", resp.Status)
	}
}

// Statuses of a check, as the suite writes them.
const (
	passed = "SUCCESS"
	failed = "FAILURE"
	warned = "WARNING"
)

// verdicts counts statuses by "SCENARIO/CHECK".
type verdicts struct {
	counts   map[string]map[string]int
	messages map[string]string
}

func (v verdicts) total(status string) int {
	n := 0
	for _, counts := range v.counts {
		n += counts[status]
	}
	return n
}

func (v verdicts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d warned", v.total(passed), v.total(failed), v.total(warned))
}

// lostAgainst lists the checks that passed less often than in a reference run,
// or failed or warned more often.
func (v verdicts) lostAgainst(reference verdicts) []string {
	var lost []string
	for key := range reference.counts {
		if v.counts[key][passed] < reference.counts[key][passed] {
			lost = append(lost, key)
		}
	}
	for key, counts := range v.counts {
		if bad := counts[failed] + counts[warned]; bad > reference.counts[key][failed]+reference.counts[key][warned] {
			lost = append(lost, key)
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost)
}

// dated is what the suite adds to the name of a scenario's folder.
var dated = regexp.MustCompile(`-\d{4}-\d{2}-\d{2}T[0-9A-Za-z-]+$`)

// runSuite runs the suite's server half against a URL. Its exit code says only
// that some check failed, which the verdicts say better.
func runSuite(t *testing.T, node string, run suiteRun, target string) verdicts {
	t.Helper()
	out := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := append([]string{script(t, "conformance", "node_modules", run.suite, "dist", "index.js"), "server", "--suite", "all", "--url", target, "-o", out}, run.flags...)
	log, err := exec.CommandContext(ctx, node, args...).CombinedOutput()
	v := readVerdicts(t, out)
	if len(v.counts) == 0 {
		t.Fatalf("the suite wrote no results: %v\n%s", err, log)
	}
	return v
}

// readVerdicts collects the checks.json of every scenario.
func readVerdicts(t *testing.T, dir string) verdicts {
	t.Helper()
	v := verdicts{map[string]map[string]int{}, map[string]string{}}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "checks.json" {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var checks []struct {
			ID           string `json:"id"`
			Status       string `json:"status"`
			ErrorMessage string `json:"errorMessage"`
		}
		if err := json.Unmarshal(body, &checks); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		scenario, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		scenario = dated.ReplaceAllString(filepath.ToSlash(scenario), "")
		for _, c := range checks {
			key := scenario + "/" + c.ID
			if v.counts[key] == nil {
				v.counts[key] = map[string]int{}
			}
			v.counts[key][c.Status]++
			if c.Status == failed || c.Status == warned {
				v.messages[key] += c.ErrorMessage + "\n"
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
