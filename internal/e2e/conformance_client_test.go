//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/fixture/proxy"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// clientRuns are the versions of the suite's client half.
var clientRuns = []suiteRun{
	{name: "client-stable", suite: "conformance-stable", flags: []string{"--spec-version", "2025-11-25"}, least: 10},
	{name: "client-next-2025-11-25", suite: "conformance-next", flags: []string{"--spec-version", "2025-11-25"}, least: 20},
	{name: "client-next-2026-07-28", suite: "conformance-next", flags: []string{"--spec-version", "2026-07-28"}, least: 62},
}

// refDeref is the scenario whose server no registry of ours publishes: a tool
// with a reference into the network. That nobody follows it can be shown all
// the same, by the registry, which reads the listing and refuses it.
const refDeref = "json-schema-ref-no-deref"

// TestConformanceClient puts the gateway between the suite's scenario servers
// and the go-sdk's conformance client. What a server sees of the gateway must
// pass as what it sees of the client alone. Scenarios in which there is nothing
// for a gateway to stand between are named in testdata/conformance-client.txt.
func TestConformanceClient(t *testing.T) {
	node, known, inapplicable := newestNode(t), knownFailures(t), notForGateways(t)
	listed := map[string]bool{}
	for _, run := range clientRuns {
		t.Run(run.name, func(t *testing.T) {
			w := newWorld(t)
			direct, behind := newVerdicts(), newVerdicts()
			asItIs := func(url string, env []string) error { return everythingClient(t, url, env) }
			scenarios := clientScenarios(t, node, run)
			for _, scenario := range slices.Sorted(maps.Keys(scenarios)) {
				listed[scenario] = true
				versions := scenarios[scenario]
				if dated := strings.Contains(versions, "20"); dated && !strings.Contains(versions, run.flags[1]) {
					continue
				}
				kind := inapplicable[scenario]
				if kind == "authorization" {
					continue
				}
				t.Run(scenario, func(t *testing.T) {
					if kind == "client" {
						forced := run
						forced.flags = append([]string{"--force"}, run.flags...)
						if v := runClient(t, node, forced, scenario, asItIs); v.total(passed) > 0 {
							t.Errorf("passes directly, so it is to be run through the gateway: %s", v)
						}
						return
					}
					scene := newStage(t)
					alias := fmt.Sprintf("scenario-%d", len(direct.counts))
					direct.add(runClient(t, node, run, scenario, asItIs))
					if scenario == refDeref {
						behind.add(runClient(t, node, run, scenario, func(url string, _ []string) error {
							return w.refuses(t, alias, scene.show(t, url))
						}))
						return
					}
					// The registry asks a server in every era, which the suite would
					// take for the client: it asks at a rehearsal that does not count.
					runClient(t, node, run, scenario, func(url string, _ []string) error {
						defer scene.cut()
						w.admitRemote(t, alias, scene.show(t, url))
						w.answers(t, keyed(t, w.gateway, w.agent)+"/mcp/"+alias)
						return nil
					})
					behind.add(runClient(t, node, run, scenario, func(url string, env []string) error {
						defer scene.cut() // the gateway keeps a stream open, for whose end a scenario waits
						scene.show(t, url)
						return everythingClient(t, keyed(t, w.gateway, w.agent)+"/mcp/"+alias, env)
					}))
				})
			}
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
		})
	}
	for scenario := range inapplicable {
		if !listed[scenario] {
			t.Errorf("testdata/conformance-client.txt names %s, which the suite does not have", scenario)
		}
	}
}

// clientScenarios asks the suite which scenarios it has, and for which versions
// of the specification.
func clientScenarios(t *testing.T, node string, run suiteRun) map[string]string {
	t.Helper()
	index := script(t, "conformance", "node_modules", run.suite, "dist", "index.js")
	out, err := exec.CommandContext(t.Context(), node, index, "list", "--client").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	scenarios := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, versions, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "- "), " ["); ok {
			scenarios[name] = versions
		}
	}
	if len(scenarios) < 20 {
		t.Fatalf("the suite lists %d scenarios:\n%s", len(scenarios), out)
	}
	return scenarios
}

// notForGateways reads "SCENARIO KIND" lines.
func notForGateways(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "conformance-client.txt"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) == 2 {
			named[words[0]] = words[1]
		} else if len(words) != 0 {
			t.Fatalf("testdata/conformance-client.txt: %q", line)
		}
	}
	return named
}

// stage is an address that stays while scenario servers come and go behind it.
type stage struct {
	*httptest.Server
	at atomic.Pointer[url.URL]
}

func newStage(t *testing.T) *stage {
	s := &stage{}
	transport := &http.Transport{DisableKeepAlives: true}
	s.Server = httptest.NewServer(proxy.Duplex(&httputil.ReverseProxy{FlushInterval: -1, Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", s.at.Load().Host, s.at.Load().Host
	}}))
	t.Cleanup(func() {
		s.cut()
		s.Close()
	})
	return s
}

// show puts a server on stage and says where it is seen.
func (s *stage) show(t *testing.T, server string) string {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	s.at.Store(at)
	return s.URL + at.Path
}

// cut ends every connection.
func (s *stage) cut() { s.CloseClientConnections() }

// refuses publishes an endpoint that must not be let in.
func (w *world) refuses(t *testing.T, name, url string) error {
	server, err := json.Marshal(remote(name, streamable, url), json.Deterministic(true))
	if err != nil {
		return err
	}
	file := filepath.Join(t.TempDir(), "server.json")
	if err := os.WriteFile(file, server, 0o600); err != nil {
		return err
	}
	w.cli(w.publisher, 1, "publish", file, "--key", w.path("author.key"))
	return nil
}

// everythingClient is the client that the suite is about.
func everythingClient(t *testing.T, url string, env []string) error {
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin(t), "fixtures", "everything-client"), url)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// runClient runs one scenario. Whenever the suite starts its client, play is
// told the server's address and the client's environment.
func runClient(t *testing.T, node string, run suiteRun, scenario string, play func(url string, env []string) error) verdicts {
	t.Helper()
	cues := make(chan cue)
	prompter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		words := strings.Split(string(body), "\x00")
		if c := (cue{url: words[0], env: words[1:], played: make(chan error, 1)}); err == nil {
			cues <- c
			err = <-c.played
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	defer prompter.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), node, append([]string{
		script(t, "conformance", "node_modules", run.suite, "dist", "index.js"), "client",
		"--command", self, "--scenario", scenario, "--timeout", "120000", "-o", out,
	}, run.flags...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &log, &log, time.Second
	cmd.Env = append(os.Environ(), prompterEnv+"="+prompter.URL)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the verdicts say it better
	}()
	curtain := time.After(3 * time.Minute)
	for {
		select {
		case c := <-cues:
			err := play(c.url, c.env)
			if err != nil {
				t.Logf("%s: %v", scenario, err)
			}
			c.played <- err
		case <-curtain:
			_ = cmd.Cancel()
			t.Errorf("%s does not end", scenario)
			curtain = nil
		case <-ended:
			v := readVerdicts(t, out)
			if len(v.counts) == 0 {
				t.Fatalf("%s: no results:\n%s", scenario, log.Bytes())
			}
			return v
		}
	}
}

// cue is the suite's wish that its client begin.
type cue struct {
	url    string
	env    []string
	played chan error
}

// prompterEnv makes a client of this test binary that passes on its cue.
const prompterEnv = "BARTIZAN_E2E_PROMPTER"

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == teeCommand {
		if err := tee(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if at := os.Getenv(prompterEnv); at != "" {
		if err := prompt(at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func prompt(at string) error {
	words := []string{os.Args[len(os.Args)-1]}
	for _, name := range []string{"MCP_CONFORMANCE_SCENARIO", "MCP_CONFORMANCE_CONTEXT", "MCP_CONFORMANCE_PROTOCOL_VERSION"} {
		if value, ok := os.LookupEnv(name); ok {
			words = append(words, name+"="+value)
		}
	}
	resp, err := http.Post(at, "text/plain", strings.NewReader(strings.Join(words, "\x00")))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s", text)
	}
	return nil
}

func newVerdicts() verdicts {
	return verdicts{map[string]map[string]int{}, map[string]string{}}
}

// add takes over what one scenario found.
func (v verdicts) add(found verdicts) {
	maps.Copy(v.counts, found.counts)
	maps.Copy(v.messages, found.messages)
}
