package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// The test binary is its own stdio server: with fakeVariable set it behaves as
// that variable says.
const fakeVariable = "BARTIZAN_FAKE_SERVER"

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeVariable); mode != "" {
		runFake(mode)
		return
	}
	os.Exit(m.Run())
}

// fake is the target of a fake stdio server.
func fake(t *testing.T, mode string, env ...string) Target {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Target{Command: []string{exe, "argument"}, Dir: t.TempDir(), Env: append([]string{fakeVariable + "=" + mode}, env...)}
}

// fakeServer answers requests read from standard input.
type fakeServer struct {
	in      *bufio.Scanner
	answers map[string]func(m *jsonrpc.Message) // by method
}

func say(b []byte)               { fmt.Printf("%s\n", b) }
func result(id, json string)     { say(jsonrpc.NewResult(jsontext.Value(id), jsontext.Value(json))) }
func refuse(id string, code int) { say(jsonrpc.NewError(jsontext.Value(id), code, "no", nil)) }

const (
	legacyHello = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"fake"}}`
	modernHello = `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"instructions":"hi",` +
		`"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake"}}}`
	oneTool = `{"tools":[{"name":"t"}]}`
)

func newFake() *fakeServer {
	f := &fakeServer{in: bufio.NewScanner(os.Stdin), answers: map[string]func(*jsonrpc.Message){}}
	f.in.Buffer(nil, 1<<20)
	f.on(protocol.MethodInitialize, legacyHello)
	f.on(protocol.MethodToolsList, oneTool)
	return f
}

func (f *fakeServer) on(method, answer string) {
	f.answers[method] = func(m *jsonrpc.Message) { result(string(m.ID), answer) }
}

func (f *fakeServer) next() *jsonrpc.Message {
	if !f.in.Scan() {
		os.Exit(0)
	}
	m, err := jsonrpc.Parse(f.in.Bytes(), jsonrpc.Limits{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "client sent", err)
		os.Exit(9)
	}
	return m
}

func (f *fakeServer) serve() {
	for {
		m := f.next()
		answer := f.answers[m.Method]
		switch {
		case answer != nil:
			answer(m)
		case m.Kind == jsonrpc.Request:
			refuse(string(m.ID), protocol.CodeMethodNotFound)
		}
	}
}

func runFake(mode string) {
	f := newFake()
	switch mode {
	case "hang":
		time.Sleep(time.Hour)
	case "deaf":
		io.Copy(io.Discard, os.Stdin)
	case "die":
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			fmt.Print(`{"jsonrpc":"2.0","id":2,"result":{"tools":[{"na`)
			os.Exit(3)
		}
	case "big line":
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			chunk := strings.Repeat("x", 1<<20)
			fmt.Print(`{"jsonrpc":"2.0","id":2,"result":{"a":"`)
			for range 1 << 10 {
				if _, err := fmt.Print(chunk); err != nil {
					return
				}
			}
		}
	case "duplicate keys":
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"good","name":"evil"}]}}`+"\n", m.ID)
		}
	case "batch":
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			fmt.Printf(`[{"jsonrpc":"2.0","id":%s,"result":{"tools":[]}}]`+"\n", m.ID)
		}
	case "wrong id":
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			n, _ := strconv.Atoi(string(m.ID))
			result(strconv.Itoa(n+1000), `{"tools":[{"name":"evil"}]}`)
			result(`"`+string(m.ID)+`"`, `{"tools":[{"name":"evil"}]}`)
			result(string(m.ID), oneTool)
			result(string(m.ID), `{"tools":[{"name":"twice"}]}`)
		}
	case "stderr flood":
		chunk := strings.Repeat("e", 1<<20)
		for range 64 {
			fmt.Fprint(os.Stderr, chunk)
		}
		fmt.Fprint(os.Stderr, "the end")
	case "noise":
		fmt.Print("Starting the server ...\n\n   \r\n")
	case "environment":
		f.answers["env"] = func(m *jsonrpc.Message) {
			say(jsonrpc.NewResult(m.ID, map[string]any{"env": os.Environ(), "args": os.Args[1:], "dir": first(os.Getwd())}))
		}
	case "asks":
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			say(jsonrpc.NewRequest(1, protocol.MethodPing, nil)) // an id that the client uses too
			say(jsonrpc.NewRequest(2, protocol.MethodSamplingCreateMessage, map[string]any{"messages": []int{}}))
			ping, sampling := f.next(), f.next()
			code, _ := sampling.Code()
			result(string(m.ID), fmt.Sprintf(`{"tools":[{"name":"%s %s %d"}]}`, ping.Result, sampling.ID, code))
		}
	case "notifies":
		f.answers[protocol.NotificationInitialized] = func(*jsonrpc.Message) {
			say(jsonrpc.NewNotification(protocol.NotificationToolsListChanged, nil))
		}
	case "modern":
		delete(f.answers, protocol.MethodInitialize)
		f.answers[protocol.MethodDiscover] = func(m *jsonrpc.Message) {
			_, _, _, err := jsonrpc.Get(m.Params, jsontext.Pointer("/_meta").AppendToken(protocol.MetaClientCapabilities))
			if err != nil {
				refuse(string(m.ID), protocol.CodeInvalidParams)
				return
			}
			result(string(m.ID), modernHello)
		}
		f.answers[protocol.MethodSubscriptionsListen] = func(*jsonrpc.Message) {
			say(jsonrpc.NewNotification(protocol.NotificationToolsListChanged, nil))
		}
	case "silent about discover":
		f.answers[protocol.MethodDiscover] = func(*jsonrpc.Message) {}
	case "anonymous refusal":
		f.answers[protocol.MethodDiscover] = func(*jsonrpc.Message) { refuse(`null`, protocol.CodeInvalidRequest) }
	case "discovers only":
		f.on(protocol.MethodDiscover, modernHello)
		f.answers[protocol.MethodToolsList] = func(m *jsonrpc.Message) {
			if _, _, _, err := jsonrpc.Get(m.Params, "/_meta"); err == nil {
				refuse(string(m.ID), protocol.CodeUnsupportedVersion)
				return
			}
			result(string(m.ID), oneTool)
		}
	case "stubborn":
		stubborn()
		os.WriteFile("pid", []byte(strconv.Itoa(os.Getpid())), 0o600)
		time.Sleep(time.Hour)
	case "owner": // starts a server and is killed before it can end it
		exe, _ := os.Executable()
		if _, err := StartProcess(context.Background(), Target{Command: []string{exe}, Env: []string{fakeVariable + "=stubborn"}}, Limits{}); err != nil {
			os.Exit(6)
		}
		time.Sleep(time.Hour)
	case "grandchild":
		startGrandchild(nil)
	case "orphan":
		startGrandchild(nil)
		os.Exit(0)
	case "escaped":
		startGrandchild(escape)
		os.Exit(0)
	default:
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		os.Exit(8)
	}
	f.serve()
}

// startGrandchild leaves a process behind that holds all three pipes, and
// writes its id to the working directory.
func startGrandchild(change func(*exec.Cmd)) {
	exe, _ := os.Executable()
	child := exec.Command(exe)
	child.Env = []string{fakeVariable + "=hang"}
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if change != nil {
		change(child)
	}
	if err := child.Start(); err != nil {
		os.Exit(7)
	}
	os.WriteFile("pid", []byte(strconv.Itoa(child.Process.Pid)), 0o600)
}

// stubborn makes this process ignore every request to end.
var stubborn func()

// escape takes a child out of its process group, where the system has groups.
var escape func(*exec.Cmd)

func first(s string, _ error) string { return s }
