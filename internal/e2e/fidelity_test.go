//go:build e2e

package e2e

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// heardOn is a server between which and the gateway everything is recorded.
type heardOn struct {
	name, alias string
	eras        []protocol.Era
	admit       func(t *testing.T, w *world) tape
	arguments   map[string]string // of tools, where a sample of the schema is not enough
	least       int               // tools that must be there
}

// TestFidelity has a client work through all that a server offers, and records
// what is said on both sides of the gateway: the same, byte for byte.
func TestFidelity(t *testing.T) {
	for group, servers := range recordedServers(t) {
		t.Run(group, func(t *testing.T) {
			w := newWorld(t, "--unsafe-run")
			for _, s := range servers {
				t.Run(s.name, func(t *testing.T) {
					upstreamSide := s.admit(t, w)
					w.answers(t, keyed(t, w.gateway, w.agent)+"/mcp/"+s.alias)
					for _, era := range s.eras {
						t.Run(string(era), func(t *testing.T) {
							endpoint, clientSide := recorder(t, w.gateway, http.Header{"Authorization": {"Bearer " + w.agent}})
							ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
							defer cancel()
							v := visit(t, ctx, endpoint+"/mcp/"+s.alias, era)
							defer v.leave()
							v.workThrough(ctx, s)
							sameOnBothSides(t, s.name+", "+string(era), v.name, clientSide, upstreamSide)
						})
					}
				})
			}
		})
	}
}

// ours are the members whose value is the gateway's own towards one of the sides.
var ours = regexp.MustCompile(`"(requestState|progressToken|io\.modelcontextprotocol/subscriptionId)": ?("[^"]*"|\d+)`)

// sameOnBothSides compares what two recorders heard of a client's conversations.
func sameOnBothSides(t *testing.T, name, client string, clientSide, upstreamSide tape) {
	t.Helper()
	listen := func(side tape) map[string]int {
		all := map[string]int{}
		for text, n := range conversation(t, side(t), client) {
			all[ours.ReplaceAllString(text, `"$1":"ours"`)] += n
		}
		return all
	}
	var here, there map[string]int
	for range 100 { // what is under way arrives
		if here, there = listen(clientSide), listen(upstreamSide); maps.Equal(here, there) {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if diff := cmp.Diff(there, here); diff != "" {
		t.Errorf("heard at the client's side and not at the server's, or the other way (-server +client):\n%.8000s", diff)
	}
	messages, bytes := 0, 0
	for text, n := range here {
		messages, bytes = messages+n, bytes+n*len(text)
	}
	if messages == 0 {
		t.Error("nothing was said")
	}
	if !t.Failed() {
		count(t, "fidelity %s: %d messages, %d KB, the same bytes on both sides", name, messages, bytes>>10)
	}
}

// workThrough asks for everything. What is listed comes first: some tools change
// it, and what nobody approved is not in a list that arrives.
func (v *visitor) workThrough(ctx context.Context, s heardOn) {
	t := v.t
	if v.era == protocol.Legacy {
		v.ask(ctx, protocol.MethodPing, "", nil)
		v.ask(ctx, protocol.MethodLoggingSetLevel, `"level":"debug",`, nil)
	}
	tools := v.list(ctx, protocol.MethodToolsList, "tools")
	prompts := v.list(ctx, protocol.MethodPromptsList, "prompts")
	resources := v.list(ctx, protocol.MethodResourcesList, "resources")
	templates := v.list(ctx, protocol.MethodResourcesTemplatesList, "resourceTemplates")
	if len(tools) < s.least {
		t.Errorf("%d tools, want %d", len(tools), s.least)
	}
	if v.era == protocol.Modern {
		v.subscribe(ctx, resources)
	}
	for _, tool := range tools {
		name := jsonrpc.Text(tool, "/name")
		arguments, known := s.arguments[name]
		if !known {
			schema, _, _, err := jsonrpc.Get(tool, "/inputSchema")
			if err != nil {
				t.Fatal(err)
			}
			arguments = filled(t, schema, false)
		}
		v.ask(ctx, protocol.MethodToolsCall, `"arguments": `+arguments+` , "name":"`+name+`",`, nil)
		if long := cancelled[name]; long != "" {
			v.cancel(ctx, `"arguments": `+long+` , "name":"`+name+`",`)
		}
	}
	for _, prompt := range prompts {
		v.prompt(ctx, prompt)
	}
	for i, resource := range resources[:min(len(resources), 20)] {
		uri := `"uri":"` + jsonrpc.Text(resource, "/uri") + `",`
		v.ask(ctx, protocol.MethodResourcesRead, uri, nil)
		if i == 0 && v.era == protocol.Legacy {
			v.ask(ctx, protocol.MethodResourcesSubscribe, uri, nil)
			v.ask(ctx, protocol.MethodResourcesUnsubscribe, uri, nil)
		}
	}
	for _, template := range templates {
		uri := jsonrpc.Text(template, "/uriTemplate")
		v.ask(ctx, protocol.MethodResourcesRead, `"uri":"`+variable.ReplaceAllString(uri, "1")+`",`, nil)
		for _, name := range variable.FindAllStringSubmatch(uri, -1) {
			v.ask(ctx, protocol.MethodCompletionComplete, `"argument":{"value":"1","name":"`+name[1]+`"},"ref":{"type":"ref/resource","uri":"`+uri+`"},`, nil)
		}
	}
	if v.era == protocol.Legacy {
		v.tell(ctx, protocol.NotificationRootsListChanged, "")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	t.Logf("asked back: %v; heard: %v", v.replies, v.heard)
}

var variable = regexp.MustCompile(`\{([^}]+)\}`)

// prompt gets a prompt, and completions of its arguments.
func (v *visitor) prompt(ctx context.Context, prompt jsontext.Value) {
	var p struct {
		Name      string `json:"name"`
		Arguments []struct {
			Name string `json:"name"`
		} `json:"arguments"`
	}
	if err := json.Unmarshal(prompt, &p); err != nil {
		v.t.Fatal(err)
	}
	var arguments []string
	for _, a := range p.Arguments {
		arguments = append(arguments, `"`+a.Name+`":"1"`)
		v.ask(ctx, protocol.MethodCompletionComplete, `"argument":{"value":"\u0065" ,"name":"`+a.Name+`"},"ref":{"type":"ref/prompt","name":"`+p.Name+`"},`, nil)
	}
	v.ask(ctx, protocol.MethodPromptsGet, `"name":"`+p.Name+`","arguments":{`+strings.Join(arguments, " , ")+`},`, nil)
}

// list reads all pages.
func (v *visitor) list(ctx context.Context, method, member string) []jsontext.Value {
	var all []jsontext.Value
	cursor := ""
	for {
		m := v.ask(ctx, method, cursor, nil)
		if m == nil || m.Result == nil {
			return all // not offered
		}
		list, _, _, err := jsonrpc.Get(m.Result, jsontext.Pointer("/"+member))
		if err != nil {
			v.t.Fatalf("%s: %v", method, err)
		}
		elements, err := jsonrpc.Elements(list)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, e := range elements {
			all = append(all, e.Value)
		}
		next := jsonrpc.Text(m.Result, "/nextCursor")
		if next == "" {
			return all
		}
		cursor = `"cursor":"` + next + `",`
	}
}

// recordedServers are those of this folder, each in every way that it can run, by
// the world that they share: the same server twice in one registry is a copy.
func recordedServers(t *testing.T) map[string][]heardOn {
	all := map[string][]heardOn{}
	for _, s := range servers {
		dir := t.TempDir()
		fill(t, dir)
		all["stdio"] = append(all["stdio"], heardOn{
			name: s.name + " over stdio", alias: s.name, eras: s.eras, least: s.tools, arguments: s.calls(dir),
			admit: func(t *testing.T, w *world) tape {
				command, heard := recorded(t, s.command(t, dir))
				s.admit(w, t, s.name, s.pkg, append([]string{"--unsafe-run", "--"}, command...)...)
				return heard
			},
		})
	}
	remotely := func(group, name, alias, path, transport string, era protocol.Era, least int, calls map[string]string, start func(t *testing.T) string) {
		all[group] = append(all[group], heardOn{
			name: name + " over " + transport, alias: alias, eras: []protocol.Era{era}, least: least, arguments: calls,
			admit: func(t *testing.T, w *world) tape {
				at, heard := recorder(t, start(t), nil)
				w.publishAndApprove(t, remote(alias, transport, at+path), nil)
				return heard
			},
		})
	}
	npm := func(transport string) func(*testing.T) string {
		return func(t *testing.T) string { return startNPMEverything(t, transport) }
	}
	goSDK := func(flag string) func(*testing.T) string {
		return func(t *testing.T) string { return startEverything(t, flag) }
	}
	remotely("http", "server-everything", "everything-http", "/mcp", streamable, protocol.Legacy, 13, everythingCalls, npm("streamableHttp"))
	remotely("http", "go-sdk-everything", "go-http-legacy", "/", streamable, protocol.Legacy, 20, nil, goSDK("-stateless=false"))
	remotely("other", "server-everything", "everything-sse", "/sse", protocol.TransportSSE, protocol.Legacy, 13, everythingCalls, npm("sse"))
	remotely("other", "go-sdk-everything", "go-http-modern", "/", streamable, protocol.Modern, 20, nil, goSDK("-stateless=true"))
	return all
}

// streamable is what server.json calls streamable HTTP.
const streamable = "streamable-http"
