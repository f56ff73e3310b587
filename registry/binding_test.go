package registry

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

// TestEntryAsksForScanners: what server.json asks of scanners is voted about
// and stands in the approval that gateways verify.
func TestEntryAsksForScanners(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.1.0", h.publisher)
	sub.ServerJSON = bytes.Replace(sub.ServerJSON, []byte(`{`),
		[]byte(`{"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"io.github.bartizan-mcp":{"scannerBindings":[{"scanner":"exfil","mode":"enforce","config":{"deny":["*"]}}]}}},`), 1)
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	approved := h.approve(v)
	bundle, err := h.Source("default").Approval(t.Context(), hexDigest(approved.Approval))
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	want := []approval.ScannerBinding{{Scanner: "exfil", Mode: "enforce", Config: []byte(`{"deny":["*"]}`)}}
	if diff := cmp.Diff(want, a.ScannerBindings); diff != "" {
		t.Error(diff)
	}
}
