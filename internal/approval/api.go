package approval

import (
	"context"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/go-json-experiment/json/jsontext"
)

// SubjectDigest is what reviewers vote about.
func SubjectDigest(p *Predicate, s Subjects) (string, error) { return "", ErrMalformed }

// Sign signs an approval; digest is its name in snapshots.
func Sign(ctx context.Context, signer attest.Signer, p *Predicate, s Subjects) (bundle []byte, digest string, err error) {
	return nil, "", ErrMalformed
}

// Verify verifies an approval.
func Verify(bundle []byte, t *Trust, now time.Time) (*Approval, error) { return nil, ErrMalformed }

// Vote is a reviewer's decision.
type Vote struct {
	Tenant, Server, Version, Subject string
	Voter                            string
	At                               time.Time
}

// BuildVote writes the statement that a reviewer signs.
func BuildVote(v Vote) ([]byte, error) { return nil, ErrMalformed }

// VerifyVote verifies a vote by a registered reviewer over subject.
func VerifyVote(bundle []byte, t *Trust, subject string) (*Vote, error) { return nil, ErrMalformed }

// Snapshot lists the approvals in force.
type Snapshot struct {
	Registry  string    `json:"registry"`
	Tenant    string    `json:"tenant"`
	Sequence  uint64    `json:"sequence"`
	Issued    time.Time `json:"issued"`
	Expires   time.Time `json:"expires"`
	Approvals []string  `json:"approvals"`
}

// SignSnapshot signs a snapshot.
func SignSnapshot(ctx context.Context, signer attest.Signer, s *Snapshot) ([]byte, error) {
	return nil, ErrMalformed
}

// VerifySnapshot verifies a snapshot.
func VerifySnapshot(bundle []byte, t *Trust, tenant string, now time.Time) (*Snapshot, error) {
	return nil, ErrMalformed
}

// Key is a public key of the trust document.
type Key struct {
	ID  string `json:"id"`
	PEM string `json:"publicKey"`
}

// Voter is a registered reviewer: exactly one of Key and Identity.
type Voter struct {
	Name     string           `json:"name"`
	Key      *Key             `json:"key,omitempty"`
	Identity *attest.Identity `json:"identity,omitempty"`
	Groups   []string         `json:"groups,omitempty"`
}

// Tier is how many votes a risk tier needs.
type Tier struct {
	Votes        int  `json:"votes"`
	Groups       int  `json:"groups,omitempty"`
	SessionVotes bool `json:"sessionVotes"`
}

// Tiers that InitTrust writes.
const (
	TierLow      = "low"
	TierStandard = "standard"
	TierHigh     = "high"
)

// Trust is the trust document.
type Trust struct {
	Version      int             `json:"version"`
	Registry     string          `json:"registry"`
	ApprovalKeys []Key           `json:"approvalKeys"`
	SnapshotKeys []Key           `json:"snapshotKeys"`
	LogKeys      []Key           `json:"logKeys"`
	Voters       []Voter         `json:"voters"`
	Threshold    int             `json:"threshold"`
	Tiers        map[string]Tier `json:"tiers"`
	TrustedRoot  jsontext.Value  `json:"trustedRoot,omitempty"`
	Expires      time.Time       `json:"expires"`
}

// Sign writes the signed envelope file.
func (t *Trust) Sign(ctx context.Context, signers ...attest.Signer) ([]byte, error) {
	return nil, ErrTrust
}

// Next is a copy with the next version number.
func (t *Trust) Next() *Trust { return nil }

// ParseTrust reads an envelope.
func ParseTrust(b []byte) (*Trust, error) { return nil, ErrTrust }

// LoadTrust reads an envelope file.
func LoadTrust(path string) (*Trust, error) { return nil, ErrTrust }

// VerifyNext accepts version n+1.
func (t *Trust) VerifyNext(next []byte) (*Trust, error) { return nil, ErrTrust }

// Files that InitTrust makes under its directory.
const (
	TrustFile       = "trust.json"
	ApprovalKeyFile = "approval.key"
	SnapshotKeyFile = "snapshot.key"
	LogKeyFile      = "log.key"
)

// InitTrust makes keys and trust.json under dir if absent, owner-only.
func InitTrust(ctx context.Context, dir, registry string, now time.Time) (*Trust, error) {
	return nil, ErrTrust
}

// Source is where a Keeper gets its documents.
type Source interface {
	Snapshot(ctx context.Context) ([]byte, error)
	Approval(ctx context.Context, digest string) ([]byte, error)
}

// KeeperConfig configures a Keeper.
type KeeperConfig struct {
	TrustPath, StateDir string
	Tenant              string // default DefaultTenant
	Source              Source
	Grace               time.Duration // default DefaultGrace; negative: none
	Interval            time.Duration // of Run; default DefaultInterval
	MinBinding          Binding
	Now                 func() time.Time
	OnEvent             func(context.Context, KeeperEvent)
}

// KeeperEvent is something that an operator must be able to see.
type KeeperEvent struct {
	Kind            string
	Sequence        uint64
	Digest          string
	Server, Version string
	Err             error
}

// Keeper follows a Source.
type Keeper struct{}

// NewKeeper loads trust and state.
func NewKeeper(ctx context.Context, c KeeperConfig) (*Keeper, error) { return nil, ErrState }

// Refresh asks the source now.
func (k *Keeper) Refresh(ctx context.Context) error { return ErrSource }

// Run refreshes until the context ends.
func (k *Keeper) Run(ctx context.Context) {}

// Notify wakes Run.
func (k *Keeper) Notify() {}

// Find gives the newest approved version in force.
func (k *Keeper) Find(server string) (*Approval, error) { return nil, ErrNotApproved }

// FindVersion gives one approved version in force.
func (k *Keeper) FindVersion(server, version string) (*Approval, error) { return nil, ErrNotApproved }

// All gives the newest approved version of every server.
func (k *Keeper) All() []*Approval { return nil }

// Trust is the accepted trust document.
func (k *Keeper) Trust() *Trust { return nil }

func canonicalDigest(v any) (fingerprint.Digest, error) { return fingerprint.Digest{}, ErrMalformed }
func sortedSet(s []string) []string                     { return s }
func isHex256(s string) bool                            { return false }
