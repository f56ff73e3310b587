package gateway

import (
	"slices"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/approval"
)

// TestDemandsOfApprovals: what a server's entry asks of scanners is added to
// what the operator set, takes nothing away from it, and stops at its server.
func TestDemandsOfApprovals(t *testing.T) {
	if _, err := sharedScanner(); err != nil {
		t.Fatal(err)
	}
	const blocked = `{"name":"one","arguments":{"a":"BLOCK-ME"}}`
	monitor := func(c *Config) {
		shared, _ := sharedScanner()
		lax, err := shared.Rebound(engine.Options{Mode: engine.ModeMonitor, OnFailure: engine.OnFailureFlag})
		if err != nil {
			t.Fatal(err)
		}
		c.AutoRoutes, c.Scanners = true, engine.NewLive(engine.NewSet(lax))
	}
	weak := approval.ScannerBinding{Scanner: "marker", Mode: "monitor", OnFailure: "flag"}
	strong := approval.ScannerBinding{Scanner: "marker", Mode: "enforce", OnFailure: "deny"}
	forTwo := strong
	forTwo.Entries = []string{"two"}
	for name, c := range map[string]struct {
		edit            func(*Config)
		asks            approval.ScannerBinding
		finding, failed Reason // "" passes
	}{
		"strict, and asked to be lax": {auto, weak, ReasonFinding, ReasonScannerFailure},
		"lax":                         {monitor, weak, "", ""},
		"lax, and asked to be strict": {monitor, strong, ReasonFinding, ReasonScannerFailure},
		"strict for another tool":     {monitor, forTwo, "", ""},
		"a scanner that is not there": {monitor, approval.ScannerBinding{Scanner: "absent"}, ReasonScannerFailure, ReasonScannerFailure},
		"another module of this name": {monitor, approval.ScannerBinding{Scanner: "marker", Digest: "00" + engine.Digest(nil)[9:]}, ReasonScannerFailure, ReasonScannerFailure},
		"the module of this name":     {monitor, approval.ScannerBinding{Scanner: "marker", Digest: engine.Digest(guest)[7:]}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.set("tools/list", tools(tool("one", "Fine."), tool("two", "Fine."), tool("six", "Fine.")))
			h := open(t, c.edit)
			a := h.approve("srv", s.start())
			asking := *a
			asking.Digest, asking.ScannerBindings = "asking", []approval.ScannerBinding{c.asks}
			h.approvals.set(nil, &asking)
			for params, want := range map[string]Reason{blocked: c.finding, `{"name":"one","arguments":{"a":"TRAP-ME"}}`: c.failed} {
				r := h.call("srv", 1, "tools/call", params)
				if want == "" {
					if r.status != 200 {
						t.Errorf("%s: %d %s", params, r.status, r.body)
					}
					continue
				}
				r.refused(t, 403, want)
			}
		})
	}

	// In a list an entry is cut out by its own demand.
	s := newScript(t)
	s.set("tools/list", tools(tool("one", "BLOCK-ME"), tool("two", "BLOCK-ME"), tool("six", "Fine.")))
	h := open(t, monitor)
	asking := *h.approve("srv", s.start())
	if got := names(t, h.call("srv", 1, "tools/list", ""), "tools", "name"); len(got) != 3 {
		t.Errorf("monitored: %q", got)
	}
	asking.Digest, asking.ScannerBindings = "asking", []approval.ScannerBinding{forTwo}
	h.approvals.set(nil, &asking)
	if got := names(t, h.call("srv", 2, "tools/list", ""), "tools", "name"); !slices.Equal(got, []string{"one", "six"}) {
		t.Errorf("strict for two: %q", got)
	}
}
