package approval

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Key is a public key of the trust document. ID is the hex SHA-256 of its
// SubjectPublicKeyInfo.
type Key struct {
	ID  string `json:"id"`
	PEM string `json:"publicKey"`
}

// NewKey describes a public key.
func NewKey(p *attest.PublicKey) Key { return Key{ID: p.ID(), PEM: string(p.PEM())} }

// Voter is a registered reviewer, known by exactly one of Key and Identity.
// Name is the reviewer's principal name: one name has one vote.
type Voter struct {
	Name     string           `json:"name"`
	Key      *Key             `json:"key,omitempty"`
	Identity *attest.Identity `json:"identity,omitempty"`
	Groups   []string         `json:"groups,omitempty"`
}

// Tier says how many votes a server of this risk tier needs, from how many
// different groups (0 or 1: no matter which), and whether votes without a key
// count.
type Tier struct {
	Votes        int  `json:"votes"`
	Groups       int  `json:"groups,omitzero"`
	SessionVotes bool `json:"sessionVotes"`
}

// Tiers of a new trust document.
const (
	TierLow      = "low"
	TierStandard = "standard"
	TierHigh     = "high"
)

// DefaultTiers: one vote, by session where the risk is not high; two people
// with keys where it is.
func DefaultTiers() map[string]Tier {
	return map[string]Tier{
		TierLow:      {Votes: 1, SessionVotes: true},
		TierStandard: {Votes: 1, SessionVotes: true},
		TierHigh:     {Votes: 2},
	}
}

// Trust says whose signatures count for one registry. A Trust that was parsed
// is not changed; Next gives a copy to change.
type Trust struct {
	Version      int             `json:"version"`
	Registry     string          `json:"registry"`
	ApprovalKeys []Key           `json:"approvalKeys"`
	SnapshotKeys []Key           `json:"snapshotKeys"`
	LogKeys      []Key           `json:"logKeys"`
	Voters       []Voter         `json:"voters"`
	Threshold    int             `json:"threshold"` // approval keys that must sign a trust document
	Tiers        map[string]Tier `json:"tiers"`
	// TrustedRoot is a Sigstore trusted_root.json; needed when a voter is known
	// by identity.
	TrustedRoot jsontext.Value `json:"trustedRoot,omitempty"`
	Expires     time.Time      `json:"expires"`

	roles *roles
}

// NewTrust describes version 1 with the default tiers and threshold 1, not yet
// signed.
func NewTrust(registry string, approval, snapshot, log []*attest.PublicKey, expires time.Time) *Trust {
	keys := func(in []*attest.PublicKey) []Key {
		out := make([]Key, len(in))
		for i, p := range in {
			out[i] = NewKey(p)
		}
		return out
	}
	return &Trust{
		Version: 1, Registry: registry, Threshold: 1, Tiers: DefaultTiers(),
		ApprovalKeys: keys(approval), SnapshotKeys: keys(snapshot), LogKeys: keys(log),
		Voters: []Voter{}, Expires: expires.UTC().Truncate(time.Second),
	}
}

// Next is a copy with the next version number, to be changed and signed.
func (t *Trust) Next() *Trust {
	n := *t
	n.roles = nil
	n.Version++
	n.ApprovalKeys, n.SnapshotKeys, n.LogKeys = slices.Clone(t.ApprovalKeys), slices.Clone(t.SnapshotKeys), slices.Clone(t.LogKeys)
	n.Voters, n.Tiers, n.TrustedRoot = slices.Clone(t.Voters), maps.Clone(t.Tiers), slices.Clone(t.TrustedRoot)
	return &n
}

// Expired returns ErrTrustExpired when the document's time is over.
func (t *Trust) Expired(now time.Time) error {
	if !now.Before(t.Expires) {
		return fmt.Errorf("%w: at %s", ErrTrustExpired, t.Expires.Format(time.RFC3339))
	}
	return nil
}
