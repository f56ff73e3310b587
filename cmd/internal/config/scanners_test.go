package config

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

const bindings = `data: /srv
scanners:
  extra: [/etc/bartizan/ticket.wasm]
  trustedRoot: /etc/bartizan/trusted_root.json
  trust:
    - scanner: ticket
      keys: [/etc/bartizan/acme.key.pub]
      identities:
        - issuer: https://issuer.example
          sanRegex: https://github\.com/acme/.*
      digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
      minVersion: 1.2.0
      bundle: /etc/bartizan/ticket.sigstore.json
      unsafeRollback: true
  bindings:
    - scanner: ticket
      mode: unsafe-monitor
      onFailure: unsafe-flag
      tiers: {medium: block}
      unsafeTiers: {high: flag}
      memoryBytes: 8388608
      fuel: 30000000
      fuelPerByte: 500
      deadline: 250ms
      config: /etc/bartizan/ticket.json
    - scanner: injection
      mode: enforce
`

func TestBindings(t *testing.T) {
	sources := Sources{File: write(t, bindings)}
	c, err := sources.Valid()
	s := c.Scanners
	if err != nil {
		t.Fatal(err)
	}
	want := Binding{
		Scanner: "ticket", Mode: UnsafeMonitor, OnFailure: UnsafeFlag,
		Tiers: map[string]string{"medium": "block"}, UnsafeTiers: map[string]string{"high": "flag"},
		MemoryBytes: 8 << 20, Fuel: 30_000_000, FuelPerByte: 500, Deadline: 250 * time.Millisecond, Config: "/etc/bartizan/ticket.json",
	}
	if diff := cmp.Diff(want, s.Binding("ticket", Scope{})); diff != "" {
		t.Error(diff)
	}
	if b := s.Binding("exfil", Scope{}); !cmp.Equal(b, Binding{Scanner: "exfil"}) || s.Monitored(b) {
		t.Errorf("%+v", b)
	}
	trust, said := s.TrustOf("ticket")
	if diff := cmp.Diff(Trust{
		Scanner: "ticket", Keys: []string{"/etc/bartizan/acme.key.pub"},
		Identities: []attest.Identity{{Issuer: "https://issuer.example", SANRegex: `https://github\.com/acme/.*`}},
		Digest:     "sha256:" + strings.Repeat("0", 64), MinVersion: "1.2.0", Bundle: "/etc/bartizan/ticket.sigstore.json", UnsafeRollback: true,
	}, trust); diff != "" || !said {
		t.Error(diff)
	}
	if _, said := s.TrustOf("exfil"); said {
		t.Error("trust in a name that nothing is said about")
	}
	used := []string{"scanners.bindings.ticket.mode", "scanners.bindings.ticket.onFailure", "scanners.bindings.ticket.unsafeTiers", "scanners.trust.ticket.unsafeRollback"}
	if got := s.Unsafe(); !slices.Equal(got, used) {
		t.Errorf("unsafe: %q", got)
	}
	s.Mode = UnsafeMonitor
	if s.Monitored(s.Binding("injection", Scope{})) || !s.Monitored(s.Binding("exfil", Scope{})) || s.Unsafe()[0] != "scanners.mode" {
		t.Error("a binding does not win over the mode of all")
	}
}

const narrowBindings = `data: /srv
scanners:
  bindings:
    - scanner: exfil
      server: io.github.acme/mail
      entries: [send, mailto:list]
      mode: enforce
      tiers: {high: block, medium: block}
    - scanner: exfil
      mode: unsafe-monitor
      deadline: 1s
      fuel: 9
      unsafeTiers: {high: log, critical: flag}
    - scanner: exfil
      server: io.github.acme/mail
      onFailure: unsafe-flag
      fuel: 7
`

// TestNarrowerBindings holds that a binding for a server or an entry says only
// what is different there, wherever it stands.
func TestNarrowerBindings(t *testing.T) {
	c, err := Sources{File: write(t, narrowBindings)}.Valid()
	if err != nil {
		t.Fatal(err)
	}
	s := c.Scanners
	const mail = "io.github.acme/mail"
	if diff := cmp.Diff([]Scope{{}, {mail, "send"}, {mail, "mailto:list"}, {mail, ""}}, s.Scopes("exfil")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Scope{{}}, s.Scopes("injection")); diff != "" {
		t.Error(diff)
	}
	all := Binding{Scanner: "exfil", Mode: UnsafeMonitor, Deadline: time.Second, Fuel: 9, UnsafeTiers: map[string]string{"high": "log", "critical": "flag"}}
	server := all
	server.Server, server.OnFailure, server.Fuel = mail, UnsafeFlag, 7
	entry := server
	entry.Entries, entry.Mode = []string{"send"}, Enforce
	entry.Tiers, entry.UnsafeTiers = map[string]string{"high": "block", "medium": "block"}, map[string]string{"critical": "flag"}
	elsewhere := all
	elsewhere.Server = "io.github.acme/files"
	for _, c := range []struct {
		at   Scope
		want Binding
	}{{Scope{}, all}, {Scope{mail, ""}, server}, {Scope{mail, "send"}, entry}, {Scope{"io.github.acme/files", ""}, elsewhere}} {
		if diff := cmp.Diff(c.want, s.Binding("exfil", c.at)); diff != "" {
			t.Errorf("%+v: %s", c.at, diff)
		}
	}
	used := []string{
		"scanners.bindings.exfil.mode", "scanners.bindings.exfil.unsafeTiers", "scanners.bindings.exfil[io.github.acme/mail].onFailure",
	}
	if got := s.Unsafe(); !slices.Equal(got, used) {
		t.Errorf("unsafe: %q", got)
	}
	c.Scanners.Bindings = []Binding{
		{Scanner: "x", Server: "mail"}, {Scanner: "x", Entries: []string{"send"}}, {Scanner: "x", Server: mail, Entries: []string{"", "send", "send"}},
		{Scanner: "x", Server: mail}, {Scanner: "x", Server: mail},
	}
	err = c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`bindings[0].server: "mail"`, "bindings[1].entries: of which server?", `bindings[2].entries: ""`,
		`bindings[2].scanner: "x" stands twice for "send" of io.github.acme/mail`, `bindings[4].scanner: "x" stands twice for io.github.acme/mail`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in:\n%v", want, err)
		}
	}
	c.Scanners.Bindings = nil
	for i := range maxScopes + 1 {
		c.Scanners.Bindings = append(c.Scanners.Bindings, Binding{Scanner: "x", Server: mail, Entries: []string{fmt.Sprint(i)}})
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "at most 256") {
		t.Errorf("%v", err)
	}
}

// TestMilderIsCalledUnsafe holds that no setting weakens a check under a name
// that does not say so.
func TestMilderIsCalledUnsafe(t *testing.T) {
	rank := func(action string) int { return slices.Index(actions, action) }
	for severity, usual := range DefaultTiers {
		for _, action := range actions {
			tiers := map[string]string{severity: action}
			strict := Scanners{Mode: Enforce, Bindings: []Binding{{Scanner: "x", Tiers: tiers}}}.Validate() == nil
			milder := Scanners{Mode: Enforce, Bindings: []Binding{{Scanner: "x", UnsafeTiers: tiers}}}.Validate() == nil
			if strict != (rank(action) >= rank(usual)) || milder == strict {
				t.Errorf("%s: %s: in tiers %t, in unsafeTiers %t", severity, action, strict, milder)
			}
		}
	}
}

func TestValidateReportsEveryProblemOfBindings(t *testing.T) {
	c := Default()
	c.Data = "/srv"
	c.Scanners.Bindings = []Binding{
		{Scanner: "Not A Name", Mode: "off", OnFailure: "ignore", MemoryBytes: 1, Deadline: -1, Fuel: -1, FuelPerByte: 1 << 40},
		{Scanner: "twice", Deadline: time.Hour, MemoryBytes: 1 << 40, Tiers: map[string]string{"dire": "block", "high": "shout", "low": "block"}, UnsafeTiers: map[string]string{"low": "log"}},
		{Scanner: "twice", Tiers: map[string]string{"critical": "log"}, UnsafeTiers: map[string]string{"critical": "flag"}},
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"bindings[0].scanner", "bindings[0].mode", "bindings[0].onFailure", "bindings[0].memoryBytes", "bindings[0].deadline", "bindings[0].fuel:", "bindings[0].fuelPerByte",
		"bindings[1].deadline", "bindings[1].memoryBytes", `bindings[1].tiers: "dire"`, "bindings[1].tiers.high", "bindings[1].unsafeTiers.low",
		"bindings[2].scanner", "bindings[2].tiers.critical", "bindings[2].unsafeTiers.critical: stands in tiers as well",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in:\n%v", want, err)
		}
	}
	c.Scanners = Scanners{Mode: Enforce, Trust: []Trust{
		{Scanner: "Not A Name"},
		{Scanner: "twice", Keys: []string{"k"}, UnsafeUnsigned: true, Digest: "sha256:00", MinVersion: "1.2"},
		{Scanner: "twice", Identities: []attest.Identity{{SANRegex: "x"}, {Issuer: "https://i.example", SANRegex: "a)|(b"}}},
		{Scanner: "x", UnsafeUnsigned: true, Bundle: "b"},
	}}
	err = c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"trust[0].scanner", "trust[0]: keys or identities", "trust[1].unsafeUnsigned", "trust[1].digest", "trust[1].minVersion",
		"trust[2].scanner", "trust[2].identities: scanners.trustedRoot", "trust[2].identities[0].issuer", "trust[2].identities[1].sanRegex", "trust[3].bundle",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in:\n%v", want, err)
		}
	}
	for _, body := range []string{"scanners:\n  trust:\n    - scanner: x\n      unsafeUnsigned: true\n      unsafeAnything: true\n", "scanners:\n  bindings:\n    - scaner: x\n", "scanners:\n  bindings:\n    - scanner: x\n      deadline: soon\n"} {
		if _, err := (Sources{File: write(t, body)}).Valid(); err == nil {
			t.Errorf("accepted: %s", body)
		}
	}
}

// TestBindingsDocumented holds docs/configuration.md to every key of a binding
// and of trust.
func TestBindingsDocumented(t *testing.T) {
	body, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, line := range strings.Split(string(body), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			rows[strings.Trim(cells[1], " `")] = true
		}
	}
	known := map[string]bool{}
	for _, group := range []reflect.Type{reflect.TypeFor[Binding](), reflect.TypeFor[Trust]()} {
		for i := range group.NumField() {
			key := group.Field(i).Tag.Get("json")
			if known[key] = true; !rows[key] {
				t.Errorf("%s of a %s is not documented", key, group.Name())
			}
		}
	}
	maps.DeleteFunc(rows, func(key string, _ bool) bool { return known[key] })
	for key := range rows {
		t.Errorf("%s is documented and does not exist", key)
	}
}
