package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// authenticate (step 1) finds out who is calling, by API key, anew for every
// request: a revoked key ends with the next one.
type authenticate struct {
	keys identity.KeySource
	now  func() time.Time
}

func (s authenticate) do(ctx context.Context, x *exchange) *refusal {
	authorization, err := identity.OneAuthorization(x.header.Values("Authorization"))
	if err == nil {
		x.caller, err = identity.Authenticate(ctx, s.keys, authorization, s.now())
	}
	switch {
	case errors.Is(err, identity.ErrUnavailable):
		return refuse(ReasonKeysUnavailable).because(err)
	case err != nil:
		no := refuse(ReasonUnauthenticated).because(err)
		no.badToken = !errors.Is(err, identity.ErrNoCredential)
		return no
	case !x.caller.HasRole(identity.RoleAgent, identity.RoleAdmin):
		return refuse(ReasonRole)
	}
	return nil
}
