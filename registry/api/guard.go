package api

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// guard refuses what must not even be authenticated: names that a rebinding
// page would use, foreign origins, compressed bodies.
func (a *api) guard(c *gin.Context, r route) error {
	if !a.hostAllowed(c.Request) {
		return refusal(http.StatusForbidden, "host_forbidden", "this registry is not reached under that name")
	}
	if a.shared(r) {
		c.Header("Access-Control-Allow-Origin", "*")
	} else if origin := c.Request.Header.Get("Origin"); origin != "" && !sameOrigin(origin, c.Request.Host) {
		return refusal(http.StatusForbidden, "origin_forbidden", "pages of other origins may not use this registry")
	}
	if _, err := url.ParseQuery(c.Request.URL.RawQuery); err != nil { // else the parameter would count as absent
		return refusal(http.StatusBadRequest, "malformed_query", "the query is not well-formed")
	}
	if e := c.Request.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refusal(http.StatusUnsupportedMediaType, "encoded_body", "request bodies are not compressed")
	}
	return nil
}

// shared reports whether pages of every origin may read the route.
func (a *api) shared(r route) bool {
	return a.PublicReads && r.method == http.MethodGet && (r.access == publicRead || r.access == open && r.official)
}

func (a *api) preflight(c *gin.Context) {
	if !a.hostAllowed(c.Request) {
		a.fail(c, refusal(http.StatusForbidden, "host_forbidden", "this registry is not reached under that name"))
		return
	}
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Allow-Methods", "GET")
	c.Header("Access-Control-Allow-Headers", "Content-Type, Accept")
	c.Header("Access-Control-Max-Age", "600")
	c.Status(http.StatusNoContent)
}

func (a *api) hostAllowed(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
		return true
	}
	if isLoopbackName(host) {
		return true
	}
	// On a loopback listener every other name is a page's trick; elsewhere a
	// list of names makes it one.
	return len(a.Hosts) == 0 && !loopbackListener(r)
}

func loopbackListener(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true // unknown: the stricter rule
	}
	ap, err := netip.ParseAddrPort(local.String())
	return err != nil || ap.Addr().Unmap().IsLoopback()
}

func isLoopbackName(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// authenticate fills in the caller and checks the route's roles.
func (a *api) authenticate(q *call, r route) error {
	if r.access == open {
		return nil
	}
	sent := q.Request.Header.Values("Authorization")
	if len(sent) == 0 && r.access == publicRead && a.PublicReads {
		q.by = audit.Origin{Caller: identity.Caller{Tenant: approval.DefaultTenant}, Source: q.Request.RemoteAddr}
		return nil
	}
	header, err := identity.OneAuthorization(sent)
	var caller identity.Caller
	if err == nil {
		caller, err = identity.Authenticate(q.ctx, a.service, header, a.Now())
	}
	if err != nil {
		return a.refuseCredential(q, err)
	}
	q.by = audit.Origin{Caller: caller, Source: q.Request.RemoteAddr}
	if r.access == withRole && !caller.HasRole(r.roles...) {
		return refusal(http.StatusForbidden, "role_required", "this needs one of the roles "+strings.Join(r.roles, ", "))
	}
	return nil
}

// refuseCredential records the refusal and tells the caller no more than that.
func (a *api) refuseCredential(q *call, err error) error {
	var denied *identity.DeniedError
	reason := "invalid_credential"
	switch {
	case errors.Is(err, identity.ErrUnavailable):
		a.Logger.ErrorContext(q.ctx, "look up key", "error", err)
		return refusal(http.StatusServiceUnavailable, "keys_unavailable", "keys cannot be checked now")
	case errors.As(err, &denied):
		if _, err := a.service.Audit.Append(q.ctx, audit.Refused(q.Request.RemoteAddr, denied)); err != nil {
			return refusal(http.StatusServiceUnavailable, "audit_unavailable", "the audit log cannot be written")
		}
		reason = "key_expired"
		if errors.Is(err, identity.ErrRevoked) {
			reason = "key_revoked"
		}
	case errors.Is(err, identity.ErrNoCredential):
		reason = "no_credential"
		a.service.Audit.Refusal(q.ctx, reason, q.Request.RemoteAddr)
	default:
		a.service.Audit.Refusal(q.ctx, reason, q.Request.RemoteAddr)
	}
	q.Header("WWW-Authenticate", `Bearer realm="bartizan"`)
	return refusal(http.StatusUnauthorized, reason, "send a valid API key as Authorization: Bearer")
}
