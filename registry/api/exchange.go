package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/ownership"
)

// exchanges are the routes at which a proof of a namespace becomes a key. They
// stand where the official tool asks for them.
func (a *api) exchanges() []route {
	signed := func(method string, check func(*ownership.Domains, context.Context, ownership.SignedTime) (*ownership.Proof, error)) func(*call) error {
		return func(q *call) error {
			var body registryapi.SignedTime
			if err := q.read(&body); err != nil {
				return err
			}
			return a.exchange(q, method+" "+body.Domain, func(ctx context.Context) (*ownership.Proof, error) {
				return check(a.service.Ownership.Domains, ctx, ownership.SignedTime{Domain: body.Domain, Timestamp: body.Timestamp, Signature: body.SignedTimestamp})
			})
		}
	}
	token := func(q *call) error {
		var body registryapi.ProviderToken
		if err := q.read(&body); err != nil {
			return err
		}
		return a.exchange(q, "token", func(ctx context.Context) (*ownership.Proof, error) {
			return a.service.Ownership.Tokens.Verify(ctx, body.OIDCToken)
		})
	}
	at := func(name, id, summary string, request any, handle func(*call) error) route {
		return route{method: http.MethodPost, path: officialPath + "/auth/" + name, id: id, summary: summary, access: open, request: request,
			response: registryapi.RegistryToken{}, handle: handle, official: true, maxBody: 64 << 10}
	}
	return []route{
		at("dns", "exchangeDNS", "A signed time by a key in a domain's TXT record, for a publisher's key", registryapi.SignedTime{}, signed("dns", (*ownership.Domains).DNS)),
		at("http", "exchangeHTTP", "A signed time by a key that a domain's web server publishes, for a publisher's key", registryapi.SignedTime{}, signed("http", (*ownership.Domains).HTTP)),
		at("oidc", "exchangeToken", "A token of a configured issuer, for a publisher's key", registryapi.ProviderToken{}, token),
		at("github-oidc", "exchangeActionsToken", "The same", registryapi.ProviderToken{}, token),
	}
}

// proofErrors say to whoever asks why a proof is none.
var proofErrors = []error{ownership.ErrDomain, ownership.ErrTime, ownership.ErrLookup, ownership.ErrNoRecord, ownership.ErrSignature, ownership.ErrToken, ownership.ErrClaims, ownership.ErrKeys}

// exchange answers a proof with a key. about is what the limits count: nobody's
// many attempts keep others out.
func (a *api) exchange(q *call, about string, prove func(context.Context) (*ownership.Proof, error)) error {
	if o := a.service.Ownership; o.Domains == nil && o.Tokens == nil {
		return refusal(http.StatusNotFound, registry.RefusedUnknown, ownership.ErrDisabled.Error())
	}
	done, wait := a.attempts.begin(about, a.Now())
	if wait > 0 {
		q.Header("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return refusal(http.StatusTooManyRequests, "rate_limited", "too many proofs at a time; try again later")
	}
	defer done()
	proof, err := prove(q.ctx)
	if errors.Is(err, ownership.ErrDisabled) {
		return refusal(http.StatusNotFound, registry.RefusedUnknown, err.Error())
	}
	for _, known := range proofErrors {
		if errors.Is(err, known) {
			return a.refuseProof(q, known.Error())
		}
	}
	if err != nil {
		return err
	}
	token, key, err := a.service.Exchange(q.ctx, q.Request.RemoteAddr, proof)
	if r := (*registry.Refusal)(nil); errors.As(err, &r) && r.Reason == registry.RefusedProof {
		return a.refuseProof(q, r.Detail)
	}
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.RegistryToken{RegistryToken: token, ExpiresAt: key.Expires.Unix()})
}

func (a *api) refuseProof(q *call, detail string) error {
	a.service.Audit.Refusal(q.ctx, registry.RefusedProof, q.Request.RemoteAddr)
	q.Header("WWW-Authenticate", `Bearer realm="bartizan"`)
	return refusal(http.StatusUnauthorized, registry.RefusedProof, detail)
}
