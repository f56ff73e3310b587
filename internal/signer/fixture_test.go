package signer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

const (
	registryID = "registry.example"
	tenant     = "acme"
	capture    = `{"jsonrpc":"2.0","id":1,"result":{"tools":[` +
		`{"name":"forecast","description":"Tomorrow's weather","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}},` +
		`{"name":"report","description":"Reports the weather","inputSchema":{"type":"object"}}]}}`
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is a signer on disk with two reviewers.
type house struct {
	*Service
	t          testing.TB
	dir        string
	now        time.Time
	alice, bob *attest.Key
}

func newHouse(t testing.TB, change ...func(*Config)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), now: start}
	trust := must(approval.InitTrust(t.Context(), filepath.Join(h.dir, "trust"), registryID, start))(t)
	h.alice, h.bob = must(attest.GenerateKey())(t), must(attest.GenerateKey())(t)
	next := trust.Next()
	a, b := approval.NewKey(h.alice.Public()), approval.NewKey(h.bob.Public())
	next.Voters = []approval.Voter{{Name: "alice", Key: &a}, {Name: "bob", Key: &b}}
	h.install(next, h.key(approval.ApprovalKeyFile))
	h.open(change...)
	return h
}

func (h *house) install(trust *approval.Trust, signers ...attest.Signer) {
	h.t.Helper()
	h.write(approval.TrustFile, must(trust.Sign(h.t.Context(), signers...))(h.t))
}

func (h *house) write(name string, b []byte) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, "trust", name), b, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) key(name string) *attest.Key {
	h.t.Helper()
	return must(attest.LoadKey(filepath.Join(h.dir, "trust", name)))(h.t)
}

// open starts the signer, again after the first time.
func (h *house) open(change ...func(*Config)) {
	h.t.Helper()
	log := must(audit.Open(filepath.Join(h.t.TempDir(), "audit"), audit.Options{}))(h.t)
	h.t.Cleanup(func() { log.Close() })
	c := Config{Dir: h.dir, Audit: log, Now: func() time.Time { return h.now }}
	for _, f := range change {
		f(&c)
	}
	h.Service = must(Open(c))(h.t)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var subjects = approval.Subjects{Artifact: sum("artifact"), SBOM: sum("sbom")}

func sum(s string) string {
	d := sha256.Sum256([]byte(s))
	return hex.EncodeToString(d[:])
}

// predicate is what a registry makes of the capture.
func (h *house) predicate(version string) *approval.Predicate {
	h.t.Helper()
	c := must(listing.ParseCapture([]byte(capture)))(h.t)
	p := &approval.Predicate{
		Registry: registryID, Tenant: tenant, Server: "io.example/weather", Version: version, Alias: "weather", Tier: approval.TierHigh,
		Publisher: "carol", Binding: approval.BindingEndpoint, Launch: approval.Launch{URL: "https://weather.example/mcp"},
		Roots: map[string]fingerprint.Digest{}, Annotations: approval.Annotations(c.Listings),
		NotBefore: h.now, Expires: h.now.AddDate(0, 0, 90),
	}
	for i := range c.Listings {
		set := must(fingerprint.OfListing(&c.Listings[i], nil))(h.t)
		era := string(c.Listings[i].Era)
		p.Roots[era] = set.Root
		for _, e := range set.Entries {
			p.Entries = append(p.Entries, approval.Entry{Era: era, Kind: e.Kind.String(), Key: e.Key, Whole: e.Whole, Behavioural: e.Behavioural})
		}
	}
	return p
}

// voted adds the reviewers' votes.
func (h *house) voted(p *approval.Predicate, voters ...*attest.Key) *approval.Predicate {
	h.t.Helper()
	subject := must(approval.SubjectDigest(p, subjects))(h.t)
	for _, k := range voters {
		statement := must(approval.BuildVote(approval.Vote{
			Registry: p.Registry, Tenant: p.Tenant, Server: p.Server, Version: p.Version, Decision: approval.VoteApprove, At: h.now, Subject: subject,
		}))(h.t)
		p.Votes = append(p.Votes, jsontext.Value(must(k.Sign(h.t.Context(), statement))(h.t)))
	}
	return p
}

// statement lets a key that nobody trusts sign, to have the bytes.
func (h *house) statement(sign func(attest.Signer) error) []byte {
	h.t.Helper()
	r := &recorder{}
	if err := sign(r); err != nil && r.statement == nil {
		h.t.Fatal(err)
	}
	return r.statement
}

type recorder struct{ statement []byte }

func (r *recorder) KeyID() string { return "" }
func (r *recorder) Sign(_ context.Context, statement []byte) ([]byte, error) {
	r.statement = statement
	return []byte("{}"), nil
}

func (h *house) approvalOf(p *approval.Predicate) []byte {
	h.t.Helper()
	return h.statement(func(s attest.Signer) error { _, _, err := approval.Sign(h.t.Context(), s, p, subjects); return err })
}

func (h *house) snapshotOf(sequence uint64, digests ...string) []byte {
	h.t.Helper()
	return h.statement(func(s attest.Signer) error {
		_, err := approval.SignSnapshot(h.t.Context(), s, &approval.Snapshot{
			Registry: registryID, Tenant: tenant, Sequence: sequence, Issued: h.now, Expires: h.now.Add(time.Minute), Approvals: digests,
		})
		return err
	})
}

// approve has a version signed; the digest names it in snapshots.
func (h *house) approve(version string) string {
	h.t.Helper()
	p := h.voted(h.predicate(version), h.alice, h.bob)
	bundle := must(h.Sign(h.t.Context(), RoleApproval, h.approvalOf(p), [][]byte{[]byte(capture)}))(h.t)
	return hexDigest(bundle)
}

func clone(p *approval.Predicate) *approval.Predicate {
	c := *p
	c.Entries, c.Roots = append([]approval.Entry(nil), p.Entries...), maps.Clone(p.Roots)
	return &c
}
