package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// house is one registry on disk that can be closed and opened again.
type house struct {
	*Service
	t         testing.TB
	dir       string
	auditPath string
	scanners  *engine.Live
	options   []store.Option
	roots     *attest.Roots
	supply    Supply
	now       time.Time
	publisher *attest.Key // signs for io.github.acme
	voter     *attest.Key // registered as "vera"
}

var (
	admin = origin("default", "root", identity.RoleAdmin)
	alice = origin("default", "alice", identity.RolePublisher)
	bob   = origin("default", "bob", identity.RoleReviewer)
)

func origin(tenant, principal string, roles ...string) audit.Origin {
	return audit.Origin{Caller: identity.Caller{Tenant: tenant, Principal: principal, Kind: identity.KindUser, Roles: roles, Namespaces: []string{"io.github.acme"}}}
}

func newHouse(t testing.TB, change ...func(*house)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), now: time.Now().UTC().Truncate(time.Second)}
	h.auditPath = filepath.Join(h.dir, "audit")
	for _, c := range change {
		c(h)
	}
	trust, err := approval.InitTrust(t.Context(), filepath.Join(h.dir, "trust"), "registry.test", h.now)
	h.must(err)
	h.publisher, h.voter = h.key(), h.key()
	next := trust.Next()
	voterKey := approval.NewKey(h.voter.Public())
	next.Voters = []approval.Voter{{Name: "vera", Key: &voterKey}}
	signer := h.load(approval.ApprovalKeyFile)
	file, err := next.Sign(t.Context(), signer)
	h.must(err)
	h.must(os.WriteFile(filepath.Join(h.dir, "trust", approval.TrustFile), file, 0o600))
	h.must(h.key().Save(filepath.Join(h.dir, "trust", "sbom.key")))
	h.open()
	_, err = h.AddSigner(t.Context(), admin, admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: string(h.publisher.Public().PEM())})
	h.must(err)
	return h
}

func (h *house) open() {
	h.t.Helper()
	blobs, err := blob.Open(filepath.Join(h.dir, "blobs"))
	h.must(err)
	log, err := audit.Open(h.auditPath, audit.Options{Feature: "registry"})
	h.must(err)
	s, err := Open(h.t.Context(), Config{
		DataDir: h.dir, Blobs: blobs, Audit: log, TrustPath: filepath.Join(h.dir, "trust", approval.TrustFile),
		ApprovalSigner: h.load(approval.ApprovalKeyFile), SnapshotSigner: h.load(approval.SnapshotKeyFile), SBOMSigner: h.load("sbom.key"),
		Scanners: h.scanners, TrustedRoots: h.roots, Supply: h.supply, Now: func() time.Time { return h.now },
	}, h.options...)
	h.must(err)
	h.Service = s
	h.t.Cleanup(func() { s.Close(); log.Close(); blobs.Close() })
}

// reopen stands for the start after the process died.
func (h *house) reopen() {
	h.t.Helper()
	h.Service.Close()
	h.Service.Audit.Close()
	h.open()
}

func (h *house) load(file string) *attest.Key {
	h.t.Helper()
	k, err := attest.LoadKey(filepath.Join(h.dir, "trust", file))
	h.must(err)
	return k
}

func (h *house) key() *attest.Key {
	h.t.Helper()
	k, err := attest.GenerateKey()
	h.must(err)
	return k
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// trustDocument loads what is in force.
func (h *house) trustDocument() *approval.Trust {
	h.t.Helper()
	t, err := approval.LoadTrust(h.TrustPath)
	h.must(err)
	return t
}

const serverJSON = `{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json","name":"io.github.acme/%s","description":"Weather for tests","version":"%s","repository":{"url":"https://example.com/acme/weather","source":"git"},"packages":[{"registryType":"npm","identifier":"@acme/weather","version":"1.0.0","transport":{"type":"stdio"}}]}`

const toolList = `{"tools":[{"name":"get_forecast","description":"%s","inputSchema":{"type":"object","properties":{"city":{"type":"string","description":"Name of the city"}}},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}},{"name":"list_cities","description":"Lists the cities","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}]}`

// artifact is a small npm package with a lockfile; every version differs.
func artifact(t testing.TB, version string) []byte {
	t.Helper()
	return tarOf(t, map[string]string{
		"package/package.json":      `{"name":"@acme/weather","version":"` + version + `","license":"Apache-2.0"}`,
		"package/package-lock.json": `{"name":"@acme/weather","version":"` + version + `","lockfileVersion":3,"requires":true,"packages":{"":{"name":"@acme/weather","version":"` + version + `","license":"Apache-2.0"}}}`,
		"package/index.js":          "console.log('weather')\n",
	})
}

func tarOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// submission is an honest one, signed by signer unless that is nil.
func (h *house) submission(name, version string, signer *attest.Key) Submission {
	h.t.Helper()
	digest, err := h.StoreArtifact(h.t.Context(), bytes.NewReader(artifact(h.t, version)))
	h.must(err)
	sub := Submission{
		ServerJSON: fmt.Appendf(nil, serverJSON, name, version),
		Artifact:   digest,
		Listing:    fmt.Appendf(nil, toolList, "Gets the weather forecast"),
		Options:    PublishOptions{Launch: admission.Launch{Command: []string{"node", "index.js"}}, Scopes: []string{}},
	}
	if signer != nil {
		sub.Bundles = [][]byte{h.sign(signer, hexDigest(digest))}
	}
	return sub
}

// sign makes a publisher's bundle over a SHA-256.
func (h *house) sign(signer *attest.Key, sha string) []byte {
	h.t.Helper()
	st := attest.Statement{Subjects: []attest.Subject{{Name: "artifact", Digest: map[string]string{"sha256": sha}}}, PredicateType: attest.PredicatePublish, Predicate: []byte(`{}`)}
	b, err := st.Marshal()
	h.must(err)
	bundle, err := signer.Sign(h.t.Context(), b)
	h.must(err)
	return bundle
}

func (h *house) publish(name, version string) *admission.Version {
	h.t.Helper()
	v, err := h.Publish(h.t.Context(), alice, h.submission(name, version, h.publisher))
	h.must(err)
	return v
}

// complete answers and waives what still blocks, but for the votes.
func (h *house) complete(review string) *admission.Review {
	h.t.Helper()
	r, err := h.Review(h.t.Context(), "default", review)
	h.must(err)
	for _, item := range r.Items {
		if !item.Blocks(h.now) {
			continue
		}
		result, expires := admission.Pass, time.Time{}
		if item.Result == admission.Fail || item.Result == admission.Waived {
			result, expires = admission.Waived, h.now.Add(24*time.Hour)
		}
		_, err := h.Answer(h.t.Context(), bob, review, item.Code, result, "looked at it", expires)
		h.must(err)
	}
	r, err = h.Review(h.t.Context(), "default", review)
	h.must(err)
	return r
}

func (h *house) approve(v *admission.Version) *admission.Version {
	h.t.Helper()
	r := h.complete(v.Review)
	_, err := h.Vote(h.t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
	h.must(err)
	approved, err := h.Approve(h.t.Context(), bob, v.Review, r.Subject)
	h.must(err)
	return approved
}

// listed is what a gateway would believe now.
func (h *house) listed(tenant string) []string {
	h.t.Helper()
	b, err := h.Source(tenant).Snapshot(h.t.Context())
	h.must(err)
	snapshot, err := approval.VerifySnapshot(b, h.trustDocument(), tenant, h.now, 0)
	h.must(err)
	return snapshot.Approvals
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func reasons(v *admission.Version) string {
	var codes []string
	for _, r := range v.Reasons {
		codes = append(codes, r.Code)
	}
	return strings.Join(codes, " ")
}
