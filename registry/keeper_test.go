package registry

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

// TestWhatAGatewayBelieves follows the registry with the gateway's own keeper
// while somebody edits the database.
func TestWhatAGatewayBelieves(t *testing.T) {
	h := newHouse(t)
	k, err := approval.NewKeeper(approval.KeeperConfig{
		TrustPath: h.TrustPath, StateDir: filepath.Join(t.TempDir(), "state"), Tenant: "default",
		Source: h.Source("default"), Now: func() time.Time { return h.now },
	})
	h.must(err)
	believes := func(want error) {
		t.Helper()
		h.must(k.Refresh(t.Context()))
		a, err := k.Find("io.github.acme/weather")
		if !errors.Is(err, want) || want == nil && a.Version != "1.0.0" {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	v := h.publish("weather", "1.0.0")
	believes(approval.ErrNotApproved)
	_, err = h.db.ExecContext(t.Context(), `UPDATE versions SET state = 'approved'`)
	h.must(err)
	h.must(h.snapshots.issue(t.Context(), "default"))
	believes(approval.ErrNotApproved)
	_, err = h.db.ExecContext(t.Context(), `UPDATE versions SET state = 'in_review'`)
	h.must(err)

	h.approve(v)
	believes(nil)
	_, err = h.Quarantine(t.Context(), admin, v.Name, v.Version, "incident")
	h.must(err)
	believes(approval.ErrNotApproved)
	_, err = h.db.ExecContext(t.Context(), `UPDATE versions SET state = 'approved'`)
	h.must(err)
	h.must(h.snapshots.issue(t.Context(), "default"))
	believes(approval.ErrNotApproved)
}
