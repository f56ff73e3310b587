package gateway

import (
	"net/http"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// serveMetrics answers GET /metrics. Counters name scanners and failures and
// nobody's messages; still they tell a stranger what a house is afraid of.
func (g *Gateway) serveMetrics(w *tracked, r *http.Request) {
	x := &exchange{began: g.cfg.Now(), id: audit.NewID(), source: r.RemoteAddr, header: r.Header}
	host := addrHost(r.RemoteAddr)
	no := refuse(ReasonTooManyRequests)
	if g.addresses.enter(host) {
		defer g.addresses.leave(host)
		no = g.admitMetrics(r, x)
	} else {
		no.retry = time.Second
	}
	if no != nil {
		g.answerRefusal(r.Context(), x, &responder{w: w, timeout: g.cfg.WriteTimeout, seal: g.seal}, no, false)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	g.cfg.Metrics.ServeHTTP(w, r)
}

func (g *Gateway) admitMetrics(r *http.Request, x *exchange) *refusal {
	if no := checkHost(r, g.cfg.AllowedOrigins); no != nil {
		return no
	}
	if r.Method != http.MethodGet {
		return refuse(ReasonHTTPMethod)
	}
	if onThisMachine(r) {
		return nil
	}
	no := authenticate{keys: g.cfg.Keys, now: g.cfg.Now}.as(r.Context(), x, identity.RoleAuditor, identity.RoleAdmin)
	if no == nil && x.caller.Tenant != g.cfg.Tenant {
		no = refuse(ReasonRole) // counters are of all that passes here
	}
	return no
}

// forwarding are the headers by which a proxy says that it speaks for somebody.
var forwarding = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"}

// onThisMachine reports whether a request was sent from this machine, by nobody
// on another's behalf.
func onThisMachine(r *http.Request) bool {
	host, ok := hostname(r.Host)
	if !ok || !isLoopback(host) || !isLoopback(addrHost(r.RemoteAddr)) {
		return false
	}
	for _, name := range forwarding {
		if _, ok := r.Header[name]; ok {
			return false
		}
	}
	return true
}
