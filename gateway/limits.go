package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Step 0: what is refused before anybody is asked who they are.

// single are the headers of which a request may carry one value at most: which
// of two counts would depend on who reads them.
var single = []string{
	"Authorization", "Content-Type", "Content-Encoding", "Origin", protocol.HeaderSessionID, protocol.HeaderProtocolVersion,
	protocol.HeaderMethod, protocol.HeaderName, protocol.HeaderLastEventID,
}

// checkConnection holds a request against everything that needs no body.
func (g *Gateway) checkConnection(r *http.Request) *refusal {
	if no := checkHost(r, g.cfg.AllowedOrigins); no != nil {
		return no
	}
	for name, values := range r.Header {
		if len(values) > 1 && (slices.Contains(single, name) || strings.HasPrefix(name, protocol.HeaderParamPrefix)) {
			return refuse(ReasonHeaderAmbiguous)
		}
	}
	switch r.Method {
	case http.MethodGet, http.MethodDelete:
		return nil
	case http.MethodPost:
	default:
		return refuse(ReasonHTTPMethod)
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return refuse(ReasonContentEncoding)
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return refuse(ReasonContentType)
	}
	if !accepts(r.Header.Values("Accept"), "application/json") || !accepts(r.Header.Values("Accept"), "text/event-stream") {
		return refuse(ReasonNotAcceptable)
	}
	return nil
}

// accepts reports whether an Accept header admits a media type (RFC 9110
// §12.5.1); no header admits all.
func accepts(values []string, media string) bool {
	if len(values) == 0 {
		return true
	}
	kind, _, _ := strings.Cut(media, "/")
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		base, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(base)) {
		case media, kind + "/*", "*/*":
			return true
		}
	}
	return false
}

// checkHost keeps web pages out that made a browser resolve their name to this
// machine (DNS rebinding): a loopback listener answers to loopback names only,
// and an Origin must be the own one or admitted by configuration.
func checkHost(r *http.Request, allowed []string) *refusal {
	host, ok := hostname(r.Host)
	if !ok {
		return refuse(ReasonHostRefused)
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local != nil && isLoopback(addrHost(local.String())) && !isLoopback(host) {
		return refuse(ReasonHostRefused)
	}
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(allowed, origin) {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || !strings.EqualFold(u.Host, r.Host) {
		return refuse(ReasonOriginRefused)
	}
	return nil
}

// hostname takes the port off a Host header; false for one that a URL parser
// could cut elsewhere ("a/b", "a?b", "a@b").
func hostname(host string) (string, bool) {
	if host == "" || strings.ContainsAny(host, "/?#@\\ \t%") {
		return "", false
	}
	return addrHost(host), true
}

func addrHost(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// partWays ends the connection with this answer where a proxy in front may have
// seen another end of the request: a length in chunks wins over one in bytes,
// which may have stood beside it (RFC 9112 §6.1, §6.3), and HTTP/1.0 knows no chunks.
func partWays(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength < 0 || !r.ProtoAtLeast(1, 1) {
		w.Header().Set("Connection", "close")
	}
}

// hurryBody gives the body a limited time, whether or not anybody reads it: the
// server reads on after a refusal, and must not wait for a body that never comes.
func (g *Gateway) hurryBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.cfg.BodyTimeout)) // recorders in tests have none
	}
}

// drained is how much of a body is read after its refusal.
const drained = 32 << 20

// drain takes what a refused client is still sending, within bounds: who closes
// a connection while the other side writes takes back the answer that is on its
// way (RFC 9112 §9.6). A client that waits for 100 Continue sends nothing.
func drain(r *http.Request) {
	if r.Body != nil && r.Header.Get("Expect") == "" && r.ContentLength <= drained {
		_, _ = io.CopyN(io.Discard, r.Body, drained) // the client left, or is not worth more
	}
}

// readBody reads a bounded body. Only one that is there in time lifts its limit.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	if r.ContentLength > g.cfg.BodyBytes {
		return nil, refuse(ReasonBodyTooLarge)
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), maxExpected)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, g.cfg.BodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(ReasonBodyTooLarge)
	case err != nil:
		return nil, refuse(ReasonBodyUnreadable).because(err)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return body.Bytes(), nil
}

// maxExpected is how much of a body is made room for before it comes: anybody
// may announce a long one.
const maxExpected = 64 << 10

// addresses counts what is under way per remote address.
type addresses struct {
	limit int
	mu    sync.Mutex
	open  map[string]int
}

func newAddresses(limit int) *addresses {
	return &addresses{limit: limit, open: map[string]int{}}
}

func (a *addresses) enter(host string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[host] >= a.limit {
		return false
	}
	a.open[host]++
	return true
}

func (a *addresses) leave(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[host]--; a.open[host] <= 0 {
		delete(a.open, host)
	}
}
