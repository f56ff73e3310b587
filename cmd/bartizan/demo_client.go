package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// refusal is the data of a blocked call (CONTRACTS §4).
type refusal struct {
	Reason   string   `json:"reason"`
	Rules    []string `json:"rules"`
	Pointers []string `json:"pointers"`
	AuditID  string   `json:"auditId"`
}

// bearer adds the agent's key to every request of the SDK's client.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// connect opens an MCP session through the gateway with the Go SDK's client.
func (w *demoWorld) connect(alias string) (*mcp.ClientSession, error) {
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	client := mcp.NewClient(&mcp.Implementation{Name: "bartizan-demo", Version: "1.0.0"}, nil)
	return client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint:   w.doors.Gateway + "/mcp/" + alias,
		HTTPClient: &http.Client{Transport: bearer{w.agentKey}},
	}, nil)
}

// call connects, calls one tool and returns its text.
func (w *demoWorld) call(alias, tool string, arguments map[string]any) (string, error) {
	session, err := w.connect(alias)
	if err != nil {
		return "", err
	}
	defer session.Close()
	return callTool(w.ctx, session, tool, arguments)
}

func callTool(ctx context.Context, session *mcp.ClientSession, tool string, arguments map[string]any) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return "", err
	}
	var texts []string
	for _, c := range result.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			texts = append(texts, t.Text)
		}
	}
	return strings.Join(texts, " "), nil
}

// toolNames lists what a client sees.
func toolNames(ctx context.Context, session *mcp.ClientSession) ([]string, error) {
	list, err := session.ListTools(ctx, nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range list.Tools {
		names = append(names, t.Name)
	}
	return names, nil
}

// refused demands that err is the gateway's refusal with the wanted reason.
func refused(err error, reasons ...string) (refusal, error) {
	if err == nil {
		return refusal{}, errors.New("the call passed")
	}
	var wire *jsonrpc.Error
	if !errors.As(err, &wire) || wire.Code != protocol.CodeBlocked {
		return refusal{}, fmt.Errorf("not a refusal of the gateway: %w", err)
	}
	var r refusal
	if err := json.Unmarshal([]byte(wire.Data), &r); err != nil {
		return refusal{}, err
	}
	if !slices.Contains(reasons, r.Reason) {
		return refusal{}, fmt.Errorf("refused for %q, wanted %v", r.Reason, reasons)
	}
	if r.AuditID == "" {
		return refusal{}, errors.New("the refusal names no audit record")
	}
	return r, nil
}

// unauthorized demands that the gateway answers the agent's key with 401.
func (w *demoWorld) unauthorized() error {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.doors.Gateway+"/mcp/weather",
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+w.agentKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("the gateway answered %s", resp.Status)
	}
	return nil
}
