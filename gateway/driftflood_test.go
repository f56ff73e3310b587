package gateway

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestDriftFlood attacks with a server that lists other new entries at every
// change, and changes an approved one among them: log and reviewers are told of
// some, once that there are many, and of the approved one all the same.
func TestDriftFlood(t *testing.T) {
	s := newScript(t)
	clock := &fastClock{}
	var reports atomic.Int64 // to the reviewers
	h := open(t, func(c *Config) {
		c.AutoRoutes = true
		c.Now = clock.now
		c.OnDrift = func(context.Context, Drift) { reports.Add(1) }
	})
	a := h.approve("srv", s.start())
	flood := func(round int) {
		list := []string{}
		for i := range 300 {
			list = append(list, tool(fmt.Sprintf("new-%d-%d", round, i), "x"))
		}
		s.set("tools/list", tools(append(list, tool("one", fmt.Sprintf("The first, now for the %d. time.", round)), tool("two", "The second."))...))
		h.changed(a, protocol.Modern)
		h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 403, ReasonEntryDrifted)
		if r := h.call("srv", 1, "tools/call", `{"name":"two"}`); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		h.call("srv", 1, "tools/call", fmt.Sprintf(`{"name":"new-%d-299"}`, round)).refused(t, 403, ReasonEntryNotApproved)
	}
	told := func() (single, many, ofOne int) {
		for _, rec := range h.events(audit.Query{Code: "drift_found", Limit: 1000}) {
			switch {
			case rec.Event.StatusCode == driftMany:
				many++
			case rec.Event.Resources[1].Name == "one":
				ofOne++
			default:
				single++
			}
		}
		return single, many, ofOne
	}
	for round := range 3 {
		flood(round)
	}
	if single, many, ofOne := told(); single != driftBudget || many != 1 || ofOne != 3 {
		t.Errorf("%d single records, %d of many, %d of the approved entry", single, many, ofOne)
	}
	eventually(t, "reviewers were told of as many", func() bool { return reports.Load() == driftBudget+3 })
	clock.pass(driftWindow + time.Second)
	flood(3)
	if single, many, ofOne := told(); single != 2*driftBudget || many != 2 || ofOne != 4 {
		t.Errorf("in the next window: %d single records, %d of many, %d of the approved entry", single, many, ofOne)
	}
}
