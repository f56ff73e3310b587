//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bartizan-mcp/bartizan/internal/fixture/proxy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// everythingServer is go-sdk's conformance server, built once.
var everythingServer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "everything")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "everything-server")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

// cmdEverything starts go-sdk's conformance server and sets UPSTREAM to it: one
// process that keeps sessions for the legacy era, one that keeps nothing for
// the modern one, behind one address.
func cmdEverything(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: everything")
	}
	bin, err := everythingServer()
	ts.Check(err)
	serve := func(stateless string) *url.URL {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		addr := l.Addr().String()
		ts.Check(l.Close())
		cmd := exec.Command(bin, "-http", addr, "-stateless="+stateless)
		ts.Check(cmd.Start())
		ts.Defer(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		ts.Check(waitListening(addr))
		return &url.URL{Scheme: "http", Host: addr}
	}
	legacy, modern := serve("false"), serve("true")
	front := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		if protocol.EraOf(r.In.Header.Get(protocol.HeaderProtocolVersion)) == protocol.Modern {
			r.SetURL(modern)
		} else {
			r.SetURL(legacy)
		}
	}, ErrorLog: log.New(io.Discard, "", 0)}
	listener := httptest.NewServer(proxy.Duplex(front))
	ts.Defer(listener.CloseClientConnections)
	ts.Setenv("UPSTREAM", listener.URL)
}

func waitListening(addr string) error {
	var err error
	for range 200 {
		var c net.Conn
		if c, err = net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// bridged is a go-sdk client that started `bartizan bridge`.
type bridged struct {
	session  *mcp.ClientSession
	cmd      *exec.Cmd
	stderr   stderrLog
	progress atomic.Int32
	changes  atomic.Int32
	cancel   atomic.Pointer[context.CancelFunc] // called at the first progress
}

// stderrLog keeps what a process writes while somebody may read it.
type stderrLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *stderrLog) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *stderrLog) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *stderrLog) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}

type bridgedKey struct{}

// cmdBridge drives `bartizan bridge` as MCP clients do: `bridge open ALIAS TOKEN
// VERSION`, `bridge everything`, `bridge call TOOL`, `bridge close`.
func cmdBridge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: bridge open|everything|call|close")
	}
	b := ts.Value(bridgedKey{}).(*bridged)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	switch args[0] {
	case "open":
		ts.Check(b.open(ctx, ts, args[1], args[2], args[3]))
		ts.Defer(func() { b.close(ts) })
	case "everything":
		if err := b.everything(ctx); err != nil {
			ts.Fatalf("%v\nbridge: %s", err, b.stderr.String())
		}
	case "call":
		said, err := b.call(ctx, args[1], map[string]any{})
		if err != nil {
			ts.Fatalf("%v\nbridge: %s", err, b.stderr.String())
		}
		fmt.Fprintln(ts.Stdout(), said)
	case "close":
		b.close(ts)
	}
}

func (b *bridged) open(ctx context.Context, ts *testscript.TestScript, alias, token, version string) error {
	bin := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], "bartizan")
	b.cmd = exec.Command(bin, "bridge", "--gateway", ts.Getenv("GATEWAY"), "--server", alias)
	b.cmd.Env = []string{"HOME=" + ts.Getenv("WORK"), "PATH=" + os.Getenv("PATH"), "BARTIZAN_TOKEN=" + token}
	b.stderr.Reset()
	b.cmd.Stderr = &b.stderr
	client := mcp.NewClient(&mcp.Implementation{Name: "stdio", Version: "1"}, &mcp.ClientOptions{
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Role: "assistant", Model: "m", Content: &mcp.TextContent{Text: "sampled"}}, nil
		},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"username": "rita", "name": "rita"}}, nil
		},
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) {
			b.progress.Add(1)
			if cancel := b.cancel.Swap(nil); cancel != nil {
				(*cancel)()
			}
		},
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { b.changes.Add(1) },
	})
	var err error
	b.session, err = client.Connect(ctx, &mcp.CommandTransport{Command: b.cmd}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err == nil && b.session.InitializeResult().ProtocolVersion != version {
		err = fmt.Errorf("the client speaks %s, not %s", b.session.InitializeResult().ProtocolVersion, version)
	}
	if err != nil {
		return fmt.Errorf("%w\nbridge: %s", err, b.stderr.String())
	}
	return nil
}

// close ends the client, and holds that the bridge ends by itself and well.
func (b *bridged) close(ts *testscript.TestScript) {
	if b.session == nil {
		return
	}
	err := b.session.Close()
	b.session = nil
	ts.Logf("bridge ended: %v\n%s", err, b.stderr.String())
	if state := b.cmd.ProcessState; err != nil || state == nil || state.ExitCode() != 0 {
		ts.Fatalf("the bridge did not end well: %v, %v", err, state)
	}
}

func (b *bridged) call(ctx context.Context, tool string, arguments map[string]any) (string, error) {
	params := &mcp.CallToolParams{Name: tool, Arguments: arguments}
	params.SetProgressToken("token of " + tool)
	result, err := b.session.CallTool(ctx, params)
	if err != nil {
		return "", fmt.Errorf("%s: %w", tool, err)
	}
	var all []string
	for _, c := range result.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			all = append(all, text.Text)
		}
	}
	said := strings.Join(all, " ")
	if result.IsError {
		return "", fmt.Errorf("%s failed: %s", tool, said)
	}
	return said, nil
}

// said is what a tool answers to arguments.
type said struct {
	tool, want string
	arguments  map[string]any
}

// everything uses all that the server has to offer.
func (b *bridged) everything(ctx context.Context) error {
	if err := b.lists(ctx); err != nil {
		return err
	}
	says := []said{
		{"test_simple_text", "simple text", nil},
		{"test_x_mcp_header", "region=Ärmel 1", map[string]any{"region": "Ärmel 1", "level": 2}},
		{"test_tool_with_progress", "token of test_tool_with_progress", nil},
	}
	if b.session.InitializeResult().ProtocolVersion == protocol.VersionModern {
		says = append(says, said{"test_input_required_result_elicitation", "rita", nil})
	} else {
		says = append(says,
			said{"test_sampling", "LLM response: sampled", map[string]any{"prompt": "a word"}},
			said{"test_elicitation", "action=accept, content=map[name:rita username:rita]", map[string]any{"message": "who?"}})
	}
	var all sync.WaitGroup
	b.progress.Store(0)
	errs := make([]error, 3*len(says))
	for i := range errs { // all at once
		all.Go(func() {
			s := says[i%len(says)]
			if got, err := b.call(ctx, s.tool, s.arguments); err != nil || !strings.Contains(got, s.want) {
				errs[i] = fmt.Errorf("%s: %q, %w", s.tool, got, err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if got := b.progress.Load(); got != 9 {
		return fmt.Errorf("%d progress notifications, not 9", got)
	}
	if _, err := b.call(ctx, "no_such_tool", nil); err == nil || !strings.Contains(err.Error(), "entry") && !strings.Contains(err.Error(), "list") {
		return fmt.Errorf("an unknown tool: %v", err)
	}
	if err := b.cancelled(ctx); err != nil {
		return err
	}
	return b.changed(ctx)
}

func (b *bridged) lists(ctx context.Context) error {
	tools, err := b.session.ListTools(ctx, nil)
	if err != nil || len(tools.Tools) < 20 {
		return fmt.Errorf("tools: %v, %w", tools, err)
	}
	prompts, err := b.session.ListPrompts(ctx, nil)
	if err != nil || len(prompts.Prompts) < 4 {
		return fmt.Errorf("prompts: %v, %w", prompts, err)
	}
	prompt, err := b.session.GetPrompt(ctx, &mcp.GetPromptParams{Name: "test_prompt_with_arguments", Arguments: map[string]string{"arg1": "één", "arg2": "two"}})
	if err != nil || !strings.Contains(prompt.Messages[0].Content.(*mcp.TextContent).Text, "één") {
		return fmt.Errorf("prompt: %v, %w", prompt, err)
	}
	if resources, err := b.session.ListResources(ctx, nil); err != nil || len(resources.Resources) < 2 {
		return fmt.Errorf("resources: %v, %w", resources, err)
	}
	if templates, err := b.session.ListResourceTemplates(ctx, nil); err != nil || len(templates.ResourceTemplates) == 0 {
		return fmt.Errorf("templates: %v, %w", templates, err)
	}
	for _, uri := range []string{"test://static-text", "test://static-binary", "test://template/42/data"} {
		if got, err := b.session.ReadResource(ctx, &mcp.ReadResourceParams{URI: uri}); err != nil || len(got.Contents) != 1 {
			return fmt.Errorf("%s: %v, %w", uri, got, err)
		}
	}
	complete, err := b.session.Complete(ctx, &mcp.CompleteParams{
		Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "test_prompt_with_arguments"}, Argument: mcp.CompleteParamsArgument{Name: "arg1", Value: "p"},
	})
	if err != nil {
		return fmt.Errorf("complete: %v, %w", complete, err)
	}
	return nil
}

// cancelled ends a call at its first progress and goes on.
func (b *bridged) cancelled(ctx context.Context) error {
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	b.cancel.Store(&cancel)
	if _, err := b.call(short, "test_tool_with_progress", nil); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a cancelled call: %v", err)
	}
	_, err := b.call(ctx, "test_simple_text", nil)
	return err
}

// changed has the server change its tools, of which the client is told.
func (b *bridged) changed(ctx context.Context) error {
	for range 50 {
		if _, err := b.call(ctx, "test_trigger_tool_change", nil); err != nil {
			return err
		}
		for range 10 {
			if b.changes.Load() > 0 {
				return nil
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return errors.New("no word of changed tools")
}
