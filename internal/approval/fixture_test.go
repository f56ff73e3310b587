package approval_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

const (
	registryID = "registry.example"
	tenant     = "acme"
	server     = "io.example/weather"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func sum(s string) string {
	d := sha256.Sum256([]byte(s))
	return hex.EncodeToString(d[:])
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t testing.TB) *attest.Key { t.Helper(); return must[*attest.Key](t)(attest.GenerateKey()) }

func public(keys ...*attest.Key) []*attest.PublicKey {
	out := make([]*attest.PublicKey, len(keys))
	for i, k := range keys {
		out[i] = k.Public()
	}
	return out
}

// house holds one registry's keys, its trust document and two reviewers.
type house struct {
	approval, snapshot, log, alice, bob *attest.Key
	trust                               *approval.Trust
	file                                []byte
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{approval: newKey(t), snapshot: newKey(t), log: newKey(t), alice: newKey(t), bob: newKey(t)}
	d := approval.NewTrust(registryID, public(h.approval), public(h.snapshot), public(h.log), start.AddDate(1, 0, 0))
	a, b := approval.NewKey(h.alice.Public()), approval.NewKey(h.bob.Public())
	d.Voters = []approval.Voter{{Name: "alice", Key: &a, Groups: []string{"security"}}, {Name: "bob", Key: &b, Groups: []string{"security", "data"}}}
	h.install(t, d, h.approval)
	return h
}

func (h *house) install(t testing.TB, d *approval.Trust, signers ...attest.Signer) {
	t.Helper()
	h.file = must[[]byte](t)(d.Sign(t.Context(), signers...))
	h.trust = must[*approval.Trust](t)(approval.ParseTrust(h.file))
}

var subjects = approval.Subjects{Artifact: sum("artifact"), SBOM: sum("sbom")}

// predicate describes one version, complete but for votes.
func predicate(version string) *approval.Predicate {
	return &approval.Predicate{
		Registry: registryID, Tenant: tenant, Server: server, Version: version, Alias: "weather", Tier: approval.TierHigh,
		Publisher: "carol", Binding: approval.BindingCommand,
		Launch: approval.Launch{Command: []string{"node", "server.js"}, Dir: "/srv", EnvNames: []string{"HOME", "API_KEY"}},
		Entries: []approval.Entry{
			{Era: "legacy", Kind: "tool", Key: "forecast", Whole: sha256.Sum256([]byte("w")), Behavioural: sha256.Sum256([]byte("b"))},
			{Era: "legacy", Kind: "prompt", Key: "forecast", Whole: sha256.Sum256([]byte("pw")), Behavioural: sha256.Sum256([]byte("pb"))},
		},
		Roots:       map[string]fingerprint.Digest{"legacy": sha256.Sum256([]byte("root"))},
		Annotations: map[string]jsontext.Value{"forecast": jsontext.Value(`{"readOnlyHint":true}`)},
		Scopes:      []string{"weather.read"},
		Scanners:    []approval.ScannerVerdict{{Name: "poisoning", Digest: sum("wasm"), Action: "allow"}},
		Waivers:     []approval.Waiver{{Rule: "poisoning.length", Pointer: "/tools/0/description", Leaf: sum("leaf"), Expires: start.AddDate(0, 1, 0)}},
		Checklist:   sum("checklist"),
		NotBefore:   start, Expires: start.AddDate(0, 0, 90),
	}
}

// vote signs a decision about p.
func vote(t testing.TB, k attest.Signer, p *approval.Predicate, decision string) jsontext.Value {
	t.Helper()
	subject := must[string](t)(approval.SubjectDigest(p, subjects))
	return voteOn(t, k, p, decision, subject)
}

func voteOn(t testing.TB, k attest.Signer, p *approval.Predicate, decision, subject string) jsontext.Value {
	t.Helper()
	return must[[]byte](t)(k.Sign(t.Context(), voteStatement(t, p, decision, subject)))
}

func voteStatement(t testing.TB, p *approval.Predicate, decision, subject string) []byte {
	t.Helper()
	return must[[]byte](t)(approval.BuildVote(approval.Vote{
		Registry: p.Registry, Tenant: p.Tenant, Server: p.Server, Version: p.Version, Decision: decision, At: start, Subject: subject,
	}))
}

// approve signs a version with both reviewers' votes.
func (h *house) approve(t testing.TB, version string, change ...func(*approval.Predicate)) (bundle []byte, digest string) {
	t.Helper()
	p := predicate(version)
	for _, f := range change {
		f(p)
	}
	p.Votes = []jsontext.Value{vote(t, h.alice, p, approval.VoteApprove), vote(t, h.bob, p, approval.VoteApprove)}
	bundle, digest, err := approval.Sign(t.Context(), h.approval, p, subjects)
	if err != nil {
		t.Fatal(err)
	}
	return bundle, digest
}

func (h *house) snapshotOf(t testing.TB, sequence uint64, issued time.Time, digests ...string) []byte {
	t.Helper()
	return must[[]byte](t)(approval.SignSnapshot(t.Context(), h.snapshot, &approval.Snapshot{
		Registry: registryID, Tenant: tenant, Sequence: sequence, Issued: issued, Expires: issued.Add(time.Minute), Approvals: digests,
	}))
}

// resign lets the holder of a key sign an edited statement truthfully.
func resign(t testing.TB, k *attest.Key, bundle []byte, from *attest.Key, f func(*attest.Statement, map[string]any)) []byte {
	t.Helper()
	v := must[*attest.Verified](t)(attest.VerifyKeys(bundle, public(from)))
	var p map[string]any
	if err := json.Unmarshal(v.Statement.Predicate, &p); err != nil {
		t.Fatal(err)
	}
	f(v.Statement, p)
	v.Statement.Predicate = must[[]byte](t)(json.Marshal(p, json.Deterministic(true)))
	return must[[]byte](t)(k.Sign(t.Context(), must[[]byte](t)(v.Statement.Marshal())))
}

// source is a registry's answer, held in memory.
type source struct {
	mu        sync.Mutex
	snapshot  []byte
	approvals map[string][]byte
	down      error
	asked     []string
}

func (s *source) Snapshot(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot, s.down
}

func (s *source) Approval(_ context.Context, digest string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, digest)
	if b, ok := s.approvals[digest]; ok && s.down == nil {
		return b, nil
	}
	return nil, errors.Join(s.down, os.ErrNotExist)
}

func (s *source) set(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }

// gate is a gateway's Keeper with a clock and a registry that the test controls.
type gate struct {
	*approval.Keeper
	h      *house
	source *source
	config approval.KeeperConfig

	mu     sync.Mutex
	now    time.Time
	up     time.Duration
	events []approval.KeeperEvent
}

func newGate(t testing.TB, h *house, change ...func(*approval.KeeperConfig)) *gate {
	t.Helper()
	g := &gate{h: h, source: &source{approvals: map[string][]byte{}}, now: start}
	dir := t.TempDir()
	g.config = approval.KeeperConfig{
		TrustPath: filepath.Join(dir, "trust.json"), StateDir: filepath.Join(dir, "state"), Tenant: tenant, Source: g.source,
		Now:    func() time.Time { g.mu.Lock(); defer g.mu.Unlock(); return g.now },
		Uptime: func() time.Duration { g.mu.Lock(); defer g.mu.Unlock(); return g.up },
		OnEvent: func(_ context.Context, e approval.KeeperEvent) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.events = append(g.events, e)
		},
	}
	for _, f := range change {
		f(&g.config)
	}
	g.writeTrust(t, h.file)
	g.restart(t)
	return g
}

func (g *gate) writeTrust(t testing.TB, file []byte) {
	t.Helper()
	if err := os.WriteFile(g.config.TrustPath, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// restart makes a new Keeper over the same files.
func (g *gate) restart(t testing.TB) {
	t.Helper()
	g.Keeper = must[*approval.Keeper](t)(approval.NewKeeper(g.config))
}

// pass lets time go by on both clocks.
func (g *gate) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now, g.up = g.now.Add(d), g.up+d
}

// setClock changes the wall clock only.
func (g *gate) setClock(now time.Time) { g.mu.Lock(); defer g.mu.Unlock(); g.now = now }

// offer makes the registry serve a snapshot of these approvals.
func (g *gate) offer(t testing.TB, sequence uint64, approvals map[string][]byte) {
	t.Helper()
	snap := g.h.snapshotOf(t, sequence, g.config.Now(), slices.Collect(maps.Keys(approvals))...)
	g.source.set(func() { g.source.snapshot = snap; maps.Copy(g.source.approvals, approvals) })
}

func (g *gate) refresh(t testing.TB) {
	t.Helper()
	if err := g.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// kinds returns the events since the last call.
func (g *gate) kinds() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for _, e := range g.events {
		out = append(out, e.Kind)
	}
	g.events = nil
	return out
}

// one is a gate that has admitted version 1.0.0 by snapshot 5.
func one(t testing.TB, change ...func(*approval.KeeperConfig)) (g *gate, bundle []byte, digest string) {
	t.Helper()
	g = newGate(t, newHouse(t), change...)
	bundle, digest = g.h.approve(t, "1.0.0")
	g.offer(t, 5, map[string][]byte{digest: bundle})
	g.refresh(t)
	if a, err := g.Find(server); err != nil || a.Digest != digest {
		t.Fatalf("Find = %v, %v", a, err)
	}
	g.kinds()
	return g, bundle, digest
}

func wantErr(t testing.TB, what string, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("%s: err = %v, want %v", what, err, w)
		}
	}
}
