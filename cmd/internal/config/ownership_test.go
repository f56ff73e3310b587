package config

import (
	"strings"
	"testing"
)

func TestOwnership(t *testing.T) {
	file := write(t, `data: /d
registry:
  ownership:
    dns: true
    resolver: 127.0.0.1:5353
    keyLife: 15m
    issuers:
      - issuer: https://token.actions.githubusercontent.com
        jwks: https://token.actions.githubusercontent.com/.well-known/jwks
        audience: https://registry.acme.example
        namespaces: ["io.github.{repository_owner}"]
        claims:
          environment: [release]
`)
	c, _, err := Load(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	o := c.Registry.Ownership
	if !o.DNS || o.HTTP || len(o.Issuers) != 1 || o.Issuers[0].Claims["environment"][0] != "release" {
		t.Errorf("%+v", o)
	}
	before := c
	before.Registry.Ownership.Issuers = nil
	if err := CheckReload(before, c); err == nil || !strings.Contains(err.Error(), "registry.ownership.issuers") {
		t.Errorf("%v", err)
	}
	o.Issuers[0].Audience, o.Resolver, o.KeyLife = "", "localhost", 0
	c.Registry.Ownership = o
	err = c.Validate()
	for _, key := range []string{"registry.ownership.keyLife", "registry.ownership.resolver", "registry.ownership.issuers[0]"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not reported: %v", key, err)
		}
	}
}
