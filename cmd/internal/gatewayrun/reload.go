package gatewayrun

import (
	"crypto/tls"
	"errors"
	"sync/atomic"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/internal/policy"
)

// certificate is the one in force; a reload replaces it.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if cert := c.current.Load(); cert != nil {
		return cert, nil
	}
	return nil, errors.New("no certificate")
}

// Prepare makes ready what a configuration changes of a running gateway, or
// says why it cannot be. Nothing changes before Apply, which cannot fail. Calls
// under way go on as they began.
func (r *Running) Prepare(next config.Config) (scanners.Change, error) {
	before := *r.config.Load()
	if err := config.CheckReload(before, next); err != nil {
		return scanners.Change{}, err
	}
	policies, err := loadPolicies(next.Gateway.Policies)
	if err != nil {
		return scanners.Change{}, err
	}
	reroute, err := r.gateway.Prepare(routes(next.Gateway.Servers), next.Gateway.AutoRoutes, processLimits(next.Gateway.Local), policies)
	if err != nil {
		return scanners.Change{}, err
	}
	var cert *tls.Certificate
	if next.Gateway.TLSCert != "" {
		loaded, err := tls.LoadX509KeyPair(next.Gateway.TLSCert, next.Gateway.TLSKey)
		if err != nil {
			return scanners.Change{}, err
		}
		cert = &loaded
	}
	return scanners.Change{Settings: config.Changed(before, next), Apply: func() {
		reroute()
		if cert != nil {
			r.certificate.current.Store(cert)
		}
		r.config.Store(&next)
	}}, nil
}

// loadPolicies reads the operator's policies; nil where there are none.
func loadPolicies(path string) (*policy.Set, error) {
	if path == "" {
		return nil, nil
	}
	return policy.Load(path)
}

func (r *Running) grace() time.Duration { return r.config.Load().Gateway.DrainGrace }
