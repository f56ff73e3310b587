package main

import (
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/internal/egress"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/ownership"
)

// proofs sets up what namespaces are proven by. Domains are whatever a stranger
// names, so their web servers are asked on public addresses only, unless the
// operator lets private networks in; an issuer's keys are where the operator
// says.
func proofs(c config.Config) (registry.Ownership, error) {
	o := c.Registry.Ownership
	out := registry.Ownership{Tenant: c.Tenant, KeyLife: o.KeyLife}
	if o.DNS || o.HTTP {
		out.Domains = &ownership.Domains{Now: time.Now}
	}
	if o.DNS {
		out.Domains.Resolver = o.NameResolver()
	}
	if o.HTTP {
		out.Domains.Client = egress.Policy{Private: o.PrivateNetworks}.Client(o.NameResolver())
	}
	if len(o.Issuers) > 0 {
		keys := egress.Policy{Private: true, Loopback: config.Loopback(c.Registry.Addr)}
		var err error
		if out.Tokens, err = ownership.NewTokens(o.Issuers, keys.Client(nil), time.Now); err != nil {
			return out, err
		}
	}
	return out, nil
}
