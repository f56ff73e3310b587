package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bartizan-mcp/bartizan/cmd/internal/gatewaycmd"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/plugins"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"bartizan":         main,
		"bartizan-gateway": gatewaycmd.Main,
	})
}

// TestScripts runs testdata/script: the command line as its users type it.
//
// Beside the standard commands, scripts have `exits CODE command...`, which
// demands an exit code; `doors [flags]`, which starts `bartizan serve` until
// the script ends and sets REGISTRY, GATEWAY and, on first start, ADMIN;
// `signer [flags]`, which starts `bartizan key signer` alike;
// `sigstore`, which starts a certificate authority with its logs;
// `stop interrupt|kill`, which ends the last of them earlier; `reload`, which has it load its
// scanners anew; and `pick VAR POINTER`, which takes a string out of the JSON on
// the last standard output.
func TestScripts(t *testing.T) {
	params := scriptParams(t)
	params.Dir = "testdata/script"
	testscript.Run(t, params)
}

// scriptParams are the commands and the surroundings of every script.
func scriptParams(t *testing.T) testscript.Params {
	t.Helper()
	cache := filepath.Join(t.TempDir(), "cache")
	dist, err := filepath.Abs("../../plugins/dist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	return testscript.Params{
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits,
			"doors": cmdDoors,
			"signer": func(ts *testscript.TestScript, _ bool, args []string) {
				startProgram(ts, "bartizan", append([]string{"key", "signer", "--data", ts.MkAbs("vault"), "--socket", ts.MkAbs("s")}, args...)...)
			},
			"sigstore": cmdSigstore(t),

			"stop": cmdStop,
			"pick": cmdPick,
			"get":  cmdGet,

			"upstream": cmdUpstream,
			"remote":   cmdRemote,
			"call":     cmdCall,
			"envsubst": cmdEnvsubst,
			"token":    func(ts *testscript.TestScript, _ bool, args []string) { setMatch(ts, args[0], `bz_\S+`) },
			"word":     func(ts *testscript.TestScript, _ bool, args []string) { setMatch(ts, args[0], args[1]) },

			"publish-listings": cmdPublishListings,
			"everything":       cmdEverything,
			"bridge":           cmdBridge,

			"binary": cmdBinary,
			"tamper": cmdTamper,

			"assemble": cmdAssemble,
			"reload":   cmdReload,
			"until":    cmdUntil,

			"receiver": cmdReceiver,
			"spans":    cmdSpans,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "fences" {
				return fences(), nil
			}
			if cond == "listings" {
				return os.Getenv("BARTIZAN_LISTINGS") != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("BARTIZAN_CACHE", cache)
			env.Setenv("BARTIZAN_LISTINGS", os.Getenv("BARTIZAN_LISTINGS"))
			env.Setenv("DIST", dist)
			env.Setenv("NOW", time.Now().UTC().Format(time.RFC3339)) // of what must not be old
			env.Setenv("GOCACHE", goCache(t))
			env.Values[programsKey{}] = &programs{}
			env.Values[bridgedKey{}] = &bridged{}
			env.Values[receiverKey{}] = &receiver{}
			return nil
		},
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdDoors starts `bartizan serve` on free ports and waits until it is ready;
// with ! until it runs and the gateway says that it is not.
func cmdDoors(ts *testscript.TestScript, neg bool, args []string) {
	doors := startProgram(ts, "bartizan", append([]string{"serve", "--data", ts.MkAbs("data"),
		"--registry-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0"}, args...)...)
	ts.Check(waitReady(doors.Registry + "/readyz"))
	if neg {
		ts.Check(waitReady(doors.Gateway + "/healthz"))
		resp, err := http.Get(doors.Gateway + "/readyz")
		ts.Check(err)
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			ts.Fatalf("the gateway is ready: %d %s", resp.StatusCode, body)
		}
	} else {
		ts.Check(waitReady(doors.Gateway + "/readyz"))
	}
	ts.Setenv("REGISTRY", doors.Registry)
	ts.Setenv("GATEWAY", doors.Gateway)
	ts.Setenv("GATEWAYADDR", strings.TrimPrefix(doors.Gateway, "http://"))
	ts.Setenv("BARTIZAN_REGISTRY", doors.Registry)
	if doors.AdminKey != "" {
		ts.Setenv("ADMIN", doors.AdminKey)
		ts.Setenv("BARTIZAN_TOKEN", doors.AdminKey)
	}
}

// programs are what a script has running, the newest last.
type programs struct{ running []*exec.Cmd }

type programsKey struct{}

func started(ts *testscript.TestScript) *programs {
	return ts.Value(programsKey{}).(*programs)
}

// end stops the newest program and reports how it ended.
func (p *programs) end(signal os.Signal) error {
	last := len(p.running) - 1
	cmd := p.running[last]
	p.running = p.running[:last]
	_ = cmd.Process.Signal(signal)
	return cmd.Wait()
}

func cmdStop(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"interrupt": os.Interrupt, "kill": os.Kill}
	if neg || len(args) != 1 || signals[args[0]] == nil || len(started(ts).running) == 0 {
		ts.Fatalf("usage: stop interrupt|kill, after doors")
	}
	if err := started(ts).end(signals[args[0]]); err != nil && args[0] == "interrupt" {
		ts.Fatalf("the program did not end well: %v", err)
	}
}

// greeting is the line that a program prints once it listens.
type greeting struct {
	Registry string `json:"registry"`
	Gateway  string `json:"gateway"`
	AdminKey string `json:"adminKey"`
}

// startProgram runs a program until the script ends and reads its greeting.
func startProgram(ts *testscript.TestScript, name string, args ...string) greeting {
	// testscript puts the commands of TestMain first in PATH.
	bin := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], name)
	cmd := exec.Command(bin, args...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("WORK"), "BARTIZAN_CACHE="+ts.Getenv("BARTIZAN_CACHE"),
		"BARTIZAN_GATEWAY_TOKEN="+ts.Getenv("BARTIZAN_GATEWAY_TOKEN"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	all := started(ts)
	all.running = append(all.running, cmd)
	ts.Defer(func() {
		var err error
		if slices.Contains(all.running, cmd) {
			err = all.end(os.Interrupt)
		}
		ts.Logf("%s ended (%v) and said:\n%s", name, err, stderr.Bytes())
	})
	var line greeting
	if err := json.UnmarshalDecode(jsontext.NewDecoder(out), &line); err != nil {
		_ = all.end(os.Kill)
		ts.Fatalf("%s printed no JSON line: %v\n%s", name, err, stderr.Bytes())
	}
	go io.Copy(io.Discard, out)
	return line
}

func waitReady(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready", url)
}

func cmdPick(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pick VAR POINTER")
	}
	value, err := pickJSON([]byte(ts.ReadFile("stdout")), args[1])
	if err != nil {
		ts.Fatalf("pick %s: %v", args[1], err)
	}
	ts.Setenv(args[0], value)
}

// pickJSON follows a JSON Pointer to a string.
func pickJSON(body []byte, pointer string) (string, error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return "", err
	}
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(at) {
				return "", fmt.Errorf("no element %s", part)
			}
			v = at[i]
		}
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%v is no string", v)
	}
	return s, nil
}

// cmdGet prints the status and body of a GET with the script's token.
func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get STATUS URL")
	}
	req, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("BARTIZAN_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	ts.Check(err)
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("GET %s: %s, want %s\n%s", args[1], got, args[0], body)
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
}

// cmdPublishListings publishes every capture of a folder with --listing,
// signed, and demands that it goes to review without a finding of severity
// high or above.
func cmdPublishListings(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish-listings FOLDER KEY")
	}
	files, err := filepath.Glob(filepath.Join(args[0], "*.json"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no captures in %s", args[0])
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		server := ts.MkAbs(name + ".server.json")
		body := fmt.Sprintf(`{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":"io.github.acme/%s","description":"A real server","version":"1.0.0","remotes":[{"type":"streamable-http","url":"https://example.com/%s"}]}`, name, name)
		ts.Check(os.WriteFile(server, []byte(body), 0o600))
		if err := ts.Exec("bartizan", "publish", server, "--listing", file, "--key", ts.MkAbs(args[1]), "-o", "json"); err != nil {
			ts.Fatalf("%s: %v", name, err)
		}
		var v admission.Version
		ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
		for _, f := range v.Findings {
			if f.Severity == "high" || f.Severity == "critical" {
				ts.Fatalf("%s: %s %s at %s", name, f.Severity, f.Rule, f.Pointer)
			}
		}
		ts.Logf("%s: %s, %d findings below high", name, v.State, len(v.Findings))
	}
	ts.Logf("%d real listings", len(files))
}

// cmdEnvsubst replaces ${NAME} in a file by the script's variables.
func cmdEnvsubst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: envsubst FILE")
	}
	body := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(body), 0o600))
}

// setMatch sets a variable to the first match in the last standard output.
func setMatch(ts *testscript.TestScript, name, pattern string) {
	found := regexp.MustCompile(pattern).FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("no %s in the output", pattern)
	}
	ts.Setenv(name, found)
}

// TestReadme holds every bartizan command of the README to be one that
// readme.txtar runs.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/readme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	ran := strings.ReplaceAll(string(script), "$REVIEW", "REVIEW")
	commands := 0
	for _, line := range strings.Split(string(readme), "\n") {
		command, _, _ := strings.Cut(line, "#")
		if !strings.HasPrefix(command, "bartizan ") || strings.HasPrefix(command, "bartizan serve") {
			continue // doors is serve
		}
		commands++
		if !strings.Contains(ran, "exec "+strings.TrimSpace(command)+"\n") {
			t.Errorf("readme.txtar does not run %q", strings.TrimSpace(command))
		}
	}
	if commands < 10 {
		t.Errorf("only %d commands were found in the README", commands)
	}
}
