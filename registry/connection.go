package registry

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http/httptrace"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// Bounds of what is kept of a chain: whoever answers writes it.
const (
	maxChain = 8
	maxName  = 400
)

// connection notes what the first connection of a capture showed.
type connection struct {
	mu   sync.Mutex
	seen *admission.TLS
}

// watch returns a context whose requests tell of the connections that they
// use. Those have passed every check, that of a pin included.
func (o *connection) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if c, ok := got.Conn.(*tls.Conn); ok {
			state := c.ConnectionState()
			o.note(&state)
		}
	}})
}

func (o *connection) note(s *tls.ConnectionState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen != nil {
		return
	}
	chain := s.PeerCertificates
	if len(s.VerifiedChains) > 0 {
		chain = s.VerifiedChains[0]
	}
	o.seen = &admission.TLS{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite), Chain: []admission.Certificate{}}
	for _, c := range chain[:min(len(chain), maxChain)] {
		key := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		o.seen.Chain = append(o.seen.Chain, admission.Certificate{
			Subject: named(c.Subject.String()), Issuer: named(c.Issuer.String()), NotAfter: c.NotAfter.UTC(), SPKI: hex.EncodeToString(key[:]),
		})
	}
}

func named(s string) string {
	s = admission.Visible(s)
	return s[:min(len(s), maxName)]
}
