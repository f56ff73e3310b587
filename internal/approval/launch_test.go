package approval_test

import (
	"errors"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

func TestBindingOrder(t *testing.T) {
	all := []approval.Binding{approval.BindingEndpoint, approval.BindingCommand, approval.BindingArtifact}
	for i, b := range all {
		for j, min := range all {
			if got := b.Satisfies(min); got != (i >= j) {
				t.Errorf("%s satisfies %s = %v", b, min, got)
			}
		}
		if !b.Satisfies("") || b.Satisfies("strongest") {
			t.Errorf("%s: no minimum must pass, an unknown one must not", b)
		}
	}
	if approval.Binding("").Satisfies("") || approval.Binding("magic").Satisfies("") {
		t.Error("an unknown binding satisfies nothing")
	}
}

func TestLaunchEqual(t *testing.T) {
	base := approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}}
	for name, c := range map[string]struct {
		other approval.Launch
		want  bool
	}{
		"same":             {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"B", "A"}}, true},
		"other argument":   {approval.Launch{Command: []string{"npx", "server", ""}, EnvNames: []string{"A", "B"}}, false},
		"joined arguments": {approval.Launch{Command: []string{"npx server"}, EnvNames: []string{"A", "B"}}, false},
		"swapped":          {approval.Launch{Command: []string{"server", "npx"}, EnvNames: []string{"A", "B"}}, false},
		"more environment": {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B", "LD_PRELOAD"}}, false},
		"directory":        {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}, Dir: "/tmp"}, false},
		"transport":        {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}, Transport: "sse"}, false},
		"url":              {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}, URL: "http://x"}, false},
	} {
		if got := base.Equal(c.other); got != c.want {
			t.Errorf("%s: Equal = %v", name, got)
		}
	}
	broken := approval.Launch{Command: []string{"\xff"}}
	if broken.Equal(broken) {
		t.Error("a launch that cannot be written down equals nothing, not even itself")
	}
}

func TestLaunchMustFitItsBinding(t *testing.T) {
	h := newHouse(t)
	argv := []string{"/usr/bin/node", "server.js"}
	for name, c := range map[string]struct {
		binding approval.Binding
		launch  approval.Launch
		ok      bool
	}{
		"endpoint":                 {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/mcp?tenant=1"}, true},
		"endpoint, HTTP+SSE":       {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/sse", Transport: "sse"}, true},
		"endpoint, odd transport":  {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/mcp", Transport: "streamable-http"}, false},
		"command with a transport": {approval.BindingCommand, approval.Launch{Command: argv, Transport: "sse"}, false},
		"endpoint, loopback http":  {approval.BindingEndpoint, approval.Launch{URL: "http://127.0.0.1:9000/"}, true},
		"endpoint without URL":     {approval.BindingEndpoint, approval.Launch{}, false},
		"endpoint with command":    {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/", Command: argv}, false},
		"endpoint, other scheme":   {approval.BindingEndpoint, approval.Launch{URL: "file:///etc/passwd"}, false},
		"endpoint, relative":       {approval.BindingEndpoint, approval.Launch{URL: "//mcp.example/"}, false},
		"endpoint with password":   {approval.BindingEndpoint, approval.Launch{URL: "https://u:p@mcp.example/"}, false},
		"endpoint with fragment":   {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/#x"}, false},
		"command":                  {approval.BindingCommand, approval.Launch{Command: []string{"npx", "x"}}, true},
		"command without argv":     {approval.BindingCommand, approval.Launch{}, false},
		"command with empty argv0": {approval.BindingCommand, approval.Launch{Command: []string{""}}, false},
		"command with URL":         {approval.BindingCommand, approval.Launch{Command: argv, URL: "https://x.example"}, false},
		"environment value":        {approval.BindingCommand, approval.Launch{Command: argv, EnvNames: []string{"A=secret"}}, false},
		"artifact":                 {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "/srv", Runtime: sum("node"), EnvNames: []string{"TOKEN"}, Env: map[string]string{"LANG": "C"}}, true},
		"artifact, relative argv":  {approval.BindingArtifact, approval.Launch{Command: []string{"node"}, Dir: "/srv", Runtime: sum("node")}, false},
		"artifact, relative dir":   {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "srv", Runtime: sum("node")}, false},
		"artifact, no runtime":     {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "/srv"}, false},
		"artifact, LD_PRELOAD":     {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "/srv", Runtime: sum("node"), EnvNames: []string{"LD_PRELOAD"}}, false},
		"artifact, node_options":   {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "/srv", Runtime: sum("node"), Env: map[string]string{"node_options": "--require x"}}, false},
		"artifact, PYTHONPATH":     {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "/srv", Runtime: sum("node"), EnvNames: []string{"PYTHONPATH"}}, false},
		"artifact, ENVIRONMENT":    {approval.BindingArtifact, approval.Launch{Command: argv, Dir: "/srv", Runtime: sum("node"), EnvNames: []string{"ENVIRONMENT"}}, true},
	} {
		p := predicate("1.0.0")
		p.Binding, p.Launch = c.binding, c.launch
		_, _, err := approval.Sign(t.Context(), h.approval, p, subjects)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, approval.ErrMalformed)) {
			t.Errorf("%s: err = %v, want ok = %v", name, err, c.ok)
		}
	}
}
