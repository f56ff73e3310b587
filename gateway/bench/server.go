package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// message is what both tools take and give back.
type message struct {
	Message string `json:"message" jsonschema:"the text to give back"`
}

// tools of the server: two that do the same, of which the second is approved as
// read-only. A registry minds two servers that describe the same tool.
var (
	legacyTools = [2]mcp.Tool{
		{Name: "echo", Title: "Echo", Description: "Give a text back and note that it was asked for."},
		{Name: "read", Title: "Read", Description: "Give a text back.", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}},
	}
	modernTools = [2]mcp.Tool{
		{Name: "store", Title: "Store", Description: "Keep words for later and answer with them."},
		{Name: "recall", Title: "Recall", Description: "Answer with words.", Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true}},
	}
)

// serveEcho is the MCP server of a run: /mcp has sessions (2025-11-25 and
// older), /modern has none (2026-07-28). Its first line is its address.
func serveEcho() error {
	mux := http.NewServeMux()
	mux.Handle("/mcp", handler("echo", legacyTools, false))
	mux.Handle("/modern", handler("modern", modernTools, true))
	return listen(mux)
}

func handler(name string, tools [2]mcp.Tool, stateless bool) http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: name, Version: "1.0.0"}, nil)
	for i := range tools {
		mcp.AddTool(server, &tools[i], func(_ context.Context, _ *mcp.CallToolRequest, in message) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: in.Message}}}, nil, nil
		})
	}
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{JSONResponse: true, Stateless: stateless})
}

// serveProxy is the reference that checks nothing: the standard library's
// reverse proxy with enough connections to its server.
func serveProxy(to string) error {
	target, err := url.Parse(to)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	transport.DisableCompression = true
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
	}
	return listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Else the answer may close the body while its end is being looked for,
		// and the transport takes that for a reason to hang up.
		_ = http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	}))
}

// listen serves on a free port of loopback and prints its address.
func listen(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	return http.Serve(l, h)
}
