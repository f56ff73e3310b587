package registry

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// Key implements identity.KeySource over all tenants: the id is what says
// which tenant a caller belongs to.
func (s *Service) Key(ctx context.Context, id string) (identity.KeyRecord, error) {
	var record []byte
	var tenant string
	var key identity.KeyRecord
	err := s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT tenant, record FROM api_keys WHERE id = $1`, id).Scan(&tenant, &record)
	})
	if errors.Is(err, ErrNotFound) {
		return key, identity.ErrUnknownKey
	}
	if err != nil {
		return key, err
	}
	err = json.Unmarshal(record, &key)
	key.ID, key.Tenant = id, tenant
	return key, err
}

// TenantKey is Key for a gateway: keys of other tenants do not exist.
func (s *Service) TenantKey(ctx context.Context, tenant, id string) (identity.KeyRecord, error) {
	key, err := s.Key(ctx, id)
	if errors.Is(err, identity.ErrUnknownKey) || err == nil && key.Tenant != tenant {
		return identity.KeyRecord{}, notFound("key")
	}
	return key, err
}

// IssueKey makes an API key. The token is returned once and kept nowhere. The
// key belongs to the tenant of whoever issues it; the zero Caller is the
// process itself.
func (s *Service) IssueKey(ctx context.Context, by audit.Origin, spec identity.KeySpec) (token string, shown *admission.APIKey, err error) {
	if by.Caller.Principal != "" {
		if !by.Caller.HasRole(identity.RoleAdmin) {
			return "", nil, refuse(ErrForbidden, RefusedRole, "keys are issued by an admin")
		}
		spec.Tenant = by.Caller.Tenant
	}
	token, key, err := identity.NewKey(spec, s.Now())
	if err != nil {
		return "", nil, refuse(ErrInvalid, RefusedKey, "%s", hostText(err, identity.ErrSpec))
	}
	if err := s.record(ctx, audit.KeyIssued(by, key)); err != nil {
		return "", nil, err
	}
	if err := s.writeKey(ctx, key); err != nil {
		return "", nil, err
	}
	return token, apiKey(key), nil
}

// FirstKey makes the key that an installation begins with; the process itself
// issues it. It is the one change that does not wait for its record, since
// without a key nobody could be told that the log cannot be written. The record
// is owed: no other change goes before it.
func (s *Service) FirstKey(ctx context.Context, spec identity.KeySpec) (token string, err error) {
	token, key, err := identity.NewKey(spec, s.Now())
	if err != nil {
		return "", err
	}
	s.owed.mu.Lock()
	s.owed.event = audit.KeyIssued(audit.Origin{}, key)
	s.owed.mu.Unlock()
	if err := s.settle(ctx); err != nil {
		s.Logger.ErrorContext(ctx, "the first key is issued while the audit log cannot be written", "error", err)
	}
	return token, s.writeKey(ctx, key)
}

// debt is the record of a change that was made before it could be written.
type debt struct {
	mu    sync.Mutex
	event *audit.Event
}

// settle writes the record that is owed, if one is.
func (s *Service) settle(ctx context.Context) error {
	s.owed.mu.Lock()
	defer s.owed.mu.Unlock()
	if s.owed.event == nil {
		return nil
	}
	_, err := s.Audit.Append(ctx, s.owed.event)
	if err == nil {
		s.owed.event = nil
	}
	return err
}

// RevokeKey ends a key at once. Revoking twice changes nothing.
func (s *Service) RevokeKey(ctx context.Context, by audit.Origin, id string) (*admission.APIKey, error) {
	if !by.Caller.HasRole(identity.RoleAdmin) {
		return nil, refuse(ErrForbidden, RefusedRole, "keys are revoked by an admin")
	}
	key, err := s.TenantKey(ctx, by.Caller.Tenant, id)
	if err != nil {
		return nil, err
	}
	if key.Revoked != nil {
		return apiKey(key), nil
	}
	now := s.Now().UTC()
	key.Revoked = &now
	if err := s.record(ctx, audit.KeyRevoked(by, key)); err != nil {
		return nil, err
	}
	return apiKey(key), s.writeKey(ctx, key)
}

func (s *Service) writeKey(ctx context.Context, key identity.KeyRecord) error {
	record, err := json.Marshal(key, json.Deterministic(true))
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		// A key never moves to another tenant.
		if _, err := tx.ExecContext(ctx, `INSERT INTO api_keys (tenant, id, record, created) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET record = excluded.record WHERE api_keys.tenant = excluded.tenant`,
			key.Tenant, key.ID, record, store.Millis(key.Created)); err != nil {
			return err
		}
		return s.feed.add(ctx, tx, key.Tenant, FeedKey, key.ID, s.Now())
	})
	if err == nil {
		s.feed.wake()
	}
	return err
}

// Keys lists the tenant's keys, newest first, without secret or hash.
func (s *Service) Keys(ctx context.Context, tenant string) ([]admission.APIKey, error) {
	all := []admission.APIKey{}
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT record FROM api_keys WHERE tenant = $1 ORDER BY created DESC, id`, tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var record []byte
			var key identity.KeyRecord
			if err := rows.Scan(&record); err != nil {
				return err
			}
			if err := json.Unmarshal(record, &key); err != nil {
				return err
			}
			all = append(all, *apiKey(key))
		}
		return rows.Err()
	})
	return all, err
}

func apiKey(k identity.KeyRecord) *admission.APIKey {
	return &admission.APIKey{ID: k.ID, Principal: k.Principal, Kind: k.Kind, Roles: k.Roles, Namespaces: k.Namespaces, Attributes: k.Attributes, Created: k.Created, Expires: k.Expires, Revoked: k.Revoked}
}
