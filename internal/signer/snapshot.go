package signer

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// signSnapshot signs a list of approvals that this signer knows. Leaving one out
// is the registry's to decide, and takes effect; bringing in one that nobody
// approved, or going back behind a sequence, is not.
func (s *Service) signSnapshot(ctx context.Context, statement []byte) ([]byte, error) {
	bundle, err := s.keys[RoleSnapshot].Sign(ctx, statement)
	if err != nil {
		return nil, refuse(ReasonMalformed, "it is no in-toto statement")
	}
	tenant, err := tenantOf(statement)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	snapshot, err := approval.VerifySnapshot(bundle, s.trust, tenant, now, 0)
	if err != nil {
		return nil, refuse(judgement(err), "%s", err)
	}
	if snapshot.Issued.Before(now.Add(-MaxAge)) {
		return nil, refuse(ReasonDates, "it was issued at %s", snapshot.Issued.Format(time.RFC3339))
	}
	if last := s.ledger.sequences[tenant]; snapshot.Sequence <= last {
		return nil, refuse(ReasonSequence, "sequence %d after %d", snapshot.Sequence, last)
	}
	for _, digest := range snapshot.Approvals {
		a, known := s.ledger.approvals[digest]
		switch {
		case !known || a.Tenant != tenant:
			return nil, refuse(ReasonUnknown, "it lists one that was not signed here")
		case !now.Before(a.Expires):
			return nil, refuse(ReasonDates, "it lists one that expired at %s", a.Expires.Format(time.RFC3339))
		}
	}
	if err := s.ledger.advance(tenant, snapshot.Sequence); err != nil {
		return nil, err
	}
	return bundle, nil
}

// tenantOf reads whose snapshot it says it is; everything is verified with that.
func tenantOf(statement []byte) (string, error) {
	st, err := attest.ParseStatement(statement)
	if err != nil {
		return "", refuse(ReasonMalformed, "it is no in-toto statement")
	}
	var of struct {
		Tenant string `json:"tenant"`
	}
	if err := json.Unmarshal(st.Predicate, &of); err != nil || of.Tenant == "" {
		return "", refuse(ReasonMalformed, "it names no tenant")
	}
	return of.Tenant, nil
}
