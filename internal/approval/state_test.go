package approval_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

func TestStateSurvivesARestart(t *testing.T) {
	g, _, digest := one(t)
	g.source.set(func() { g.source.down = os.ErrDeadlineExceeded; clear(g.source.approvals) })
	g.restart(t)
	if a, err := g.Find(server); err != nil || a.Digest != digest {
		t.Errorf("with the registry away: %v, %v", a, err)
	}
	g.pass(approval.DefaultGrace + time.Minute)
	g.restart(t)
	_, err := g.Find(server)
	wantErr(t, "a restart does not renew an old snapshot", err, approval.ErrSnapshotExpired)
}

func TestStateIsOwnerOnly(t *testing.T) {
	g, _, digest := one(t)
	for _, name := range []string{"state.json", filepath.Join("approvals", digest+".json")} {
		info, err := os.Stat(filepath.Join(g.config.StateDir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
	}
	if info, _ := os.Stat(g.config.StateDir); info.Mode().Perm() != 0o700 {
		t.Errorf("directory mode %v, want 0700", info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(g.config.StateDir, ".tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Damaged state is an error that names the file; it is never replaced silently.
func TestDamagedStateFailsClosed(t *testing.T) {
	g, _, _ := one(t)
	path := filepath.Join(g.config.StateDir, "state.json")
	good := must[[]byte](t)(os.ReadFile(path))
	for name, b := range map[string][]byte{
		"empty":           {},
		"truncated":       good[:len(good)/2],
		"last byte lost":  good[:len(good)-1],
		"zeroes":          make([]byte, len(good)),
		"sequence edited": bytes.Replace(good, []byte(`"sequence":5`), []byte(`"sequence":1`), 1),
		"no checksum":     []byte(`{"state":{}}`),
		"other format":    bytes.Replace(good, []byte(`"format":1`), []byte(`"format":2`), 1),
	} {
		if bytes.Equal(b, good) {
			t.Fatalf("%s: nothing edited", name)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := approval.NewKeeper(g.config)
		wantErr(t, name, err, approval.ErrState)
		if after := must[[]byte](t)(os.ReadFile(path)); !bytes.Equal(after, b) {
			t.Errorf("%s: the file was replaced", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err := approval.NewKeeper(g.config)
	wantErr(t, "removed, with approvals left", err, approval.ErrState)
	if err := os.RemoveAll(g.config.StateDir); err != nil {
		t.Fatal(err)
	}
	if _, err := approval.NewKeeper(g.config); err != nil {
		t.Errorf("removed whole, by an operator: %v", err)
	}
}

// A damaged cached approval is no loss: its digest tells, and it is fetched again.
func TestDamagedCacheIsFetchedAgain(t *testing.T) {
	g, _, digest := one(t)
	path := filepath.Join(g.config.StateDir, "approvals", digest+".json")
	if err := os.WriteFile(path, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	g.restart(t)
	_, err := g.Find(server)
	wantErr(t, "from a damaged cache", err, approval.ErrNotApproved)
	g.refresh(t)
	if _, err := g.Find(server); err != nil {
		t.Errorf("fetched again: %v", err)
	}
}

// While the state cannot be written nothing new is admitted, but what the
// newer snapshot takes away is taken away.
func TestUnwritableState(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("running as root: the state is blocked by a directory instead of a mode")
	}
	g, bundle, digest := one(t)
	path := filepath.Join(g.config.StateDir, "state.json")
	if err := os.Rename(path, path+".kept"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	next, nextDigest := g.h.approve(t, "2.0.0")
	g.offer(t, 6, map[string][]byte{digest: bundle, nextDigest: next})
	wantErr(t, "a new approval", g.Refresh(t.Context()), approval.ErrState)
	if a, err := g.Find(server); err != nil || a.Digest != digest {
		t.Errorf("Find = %v, %v; want the old one only", a, err)
	}
	g.offer(t, 7, map[string][]byte{nextDigest: next})
	wantErr(t, "a revocation", g.Refresh(t.Context()), approval.ErrState)
	_, err := g.Find(server)
	wantErr(t, "a revocation", err, approval.ErrNotApproved)
	if g.Sequence() != 5 {
		t.Errorf("sequence = %d, want 5: what is on disk", g.Sequence())
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	g.refresh(t)
	if a, err := g.Find(server); err != nil || a.Digest != nextDigest {
		t.Errorf("disk back: %v, %v", a, err)
	}
}

func TestCacheIsPruned(t *testing.T) {
	g, _, digest := one(t)
	stray := filepath.Join(g.config.StateDir, "approvals", "notes.txt")
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g.offer(t, 6, nil)
	g.refresh(t)
	if _, err := os.Stat(filepath.Join(g.config.StateDir, "approvals", digest+".json")); !os.IsNotExist(err) {
		t.Errorf("the revoked approval is still cached: %v", err)
	}
	if _, err := os.Stat(stray); err != nil {
		t.Errorf("a file of someone else's was removed: %v", err)
	}
}

func BenchmarkFind(b *testing.B) {
	g, _, _ := one(b)
	for b.Loop() {
		if _, err := g.Find(server); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyApproval(b *testing.B) {
	h := newHouse(b)
	bundle, _ := h.approve(b, "1.0.0", func(p *approval.Predicate) {
		for i := range 50 {
			e := p.Entries[0]
			e.Key = fmt.Sprintf("tool-%d", i)
			p.Entries = append(p.Entries, e)
		}
	})
	for b.Loop() {
		if _, err := approval.Verify(bundle, h.trust, start); err != nil {
			b.Fatal(err)
		}
	}
}
