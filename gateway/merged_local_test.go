//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Two local servers and a remote one, each approved for either era: clients of
// both eras use what a server asks back as if it were the only one.
func TestMergedLocalServers(t *testing.T) {
	asking := map[protocol.Era]map[string]map[string]any{
		protocol.Legacy: {"test_simple_text": nil, "test_sampling": {"prompt": "hello"}, "test_elicitation": {"message": "your name?"}},
		protocol.Modern: {"test_simple_text": nil, "test_input_required_result_list_roots": nil, "test_input_required_result_elicitation": nil},
	}
	for server, calls := range asking {
		for _, client := range []string{"2025-11-25", protocol.VersionModern} {
			t.Run(fmt.Sprintf("%s client, %s servers", protocol.EraOf(client), server), func(t *testing.T) {
				h := open(t, auto)
				h.approve("here", upstream.Target{Command: []string{everything}}, only(server))
				h.approve("there", local(t, ""), only(server))
				h.approve("web", overHTTP(t, server == protocol.Modern), only(server))
				var got heard
				s := withRoots(t, h.all(), h.token, client, got.person())
				names := toolNames(t, s)
				var work sync.WaitGroup
				for _, alias := range []string{"here", "there", "web"} {
					if !slices.Contains(names, alias+"__test_simple_text") {
						t.Fatalf("%s is not among %v", alias, names)
					}
					work.Go(func() {
						for tool, arguments := range calls {
							if res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: alias + "__" + tool, Arguments: arguments}); err != nil || res.IsError {
								t.Errorf("%s of %s: %+v, %v", tool, alias, res, err)
							}
						}
						params := &mcp.CallToolParams{Name: alias + "__test_tool_with_progress"}
						params.SetProgressToken(alias)
						if _, err := s.CallTool(t.Context(), params); err != nil {
							t.Errorf("progress of %s: %v", alias, err)
						}
						p, err := s.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: alias + "__test_prompt_with_arguments", Arguments: map[string]string{"arg1": alias, "arg2": "x"}})
						if err != nil || !strings.Contains(fmt.Sprint(p.Messages[0].Content.(*mcp.TextContent).Text), alias) {
							t.Errorf("prompt of %s: %+v, %v", alias, p, err)
						}
					})
				}
				work.Wait()
				eventually(t, "progress of each server", func() bool {
					got.mu.Lock()
					defer got.mu.Unlock()
					return len(got.progress) >= 9
				})
			})
		}
	}
}

// A local server dies under a call. The call fails; the session, its other
// servers and the next call of the same server go on.
func TestMergedLocalCrash(t *testing.T) {
	h := open(t, auto)
	h.approve("good", local(t, ""))
	h.approve("bad", local(t, "crash"))
	session := h.initialize("")
	call := func(alias string) reply {
		return h.raw("", fmt.Sprintf(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"%s__test_simple_text","arguments":{}}}`, alias), session...)
	}
	messages := h.stream(http.MethodGet, "/mcp", "", session...)
	for range 2 {
		call("bad").refused(t, http.StatusBadGateway, ReasonUpstreamGone)
		if r := call("good"); r.status != http.StatusOK || r.message(t).Result == nil {
			t.Errorf("the neighbour: %d %s", r.status, r.body)
		}
	}
	if got := string(h.raw("", `{"jsonrpc":"2.0","id":6,"method":"tools/list"}`, session...).body); !strings.Contains(got, "good__test_simple_text") {
		t.Errorf("list %s", got)
	}
	select {
	case m, ok := <-messages:
		if !ok {
			t.Error("a crash ended the stream of all servers")
		} else if m.Method == "" {
			t.Errorf("on the stream: %s", m.Raw)
		}
	default:
	}
	body, header := modern(7, protocol.MethodToolsCall, `{"name":"bad__test_simple_text","arguments":{}}`)
	if r := h.raw("", body, header...); r.status != http.StatusBadGateway && r.status != http.StatusServiceUnavailable {
		t.Errorf("modern: %d %s", r.status, r.body)
	}
	if r := h.call("", 8, protocol.MethodToolsCall, `{"name":"good__test_simple_text","arguments":{}}`); r.status != http.StatusOK {
		t.Errorf("modern neighbour: %d %s", r.status, r.body)
	}
}

// Each merged session has processes of its own, and leaves none behind.
func TestMergedLocalProcesses(t *testing.T) {
	h := open(t, func(c *Config) { auto(c); c.ProcessesPerCaller = 2 })
	for _, alias := range []string{"a", "b"} {
		h.approve(alias, local(t, ""), only(protocol.Legacy))
	}
	first, second := h.initialize(""), h.initialize("")
	call := func(alias string, session []string) reply {
		return h.raw("", fmt.Sprintf(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"%s__test_simple_text","arguments":{}}}`, alias), session...)
	}
	for _, alias := range []string{"a", "b", "a"} {
		if r := call(alias, first); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", alias, r.status, r.body)
		}
	}
	call("a", second).refused(t, http.StatusServiceUnavailable, ReasonUpstreamBusy)
	h.do(http.MethodDelete, "/mcp", "", first...)
	eventually(t, "both processes are free", func() bool {
		return call("a", second).status == http.StatusOK && call("b", second).status == http.StatusOK
	})
}
