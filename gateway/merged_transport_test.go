//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Servers over streamable HTTP and over the deprecated HTTP+SSE, side by side
// behind one endpoint, for clients of both eras.
func TestMergedTransports(t *testing.T) {
	for _, version := range []string{"2025-11-25", protocol.VersionModern} {
		t.Run(version, func(t *testing.T) {
			h := open(t, auto)
			h.approve("older", newFixture().startOlder(t))
			h.approve("newer", newFixture().start(t, stateful))
			var got heard
			s := connect(t, h.all(), h.token, version, got.options())
			names := toolNames(t, s)
			var work sync.WaitGroup
			for _, alias := range []string{"older", "newer"} {
				if !slices.Contains(names, alias+"__echo") {
					t.Fatalf("%s is not among %v", alias, names)
				}
				work.Go(func() {
					for tool, want := range map[string]string{"echo": "%s", "sample": "model says %s", "elicit": "decline"} {
						if got := say(t, s, alias+"__"+tool, alias+tool); got != want && got != fmt.Sprintf(want, alias+tool) {
							t.Errorf("%s of %s: %q", tool, alias, got)
						}
					}
					params := &mcp.CallToolParams{Name: alias + "__progress", Arguments: map[string]any{"text": alias}}
					params.SetProgressToken(alias)
					if _, err := s.CallTool(t.Context(), params); err != nil {
						t.Errorf("progress of %s: %v", alias, err)
					}
				})
			}
			work.Wait()
			eventually(t, "progress of both", func() bool {
				got.mu.Lock()
				defer got.mu.Unlock()
				return len(got.progress) == 6
			})
		})
	}
}
