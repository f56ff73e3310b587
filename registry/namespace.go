package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// AddSigner lets a key or a certificate identity sign for a namespace. Who
// publishes does not choose who vouches for it: this needs the role admin.
func (s *Service) AddSigner(ctx context.Context, by audit.Origin, signer admission.NamespaceSigner) (*admission.NamespaceSigner, error) {
	if !by.Caller.HasRole(identity.RoleAdmin) {
		return nil, refuse(ErrForbidden, RefusedRole, "signers of a namespace are set by an admin")
	}
	if !serverjson.ValidNamespace(signer.Namespace) {
		return nil, refuse(ErrInvalid, RefusedSigner, "the namespace must be reverse DNS (io.github.acme)")
	}
	switch hasKey, hasIdentity := signer.PublicKey != "", signer.Issuer != "" || signer.SubjectLike != ""; {
	case !hasIdentity && (signer.SourceRepository != "" || signer.Builder != ""):
		return nil, refuse(ErrInvalid, RefusedSigner, "a source repository or builder is demanded of an identity, not of a key")
	case hasKey == hasIdentity:
		return nil, refuse(ErrInvalid, RefusedSigner, "a signer is a public key, or an issuer with a subject pattern")
	case hasKey:
		key, err := attest.ParsePublicKey([]byte(signer.PublicKey))
		if err != nil {
			return nil, refuse(ErrInvalid, RefusedSigner, "the public key cannot be used")
		}
		signer.ID, signer.PublicKey = key.ID(), string(key.PEM())
	default:
		root, err := s.trustedRoot()
		if err != nil {
			return nil, err
		}
		if root == nil {
			return nil, refuse(ErrInvalid, RefusedSigner, "signing by identity needs a trusted root file in this registry")
		}
		if err := identityOf(signer).Validate(); err != nil {
			return nil, refuse(ErrInvalid, RefusedSigner, "the issuer, subject pattern, source repository or builder cannot be used")
		}
		signer.ID = identityID(signer)
	}
	signer.AddedBy, signer.Added = by.Caller.Principal, s.Now().UTC()
	record, err := json.Marshal(signer, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, audit.SignersChanged(by, signer.Namespace, signer.ID)); err != nil {
		return nil, err
	}
	return &signer, s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO signers (tenant, id, namespace, record, added) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant, namespace, id) DO UPDATE SET record = excluded.record, added = excluded.added`,
			by.Caller.Tenant, signer.ID, signer.Namespace, record, store.Millis(signer.Added))
		return err
	})
}

func identityOf(s admission.NamespaceSigner) attest.Identity {
	return attest.Identity{Issuer: s.Issuer, SANRegex: s.SubjectLike, SourceRepository: s.SourceRepository, Builder: s.Builder}
}

// identityID names an identity by what it demands.
func identityID(s admission.NamespaceSigner) string {
	parts := []string{s.Issuer, s.SubjectLike}
	if s.SourceRepository != "" || s.Builder != "" {
		parts = append(parts, s.SourceRepository, s.Builder)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// RemoveSigner takes a signer off a namespace. What was approved stays so.
func (s *Service) RemoveSigner(ctx context.Context, by audit.Origin, namespace, id string) error {
	if !by.Caller.HasRole(identity.RoleAdmin) {
		return refuse(ErrForbidden, RefusedRole, "signers of a namespace are set by an admin")
	}
	signers, err := s.Signers(ctx, by.Caller.Tenant, namespace)
	if err != nil {
		return err
	}
	for _, signer := range signers {
		if signer.ID != id {
			continue
		}
		if err := s.record(ctx, audit.SignersChanged(by, namespace, id)); err != nil {
			return err
		}
		return s.tx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM signers WHERE tenant = $1 AND namespace = $2 AND id = $3`, by.Caller.Tenant, namespace, id)
			return err
		})
	}
	return notFound("signer")
}

// Signers lists who may sign for a namespace.
func (s *Service) Signers(ctx context.Context, tenant, namespace string) ([]admission.NamespaceSigner, error) {
	all := []admission.NamespaceSigner{}
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT record FROM signers WHERE tenant = $1 AND namespace = $2 ORDER BY added, id`, tenant, namespace)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var record []byte
			var signer admission.NamespaceSigner
			if err := rows.Scan(&record); err != nil {
				return err
			}
			if err := json.Unmarshal(record, &signer); err != nil {
				return err
			}
			all = append(all, signer)
		}
		return rows.Err()
	})
	return all, err
}

// policy is whose signature counts for a namespace.
func (s *Service) policy(ctx context.Context, tenant, namespace string) (attest.Policy, error) {
	signers, err := s.Signers(ctx, tenant, namespace)
	if err != nil {
		return attest.Policy{}, err
	}
	root, err := s.trustedRoot()
	if err != nil {
		return attest.Policy{}, err
	}
	policy := attest.Policy{Root: root}
	for _, signer := range signers {
		if signer.PublicKey == "" {
			policy.Identities = append(policy.Identities, identityOf(signer))
			continue
		}
		key, err := attest.ParsePublicKey([]byte(signer.PublicKey))
		if err != nil {
			return attest.Policy{}, err
		}
		policy.Keys = append(policy.Keys, key)
	}
	return policy, nil
}
