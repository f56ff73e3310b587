package config

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/bartizan-mcp/bartizan/registry/ownership"
)

// Ownership is how publishers prove that a namespace is theirs, beside keys
// that an admin issues. Nothing of it is on by itself: it has the registry
// answer strangers.
type Ownership struct {
	// DNS and HTTP take proofs by what a domain publishes.
	DNS  bool `json:"dns"`
	HTTP bool `json:"http"`
	// Resolver is asked for names, as address:port; "" is the system's.
	Resolver string `json:"resolver"`
	// PrivateNetworks asks web servers of private networks as well.
	PrivateNetworks bool `json:"privateNetworks"`
	// KeyLife is the life of a key that a proof is exchanged for.
	KeyLife time.Duration `json:"keyLife"`
	// Issuers whose tokens are proofs.
	Issuers []ownership.Issuer `json:"issuers"`
}

func (o Ownership) validate() []error {
	var problems []error
	if o.KeyLife < time.Minute || o.KeyLife > 24*time.Hour {
		problems = append(problems, fmt.Errorf("registry.ownership.keyLife: %v is not within 1m and 24h", o.KeyLife))
	}
	if _, err := netip.ParseAddrPort(o.Resolver); o.Resolver != "" && err != nil {
		problems = append(problems, fmt.Errorf("registry.ownership.resolver: %q is not address:port", o.Resolver))
	}
	for i, issuer := range o.Issuers {
		if err := issuer.Validate(); err != nil {
			problems = append(problems, fmt.Errorf("registry.ownership.issuers[%d]: %w", i, err))
		}
	}
	return problems
}

// NameResolver asks the configured name server.
func (o Ownership) NameResolver() *net.Resolver {
	if o.Resolver == "" {
		return &net.Resolver{}
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, o.Resolver)
	}}
}
