package config

import (
	"slices"
	"testing"
	"time"
)

func TestChanged(t *testing.T) {
	before := Default()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   []string
		stuck  bool
	}{
		{"nothing", func(*Config) {}, nil, false},
		{"a list", func(c *Config) { c.Gateway.Servers = []Server{{Alias: "a"}} }, []string{"gateway.servers"}, false},
		{"limits", func(c *Config) { c.Gateway.Local.OpenFiles = 7; c.Gateway.DrainGrace = time.Hour }, []string{"gateway.drainGrace", "gateway.local.openFiles"}, false},
		{"scanners", func(c *Config) { c.Scanners.Mode = UnsafeMonitor }, []string{"scanners.mode"}, false},
		{"an address", func(c *Config) { c.Gateway.Addr = "127.0.0.1:1" }, []string{"gateway.addr"}, true},
		{"a weaker check", func(c *Config) { c.Gateway.UnsafeRun = true }, []string{"gateway.unsafeRun"}, true},
		{"TLS where there was none", func(c *Config) { c.Gateway.TLSCert, c.Gateway.TLSKey = "a", "b" }, []string{"gateway.tlsCert", "gateway.tlsKey"}, true},
	} {
		after := Default()
		tt.change(&after)
		if got := Changed(before, after); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if err := CheckReload(before, after); (err != nil) != tt.stuck {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
