package approval_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

func TestKeeperAdmitsWhatIsListed(t *testing.T) {
	g := newGate(t, newHouse(t))
	_, err := g.Find(server)
	wantErr(t, "before the first snapshot", err, approval.ErrSnapshotExpired)
	if g.All() != nil || g.Ready() == nil {
		t.Error("something is admitted before the first snapshot")
	}
	bundle, digest := g.h.approve(t, "1.0.0")
	g.offer(t, 5, map[string][]byte{digest: bundle})
	g.refresh(t)
	a, err := g.Find(server)
	if err != nil || a.Digest != digest {
		t.Fatalf("Find = %v, %v", a, err)
	}
	if all := g.All(); len(all) != 1 || all[0].Digest != digest || g.Sequence() != 5 || g.Ready() != nil {
		t.Errorf("All = %v, sequence %d, ready %v", all, g.Sequence(), g.Ready())
	}
	_, err = g.Find("io.example/other")
	wantErr(t, "another server", err, approval.ErrNotApproved)
	if d := cmp.Diff([]string{approval.EventApprovalAdmitted, approval.EventSnapshotFresh}, g.kinds()); d != "" {
		t.Error(d)
	}
}

// The newest semantic version in force answers, not the last one listed.
func TestKeeperFindsTheNewestVersion(t *testing.T) {
	g := newGate(t, newHouse(t))
	listed := map[string][]byte{}
	for _, v := range []string{"1.9.0", "1.10.0", "1.10.1-rc.1", "0.99.99"} {
		b, d := g.h.approve(t, v)
		listed[d] = b
	}
	future, d := g.h.approve(t, "2.0.0", func(p *approval.Predicate) { p.NotBefore = start.Add(10 * time.Second) })
	listed[d] = future
	g.offer(t, 1, listed)
	g.refresh(t)
	find := func() string {
		a, err := g.Find(server)
		if err != nil {
			t.Fatal(err)
		}
		return a.Version
	}
	if v := find(); v != "1.10.1-rc.1" {
		t.Errorf("newest = %s, want 1.10.1-rc.1", v)
	}
	g.pass(10 * time.Second)
	if v := find(); v != "2.0.0" {
		t.Errorf("newest = %s, want 2.0.0 once its time has come", v)
	}
	if a, err := g.FindVersion(server, "1.9.0"); err != nil || a.Version != "1.9.0" {
		t.Errorf("FindVersion = %v, %v", a, err)
	}
	_, err := g.FindVersion(server, "3.0.0")
	wantErr(t, "a version nobody approved", err, approval.ErrNotApproved)
}

func TestSupersededApprovalIsOver(t *testing.T) {
	g := newGate(t, newHouse(t))
	old, oldDigest := g.h.approve(t, "1.0.0", func(p *approval.Predicate) { p.Scopes = []string{"old"} })
	next, nextDigest := g.h.approve(t, "1.0.0", func(p *approval.Predicate) {
		p.Supersedes, p.NotBefore, p.Expires = oldDigest, start.Add(10*time.Second), start.Add(20*time.Second)
	})
	g.offer(t, 1, map[string][]byte{oldDigest: old, nextDigest: next})
	g.refresh(t)
	if a, err := g.Find(server); err != nil || a.Digest != oldDigest {
		t.Errorf("before its successor begins: %v, %v", a, err)
	}
	g.pass(10 * time.Second)
	if a, err := g.Find(server); err != nil || a.Digest != nextDigest {
		t.Errorf("once its successor has begun: %v, %v", a, err)
	}
	g.pass(10 * time.Second)
	_, err := g.Find(server)
	wantErr(t, "the successor's end does not revive it", err, approval.ErrNotApproved)
}

// A database edited by hand: the registry lists an approval that it signed with
// some key of its own making, or serves other bytes under a listed digest.
func TestEditedDatabaseOpensNothing(t *testing.T) {
	g, bundle, digest := one(t)
	forged := resign(t, newKey(t), bundle, g.h.approval, func(*attest.Statement, map[string]any) {})
	bySnapshotKey := resign(t, g.h.snapshot, bundle, g.h.approval, func(*attest.Statement, map[string]any) {})
	foreign := resign(t, g.h.approval, bundle, g.h.approval, func(_ *attest.Statement, p map[string]any) { p["registry"] = "x" })
	otherTenant, _ := g.h.approve(t, "1.0.0", func(p *approval.Predicate) { p.Tenant = "globex" })
	expiredLongAgo, _ := g.h.approve(t, "1.0.0", func(p *approval.Predicate) {
		p.NotBefore, p.Expires = start.AddDate(-1, 0, 0), start.AddDate(0, 0, -1)
	})
	for name, c := range map[string]struct {
		bundle []byte
		listed string // "" = its own digest
		want   error
	}{
		"stranger's key":     {forged, "", approval.ErrSignature},
		"snapshot key":       {bySnapshotKey, "", approval.ErrSignature},
		"another registry":   {foreign, "", approval.ErrRegistry},
		"another tenant":     {otherTenant, "", approval.ErrTenant},
		"other bytes":        {bundle, sum("listed but not this"), approval.ErrSignature},
		"expired, but valid": {expiredLongAgo, "", nil},
		"not there at all":   {nil, sum("nothing"), approval.ErrSource},
	} {
		t.Run(name, func(t *testing.T) {
			listed := c.listed
			if listed == "" {
				listed = sum(string(c.bundle))
			}
			g.source.set(func() { clear(g.source.approvals); delete(g.source.approvals, digest) })
			g.offer(t, g.Sequence()+1, map[string][]byte{listed: c.bundle})
			if c.bundle == nil {
				g.source.set(func() { clear(g.source.approvals) })
			}
			err := g.Refresh(t.Context())
			if !errors.Is(err, c.want) {
				t.Errorf("Refresh: err = %v, want %v", err, c.want)
			}
			_, err = g.Find(server)
			wantErr(t, "Find", err, approval.ErrNotApproved)
		})
	}
}

func TestUnlistedApprovalIsRevoked(t *testing.T) {
	g, bundle, digest := one(t)
	g.offer(t, 6, nil)
	g.refresh(t)
	_, err := g.Find(server)
	wantErr(t, "no longer listed", err, approval.ErrNotApproved)
	if d := cmp.Diff([]string{approval.EventApprovalRevoked}, g.kinds()); d != "" {
		t.Error(d)
	}
	g.restart(t)
	_, err = g.Find(server)
	wantErr(t, "after a restart", err, approval.ErrNotApproved)
	g.offer(t, 7, map[string][]byte{digest: bundle})
	g.refresh(t)
	if _, err := g.Find(server); err != nil {
		t.Errorf("listed again: %v", err)
	}
}

func TestOldSnapshotIsRefused(t *testing.T) {
	g, _, digest := one(t)
	old := g.source.snapshot
	g.offer(t, 6, nil) // revoked
	g.refresh(t)
	check := func(when string) {
		t.Helper()
		g.source.set(func() { g.source.snapshot = old })
		wantErr(t, when, g.Refresh(t.Context()), approval.ErrSnapshotRollback)
		_, err := g.Find(server)
		wantErr(t, when, err, approval.ErrNotApproved)
	}
	check("replayed")
	g.restart(t)
	check("replayed after a restart")
	second := g.h.snapshotOf(t, 6, start, digest)
	g.source.set(func() { g.source.snapshot = second })
	wantErr(t, "a second list under one sequence", g.Refresh(t.Context()), approval.ErrSnapshotRollback)
	if got := g.kinds(); !slices.Contains(got, approval.EventSnapshotRefused) {
		t.Errorf("events = %v, want the refusal told", got)
	}
}

func TestForeignSnapshotsAreRefused(t *testing.T) {
	g, _, digest := one(t)
	sign := func(k *attest.Key, registry, tenant string, issued time.Time) []byte {
		return must[[]byte](t)(approval.SignSnapshot(t.Context(), k, &approval.Snapshot{
			Registry: registry, Tenant: tenant, Sequence: 9, Issued: issued, Expires: issued.Add(time.Minute), Approvals: []string{sum("x")},
		}))
	}
	for name, c := range map[string]struct {
		bundle []byte
		want   error
	}{
		"other tenant":        {sign(g.h.snapshot, registryID, "globex", start), approval.ErrTenant},
		"other registry":      {sign(g.h.snapshot, "evil.example", tenant, start), approval.ErrRegistry},
		"approval key":        {sign(g.h.approval, registryID, tenant, start), approval.ErrSignature},
		"stranger":            {sign(newKey(t), registryID, tenant, start), approval.ErrSignature},
		"from the future":     {sign(g.h.snapshot, registryID, tenant, start.Add(time.Hour)), approval.ErrClock},
		"long expired":        {sign(g.h.snapshot, registryID, tenant, start.Add(-time.Hour)), approval.ErrSnapshotExpired},
		"an approval instead": {must[[]byte](t)(g.source.Approval(t.Context(), digest)), approval.ErrSignature},
		"nothing":             {nil, approval.ErrSignature},
	} {
		g.source.set(func() { g.source.snapshot = c.bundle })
		wantErr(t, name, g.Refresh(t.Context()), c.want)
		if g.Sequence() != 5 {
			t.Errorf("%s: sequence = %d, want 5", name, g.Sequence())
		}
		if _, err := g.Find(server); err != nil {
			t.Errorf("%s took away what was in force: %v", name, err)
		}
	}
}

func TestGrace(t *testing.T) {
	g, _, _ := one(t)
	down := errors.New("connection refused")
	g.source.set(func() { g.source.down = down })
	wantErr(t, "registry away", g.Refresh(t.Context()), approval.ErrSource, down)
	if d := cmp.Diff([]string{approval.EventSourceFailed}, g.kinds()); d != "" {
		t.Error(d)
	}
	g.pass(time.Minute)
	_ = g.Refresh(t.Context())
	if _, err := g.Find(server); err != nil {
		t.Errorf("within grace: %v", err)
	}
	if d := cmp.Diff([]string{approval.EventSnapshotGrace}, g.kinds()); d != "" {
		t.Errorf("a lasting condition is told once: %s", d)
	}
	g.pass(approval.DefaultGrace - time.Second)
	if _, err := g.Find(server); err != nil {
		t.Errorf("in the last second of grace: %v", err)
	}
	g.pass(time.Second)
	_, err := g.Find(server) // without any refresh in between
	wantErr(t, "past grace", err, approval.ErrSnapshotExpired)
	if g.All() != nil {
		t.Error("All lists something past grace")
	}
	_ = g.Refresh(t.Context())
	if d := cmp.Diff([]string{approval.EventSnapshotExpired}, g.kinds()); d != "" {
		t.Error(d)
	}
	g.source.set(func() { g.source.down = nil })
	wantErr(t, "the same stale snapshot again", g.Refresh(t.Context()), approval.ErrSnapshotExpired)
	b, d := g.h.approve(t, "1.0.1")
	g.offer(t, 6, map[string][]byte{d: b})
	g.refresh(t)
	if _, err := g.Find(server); err != nil {
		t.Errorf("registry back: %v", err)
	}
	if got := g.kinds(); !slices.Contains(got, approval.EventSnapshotFresh) {
		t.Errorf("events = %v, want recovery told", got)
	}
}

func TestNoGrace(t *testing.T) {
	g, _, _ := one(t, func(c *approval.KeeperConfig) { c.Grace = -1 })
	g.pass(time.Minute)
	_, err := g.Find(server)
	wantErr(t, "one minute on", err, approval.ErrSnapshotExpired)
}

func TestClockJumps(t *testing.T) {
	t.Run("back: the snapshot does not live longer", func(t *testing.T) {
		g, _, _ := one(t)
		g.pass(5 * time.Minute)
		g.setClock(start)
		g.pass(7 * time.Minute) // wall clock: 7 minutes; truly: 12
		_, err := g.Find(server)
		wantErr(t, "Find", err, approval.ErrSnapshotExpired)
		wantErr(t, "asking again prolongs nothing", g.Refresh(t.Context()), nil)
		_, err = g.Find(server)
		wantErr(t, "Find after Refresh", err, approval.ErrSnapshotExpired)
	})
	t.Run("back: an expired approval stays expired", func(t *testing.T) {
		g := newGate(t, newHouse(t))
		b, d := g.h.approve(t, "1.0.0", func(p *approval.Predicate) { p.Expires = start.Add(time.Hour) })
		g.pass(time.Hour)
		g.offer(t, 1, map[string][]byte{d: b})
		g.refresh(t)
		g.setClock(start)
		_, err := g.Find(server)
		wantErr(t, "Find", err, approval.ErrNotApproved, approval.ErrExpired)
	})
	t.Run("forward: everything is denied, and comes back", func(t *testing.T) {
		g, _, _ := one(t)
		g.setClock(start.AddDate(0, 1, 0))
		_, err := g.Find(server)
		wantErr(t, "Find", err, approval.ErrSnapshotExpired)
		g.setClock(start.Add(time.Second))
		if _, err := g.Find(server); err != nil {
			t.Errorf("clock corrected: %v", err)
		}
	})
	t.Run("beyond the trust document", func(t *testing.T) {
		g, _, _ := one(t)
		g.setClock(start.AddDate(1, 0, 0))
		_, err := g.Find(server)
		wantErr(t, "Find", err, approval.ErrTrustExpired)
	})
}

func TestMinimumBinding(t *testing.T) {
	g := newGate(t, newHouse(t), func(c *approval.KeeperConfig) { c.MinBinding = approval.BindingCommand })
	strong, sd := g.h.approve(t, "1.0.0")
	weak, wd := g.h.approve(t, "2.0.0", func(p *approval.Predicate) {
		p.Binding, p.Launch = approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/"}
	})
	g.offer(t, 1, map[string][]byte{wd: weak})
	g.refresh(t)
	_, err := g.Find(server)
	wantErr(t, "only a weaker one", err, approval.ErrNotApproved, approval.ErrBinding)
	g.offer(t, 2, map[string][]byte{wd: weak, sd: strong})
	g.refresh(t)
	if a, err := g.Find(server); err != nil || a.Digest != sd {
		t.Errorf("Find = %v, %v; want the older, stronger one", a, err)
	}
	c := g.config
	c.MinBinding = "magic"
	_, err = approval.NewKeeper(c)
	wantErr(t, "unknown minimum", err, approval.ErrBinding)
}

// One document that cannot be had does not hold up the others.
func TestBrokenApprovalDoesNotBlockOthers(t *testing.T) {
	g := newGate(t, newHouse(t))
	b, d := g.h.approve(t, "1.0.0")
	missing := "0000" + sum("missing")[4:]
	g.source.set(func() { g.source.approvals[d] = b })
	snap := g.h.snapshotOf(t, 1, start, d, missing)
	g.source.set(func() { g.source.snapshot = snap })
	wantErr(t, "one is missing", g.Refresh(t.Context()), approval.ErrSource)
	if _, err := g.Find(server); err != nil {
		t.Errorf("the other: %v", err)
	}
	_ = g.Refresh(t.Context())
	g.source.set(func() {
		if d := cmp.Diff([]string{missing, d, missing}, g.source.asked); d != "" {
			t.Errorf("asked for: %s", d)
		}
	})
}

func TestTrustRotation(t *testing.T) {
	g, bundle, digest := one(t)
	first := g.h.file
	newApproval := newKey(t)
	d := g.h.trust.Next()
	d.ApprovalKeys = []approval.Key{approval.NewKey(newApproval.Public())}
	unsigned := must[[]byte](t)(d.Sign(t.Context(), newApproval))
	rotated := must[[]byte](t)(d.Sign(t.Context(), g.h.approval, newApproval))

	g.writeTrust(t, unsigned)
	wantErr(t, "n+1 unsigned by n", g.Refresh(t.Context()), approval.ErrTrust)
	if g.Trust().Version != 1 {
		t.Errorf("version = %d after a refused rotation", g.Trust().Version)
	}
	if _, err := g.Find(server); err != nil {
		t.Errorf("the accepted document stays in force: %v", err)
	}
	g.writeTrust(t, rotated)
	// The old approval is signed with a key that is no longer trusted.
	wantErr(t, "rotation", g.Refresh(t.Context()), approval.ErrSignature)
	if g.Trust().Version != 2 {
		t.Errorf("version = %d, want 2", g.Trust().Version)
	}
	_, err := g.Find(server)
	wantErr(t, "approval by the retired key", err, approval.ErrNotApproved)
	if got := g.kinds(); !slices.Contains(got, approval.EventTrustRefused) || !slices.Contains(got, approval.EventTrustAccepted) {
		t.Errorf("events = %v", got)
	}
	renewed := resign(t, newApproval, bundle, g.h.approval, func(*attest.Statement, map[string]any) {})
	g.offer(t, 6, map[string][]byte{sum(string(renewed)): renewed})
	g.refresh(t)
	if _, err := g.Find(server); err != nil {
		t.Errorf("approval by the new key: %v", err)
	}

	g.writeTrust(t, first)
	wantErr(t, "back to version 1", g.Refresh(t.Context()), approval.ErrTrustRollback)
	_, err = approval.NewKeeper(g.config)
	wantErr(t, "back to version 1, with a restart", err, approval.ErrTrustRollback)
	g.offer(t, 7, map[string][]byte{digest: bundle})
	_ = g.Refresh(t.Context())
	_, err = g.Find(server)
	wantErr(t, "what only version 1 would admit", err, approval.ErrNotApproved)

	skip := must[*approval.Trust](t)(approval.ParseTrust(rotated)).Next()
	skip.Version = 4
	g.writeTrust(t, must[[]byte](t)(skip.Sign(t.Context(), newApproval)))
	wantErr(t, "a skipped version", g.Refresh(t.Context()), approval.ErrTrustGap)
	skip.Version = 2
	g.writeTrust(t, must[[]byte](t)(skip.Sign(t.Context(), newApproval)))
	if wantErr(t, "the accepted document again", g.Refresh(t.Context())); g.Trust().Version != 2 {
		t.Errorf("version = %d", g.Trust().Version)
	}
	skip.Threshold, skip.Expires = 1, skip.Expires.AddDate(1, 0, 0)
	g.writeTrust(t, must[[]byte](t)(skip.Sign(t.Context(), newApproval)))
	wantErr(t, "another document of the accepted version", g.Refresh(t.Context()), approval.ErrTrustRollback)
}

func TestRotationToAnExpiredDocumentIsRefused(t *testing.T) {
	g, _, _ := one(t)
	d := g.h.trust.Next()
	d.Expires = start
	g.writeTrust(t, must[[]byte](t)(d.Sign(t.Context(), g.h.approval)))
	wantErr(t, "Refresh", g.Refresh(t.Context()), approval.ErrTrustExpired)
	if _, err := g.Find(server); err != nil || g.Trust().Version != 1 {
		t.Errorf("Find: %v under version %d; the accepted document stays in force", err, g.Trust().Version)
	}
}

func TestSnapshotKeyRotation(t *testing.T) {
	g, bundle, digest := one(t)
	d := g.h.trust.Next()
	fresh := newKey(t)
	d.SnapshotKeys = []approval.Key{approval.NewKey(fresh.Public())}
	g.h.install(t, d, g.h.approval)
	g.writeTrust(t, g.h.file)
	wantErr(t, "snapshot by the retired key", g.Refresh(t.Context()), approval.ErrSignature)
	_, err := g.Find(server)
	wantErr(t, "no snapshot under the new key yet", err, approval.ErrSnapshotExpired)
	g.h.snapshot = fresh
	g.offer(t, 4, map[string][]byte{digest: bundle})
	wantErr(t, "a new key does not reset the sequence", g.Refresh(t.Context()), approval.ErrSnapshotRollback)
	g.offer(t, 6, map[string][]byte{digest: bundle})
	g.refresh(t)
	if _, err := g.Find(server); err != nil {
		t.Error(err)
	}
}

func TestRunFollowsAndIsWoken(t *testing.T) {
	g := newGate(t, newHouse(t), func(c *approval.KeeperConfig) { c.Interval = time.Hour })
	told := make(chan approval.KeeperEvent, 16)
	g.config.OnEvent = func(_ context.Context, e approval.KeeperEvent) { told <- e }
	g.restart(t)
	b, d := g.h.approve(t, "1.0.0")
	g.offer(t, 1, map[string][]byte{d: b})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	await := func(kind string) {
		t.Helper()
		for {
			select {
			case e := <-told:
				if e.Kind == kind {
					return
				}
			case <-t.Context().Done():
				t.Fatalf("no event %s", kind)
			}
		}
	}
	await(approval.EventApprovalAdmitted)
	g.offer(t, 2, nil)
	g.Notify()
	g.Notify() // never blocks
	await(approval.EventApprovalRevoked)
	cancel()
	<-done
}

func TestKeeperIsSafeForConcurrentUse(t *testing.T) {
	g, bundle, digest := one(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if a, err := g.Find(server); err == nil && a.Digest != digest {
					t.Errorf("Find = %s", a.Digest)
				}
				g.All()
				_ = g.Ready()
			}
		})
	}
	for i := range 6 {
		listed := map[string][]byte{digest: bundle}
		if i%2 == 0 {
			listed = nil
		}
		g.offer(t, uint64(6+i), listed)
		wg.Go(func() { _ = g.Refresh(t.Context()) })
		g.refresh(t)
	}
	wg.Wait()
	if g.Sequence() != 11 {
		t.Errorf("sequence = %d, want 11", g.Sequence())
	}
}

func TestNewKeeperRefuses(t *testing.T) {
	g := newGate(t, newHouse(t))
	for name, c := range map[string]struct {
		change func(*approval.KeeperConfig)
		want   error
	}{
		"no trust file": {func(c *approval.KeeperConfig) { c.TrustPath += ".none"; c.StateDir += ".new" }, approval.ErrTrust},
		"no source":     {func(c *approval.KeeperConfig) { c.Source = nil }, approval.ErrSource},
		"other tenant":  {func(c *approval.KeeperConfig) { c.Tenant = "globex" }, approval.ErrTenant},
	} {
		config := g.config
		c.change(&config)
		_, err := approval.NewKeeper(config)
		wantErr(t, name, err, c.want)
	}
}
