package cases_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// TestCrowdedListing scans a tool with a long description beside as many others
// with long ones as a scanner is ever told of: none runs out of fuel.
func TestCrowdedListing(t *testing.T) {
	e := newEngine(t)
	for name, module := range modules(t) {
		s, err := e.Load(t.Context(), module, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := message.FromTool("own", []byte(fmt.Sprintf(`{"name":"ledger","description":%q,"inputSchema":{"type":"object"}}`, documentation(1))))
		if err != nil {
			t.Fatal(err)
		}
		for i := range message.MaxContext {
			m.Context = append(m.Context, message.ContextEntry{
				Server: fmt.Sprint("other", i), Kind: "tool", Name: fmt.Sprint("register_", i), Description: documentation(1000 + i),
			})
		}
		if v := engine.NewSet(s).ScanWith(t.Context(), m, engine.ScanOptions{Always: true}); len(v.Failures) > 0 {
			t.Errorf("%s: %+v", name, v.Failures)
		}
	}
}

// documentation is some three kilobytes of which no two numbers share much.
func documentation(n int) string {
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, "w%d ", (n*7919+i*104729)%50021)
	}
	return b.String()
}
