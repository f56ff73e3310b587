package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdUpstream starts an MCP server with the tools echo and note, or tools whose
// names end in an argument, sets UPSTREAM to its endpoint, UPSTREAM_SSE to the one
// over HTTP+SSE and DRIFT to a URL whose POST changes what echo says of itself.
func cmdUpstream(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: upstream [ENDING]")
	}
	ending := strings.Join(args, "")
	server := mcp.NewServer(&mcp.Implementation{Name: "script", Version: "1.0.0"}, nil)
	type in struct {
		Text string `json:"text" jsonschema:"what to repeat"`
	}
	answer := func(_ context.Context, _ *mcp.CallToolRequest, i in) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "heard " + i.Text}}}, nil, nil
	}
	add := func(description string) {
		mcp.AddTool(server, &mcp.Tool{Name: "echo" + ending, Description: description}, answer)
	}
	add("Repeats a text.")
	mcp.AddTool(server, &mcp.Tool{Name: "note" + ending, Description: "Keeps a text."}, answer)
	mux := http.NewServeMux()
	mux.Handle("/mcp", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	mux.Handle("/sse", mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil))
	mux.HandleFunc("/drift", func(http.ResponseWriter, *http.Request) { add("Repeats a text, twice.") })
	listener := httptest.NewServer(mux)
	ts.Defer(listener.CloseClientConnections)
	ts.Setenv("UPSTREAM", listener.URL+"/mcp")
	ts.Setenv("UPSTREAM_SSE", listener.URL+"/sse")
	ts.Setenv("DRIFT", listener.URL+"/drift")
}

// cmdRemote starts bartizan-gateway against the script's registry with the
// trust.json and key that the script names, and sets REMOTE.
func cmdRemote(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: remote TRUST TOKEN")
	}
	ts.Setenv("BARTIZAN_GATEWAY_TOKEN", args[1])
	line := startProgram(ts, "bartizan-gateway", "--data", ts.MkAbs("remote"), "--addr", "127.0.0.1:0",
		"--registry", ts.Getenv("REGISTRY"), "--trust", ts.MkAbs(args[0]))
	ts.Check(waitReady(line.Gateway + "/readyz"))
	ts.Setenv("REMOTE", line.Gateway)
}

// cmdCall calls a tool with one text through a gateway, as an MCP client does,
// and prints the answer. `! call` demands a refusal and prints its data. Both
// try again for a while: approvals and revocations travel.
func cmdCall(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: [!] call URL TOKEN TOOL TEXT")
	}
	var said string
	var err error
	for range 100 {
		said, err = callOnce(args[0], args[1], args[2], args[3])
		if (err != nil) == neg {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	var wire *jsonrpc.Error
	switch {
	case !neg && err != nil:
		ts.Fatalf("call: %v", err)
	case neg && err == nil:
		ts.Fatalf("the call passes: %s", said)
	case errors.As(err, &wire):
		fmt.Fprintf(ts.Stdout(), "%d %s\n", wire.Code, wire.Data)
	case err != nil:
		fmt.Fprintf(ts.Stdout(), "%v\n", err)
	default:
		fmt.Fprintln(ts.Stdout(), said)
	}
}

func callOnce(url, token, tool, text string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "script", Version: "1"}, nil).Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		return "", err
	}
	defer session.Close()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": text}})
	if err != nil {
		return "", err
	}
	var all []string
	for _, c := range result.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			all = append(all, t.Text)
		}
	}
	return strings.Join(all, " "), nil
}
