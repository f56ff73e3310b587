package registry

import (
	"context"
	"database/sql"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/ownership"
)

// Ownership is how publishers prove namespaces without an admin. The zero value
// takes no proofs.
type Ownership struct {
	Domains *ownership.Domains
	Tokens  *ownership.Tokens
	Tenant  string        // of the keys; "" is the default tenant
	KeyLife time.Duration // 0: DefaultProofKeyLife
}

// DefaultProofKeyLife is the life of a key that a proof is exchanged for: long
// enough for one publication and its status.
const DefaultProofKeyLife = time.Hour

// proofKeyKept is how long such a key is still listed after its end.
const proofKeyKept = 24 * time.Hour

// Exchange issues a publisher's key for exactly the namespaces that the proof
// is about. A proof is exchanged once.
func (s *Service) Exchange(ctx context.Context, source string, p *ownership.Proof) (token string, key *admission.APIKey, err error) {
	life := s.Ownership.KeyLife
	if life == 0 {
		life = DefaultProofKeyLife
	}
	token, record, err := identity.NewKey(identity.KeySpec{
		Tenant: s.Ownership.Tenant, Principal: p.Principal, Kind: identity.KindService,
		Roles: []string{identity.RolePublisher}, Namespaces: p.Namespaces, Lifetime: life,
	}, s.Now())
	if err != nil {
		return "", nil, err
	}
	if err := s.spend(ctx, record, p); err != nil {
		return "", nil, err
	}
	by := audit.Origin{Caller: identity.Caller{Tenant: record.Tenant, Principal: p.Principal, Kind: identity.KindService}, Source: source}
	if err := s.record(ctx, audit.KeyIssued(by, record)); err != nil {
		return "", nil, err
	}
	if err := s.writeKey(ctx, record); err != nil {
		return "", nil, err
	}
	return token, apiKey(record), nil
}

// spend marks a proof as exchanged, and forgets proofs and keys that are of no
// use any more. A proof stays spent though what follows may fail: the publisher
// makes another.
func (s *Service) spend(ctx context.Context, key identity.KeyRecord, p *ownership.Proof) error {
	until := key.Expires.Add(proofKeyKept)
	if p.Expires.After(until) {
		until = p.Expires
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		now := store.Millis(s.Now())
		for _, forget := range []string{
			`DELETE FROM api_keys WHERE tenant = $1 AND id IN (SELECT key_id FROM namespace_proofs WHERE tenant = $1 AND expires < $2)`,
			`DELETE FROM namespace_proofs WHERE tenant = $1 AND expires < $2`,
		} {
			if _, err := tx.ExecContext(ctx, forget, key.Tenant, now); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO namespace_proofs (tenant, digest, key_id, expires) VALUES ($1, $2, $3, $4)`, key.Tenant, p.ID, key.ID, store.Millis(until))
		return err
	})
	if store.IsUnique(err) {
		return refuse(ErrForbidden, RefusedProof, "this proof was exchanged before; make another")
	}
	return err
}
