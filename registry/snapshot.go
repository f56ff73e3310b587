package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/audit"
)

// snapshots signs what is in force. The database proposes; the approval
// bundles and the anchor decide. An anchor is a file beside the signing keys
// with the last sequence and the digests that were withdrawn: whoever could
// edit it could sign anyway, and whoever edits the database can neither list
// an approval nor bring one back.
type snapshots struct {
	service *Service
	dir     string
	mu      sync.Mutex
	tenants map[string]*tenantSnapshot
}

type tenantSnapshot struct {
	anchor  anchor
	bundle  []byte // the last one signed; nil after a withdrawal that it does not show
	listed  []string
	listing map[[2]string]string // digest in force by server and version; replaced, never changed
	issued  time.Time
	trusted map[string]*approval.Approval // verified bundles, by digest
	version int                           // of the trust document that verified them
}

// anchor is the file.
type anchor struct {
	Tenant    string   `json:"tenant"`
	Sequence  uint64   `json:"sequence"`
	Withdrawn []string `json:"withdrawn"` // hex digests of approval bundles, sorted
}

// open reads the anchors.
func (n *snapshots) open(dir string) error {
	n.dir, n.tenants = dir, map[string]*tenantSnapshot{}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	return nil
}

// tenant returns the state of a tenant; its anchor is read once. A damaged
// anchor is an error, never a fresh start: that would bring back what was
// withdrawn.
func (n *snapshots) tenant(tenant string) (*tenantSnapshot, error) {
	if t := n.tenants[tenant]; t != nil {
		return t, nil
	}
	t := &tenantSnapshot{anchor: anchor{Tenant: tenant}, trusted: map[string]*approval.Approval{}}
	b, err := os.ReadFile(n.path(tenant))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("registry: read snapshot anchor: %w", err)
	default:
		if err := json.Unmarshal(b, &t.anchor, json.RejectUnknownMembers(true)); err != nil || t.anchor.Tenant != tenant {
			return nil, refuse(ErrUnavailable, RefusedSigning, "the snapshot anchor is damaged; restore it from a backup")
		}
	}
	n.tenants[tenant] = t
	return t, nil
}

// path never holds a tenant's name: names are not file names.
func (n *snapshots) path(tenant string) string {
	sum := sha256.Sum256([]byte(tenant))
	return filepath.Join(n.dir, hex.EncodeToString(sum[:16])+".json")
}

// admit puts approvals in force: it forgets withdrawals and signs anew.
func (n *snapshots) admit(ctx context.Context, tenant string, digests ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, err := n.tenant(tenant)
	if err != nil {
		return err
	}
	t.anchor.Withdrawn = slices.DeleteFunc(t.anchor.Withdrawn, func(d string) bool { return slices.Contains(digests, d) })
	return n.sign(ctx, t, true)
}

// withdraw takes approvals out of force for good, whatever the database says.
func (n *snapshots) withdraw(ctx context.Context, tenant string, digests ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, err := n.tenant(tenant)
	if err != nil {
		return err
	}
	t.anchor.Withdrawn = append(t.anchor.Withdrawn, digests...)
	slices.Sort(t.anchor.Withdrawn)
	t.anchor.Withdrawn = slices.Compact(t.anchor.Withdrawn)
	// From here on it is out of force, even if nothing below succeeds.
	t.bundle = nil
	if err := n.write(t.anchor); err != nil {
		return err
	}
	return n.sign(ctx, t, true)
}

// issue signs a fresh snapshot although nothing changed.
func (n *snapshots) issue(ctx context.Context, tenant string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, err := n.tenant(tenant)
	if err != nil {
		return err
	}
	return n.sign(ctx, t, false)
}

// current is the last snapshot, signed anew when half its life is over.
func (n *snapshots) current(ctx context.Context, tenant string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, err := n.tenant(tenant)
	if err != nil {
		return nil, err
	}
	if age := n.service.Now().Sub(t.issued); t.bundle == nil || age < 0 || age >= approval.SnapshotEvery {
		if err := n.sign(ctx, t, false); err != nil {
			return nil, err
		}
	}
	return slices.Clone(t.bundle), nil
}

// sign verifies everything that the database calls approved, writes the anchor,
// signs, and tells the followers if the list changed.
func (n *snapshots) sign(ctx context.Context, t *tenantSnapshot, changed bool) error {
	s := n.service
	trust, err := s.trust()
	if err != nil {
		return err
	}
	listing, err := n.inForce(ctx, t, trust)
	if err != nil {
		return err
	}
	listed := slices.AppendSeq(make([]string, 0, len(listing)), maps.Values(listing))
	slices.Sort(listed)
	t.anchor.Sequence++
	if err := n.write(t.anchor); err != nil {
		return err
	}
	now := s.Now().UTC()
	bundle, err := approval.SignSnapshot(ctx, s.SnapshotSigner, &approval.Snapshot{
		Registry: trust.Registry, Tenant: t.anchor.Tenant, Sequence: t.anchor.Sequence,
		Issued: now, Expires: now.Add(approval.SnapshotLife), Approvals: listed,
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "sign snapshot", "tenant", t.anchor.Tenant, "error", err)
		return refuse(ErrUnavailable, RefusedSigning, "the snapshot cannot be signed now")
	}
	t.bundle, t.issued, t.listed, t.listing = bundle, now, listed, listing
	if !changed {
		return nil
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		return s.feed.add(ctx, tx, t.anchor.Tenant, FeedSnapshot, fmt.Sprint(t.anchor.Sequence), now)
	})
	s.feed.wake()
	return err
}

// inForce lists the approvals whose bundles verify now, speak of the row that
// names them, and were neither withdrawn nor deleted by their publisher.
func (n *snapshots) inForce(ctx context.Context, t *tenantSnapshot, trust *approval.Trust) (map[[2]string]string, error) {
	s := n.service
	if t.version != trust.Version {
		t.trusted, t.version = map[string]*approval.Approval{}, trust.Version
	}
	rows, err := s.approvedRows(ctx, t.anchor.Tenant, ` AND status <> 'deleted'`)
	if err != nil {
		return nil, err
	}
	withdrawn := map[string]bool{}
	for _, digest := range t.anchor.Withdrawn {
		withdrawn[digest] = true
	}
	listing := map[[2]string]string{}
	for _, row := range rows {
		if digest := hexDigest(row.approval); !withdrawn[digest] && n.authentic(ctx, t, row) {
			listing[[2]string{row.name, row.version}] = digest
		}
	}
	return listing, nil
}

// authentic reports whether the approval that a row names verifies now and
// speaks of that row.
func (n *snapshots) authentic(ctx context.Context, t *tenantSnapshot, row publicRow) bool {
	s, digest := n.service, hexDigest(row.approval)
	v := &version{Tenant: t.anchor.Tenant, Version: admission.Version{Name: row.name, Version: row.version, Approval: row.approval}}
	if a := t.trusted[digest]; a != nil && a.InForce(s.Now()) == nil && speaksOf(a, v) {
		return true
	}
	a, err := n.verify(ctx, v)
	if err != nil {
		s.Logger.WarnContext(ctx, "row without a valid approval is not listed", "server", v.Name, "version", v.Version.Version, "error", err)
		return false
	}
	t.trusted[digest] = a
	return true
}

// verify loads and verifies the approval that a row names.
func (n *snapshots) verify(ctx context.Context, v *version) (*approval.Approval, error) {
	trust, err := n.service.trust()
	if err != nil {
		return nil, err
	}
	bundle, err := n.service.get(ctx, v.Approval, approval.MaxApproval)
	if err != nil {
		return nil, err
	}
	a, err := approval.Verify(bundle, trust, n.service.Now())
	if err != nil {
		return nil, err
	}
	if !speaksOf(a, v) {
		return nil, approval.ErrSubject
	}
	return a, n.service.introduce(ctx, bundle)
}

func speaksOf(a *approval.Approval, v *version) bool {
	return a.Tenant == v.Tenant && a.Server == v.Name && a.Version == v.Version.Version && a.Digest == hexDigest(v.Approval)
}

// inForceNow are the digests of the approvals of the last snapshot, by server
// and version.
func (n *snapshots) inForceNow(ctx context.Context, tenant string) (map[[2]string]string, error) {
	if _, err := n.current(ctx, tenant); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tenants[tenant].listing, nil
}

// deletedAuthentic reports whether a row that its publisher deleted was really
// approved: an edited row is not shown even as that.
func (n *snapshots) deletedAuthentic(ctx context.Context, tenant string, row publicRow) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, err := n.tenant(tenant)
	return err == nil && n.authentic(ctx, t, row)
}

// reconcile quarantines, at start, the rows whose approval was withdrawn: a
// crash came between the two, or somebody edited the row. Where the publisher
// withdrew it the row says so.
func (n *snapshots) reconcile(ctx context.Context, tenant string) error {
	s := n.service
	n.mu.Lock()
	t, err := n.tenant(tenant)
	n.mu.Unlock()
	if err != nil {
		return err
	}
	for _, digest := range t.anchor.Withdrawn {
		var rows []*version
		err := s.view(ctx, func(tx *sql.Tx) (err error) {
			rows, err = queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND approval = $2 AND state = 'approved' AND status <> 'deleted'`, tenant, "sha256:"+digest)
			return err
		})
		if err != nil {
			return err
		}
		for _, next := range rows {
			next.Version.State, next.Updated = admission.Quarantined, s.Now().UTC()
			next.Reasons = []admission.Reason{{Code: admission.ReasonOperator, Detail: "its approval was withdrawn"}}
			if err := s.record(ctx, audit.Quarantined(s.change(audit.Origin{}, next))); err != nil {
				return err
			}
			if err := s.move(ctx, next, admission.Approved, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// write replaces the anchor by a complete, synced file.
func (n *snapshots) write(a anchor) error {
	b, err := json.Marshal(a, json.Deterministic(true))
	if err != nil {
		return err
	}
	if err := atomicfile.Write(n.path(a.Tenant), b); err != nil {
		return classifyFile(err)
	}
	return nil
}

// TenantSource is one tenant's approval.Source in the same process.
type TenantSource struct {
	service *Service
	tenant  string
}

// Source follows one tenant.
func (s *Service) Source(tenant string) TenantSource { return TenantSource{s, tenant} }

// Snapshot returns the signed snapshot in force.
func (t TenantSource) Snapshot(ctx context.Context) ([]byte, error) {
	return t.service.snapshots.current(ctx, t.tenant)
}

// Approval returns an approval bundle of the tenant by the hex SHA-256 of its
// bytes.
func (t TenantSource) Approval(ctx context.Context, digest string) ([]byte, error) {
	full := "sha256:" + hexDigest(digest)
	err := t.service.view(ctx, func(tx *sql.Tx) error {
		var found string
		return absent(tx.QueryRowContext(ctx, `SELECT approval FROM versions WHERE tenant = $1 AND approval = $2`, t.tenant, full).Scan(&found), "approval")
	})
	if err != nil {
		return nil, err
	}
	return t.service.get(ctx, full, approval.MaxApproval)
}
