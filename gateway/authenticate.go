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

	patience time.Duration // default keyPatience
}

func (s authenticate) do(ctx context.Context, x *exchange) *refusal {
	return s.as(ctx, x, identity.RoleAgent, identity.RoleAdmin)
}

// as demands one of the roles.
func (s authenticate) as(ctx context.Context, x *exchange, roles ...string) *refusal {
	authorization, err := identity.OneAuthorization(x.header.Values("Authorization"))
	if err == nil && !x.known {
		x.caller, err = s.look(ctx, authorization)
	}
	switch {
	case errors.Is(err, identity.ErrUnavailable):
		return refuse(ReasonKeysUnavailable).because(err)
	case err != nil:
		no := refuse(ReasonUnauthenticated).because(err)
		no.badToken = !errors.Is(err, identity.ErrNoCredential)
		return no
	case !x.caller.HasRole(roles...):
		return refuse(ReasonRole)
	}
	x.noteCredential()
	return nil
}

// keyPatience bounds the lookup of one key: whoever keeps the keys may hang, and
// the caller is told so.
const keyPatience = 3 * time.Second

func (s authenticate) look(ctx context.Context, authorization string) (identity.Caller, error) {
	ctx, cancel := context.WithTimeout(ctx, either(s.patience > 0, s.patience, keyPatience))
	defer cancel()
	return identity.Authenticate(ctx, s.keys, authorization, s.now())
}
