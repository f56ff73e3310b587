package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Scanners are those that both doors run.
type Scanners struct {
	// Mode is enforce, or unsafe-monitor, which records but never blocks.
	Mode string `json:"mode"`
	// Extra are further modules, each with a manifest.
	Extra []string `json:"extra"`
	// Trust says which of them are let in, by name.
	Trust []Trust `json:"trust"`
	// TrustedRoot is a Sigstore trusted_root.json for their identities.
	TrustedRoot string `json:"trustedRoot"`
	// Bindings say how single scanners are run. One without is run by Mode and
	// the defaults.
	Bindings []Binding `json:"bindings"`
}

// Binding is how one scanner is run. What it leaves out is the default.
type Binding struct {
	// Scanner is the name in the manifest.
	Scanner string `json:"scanner"`
	// Server is the approved server that the binding is about; empty is all.
	// What a narrower binding leaves out is that of the next wider one.
	Server string `json:"server"`
	// Entries are the tools and prompts of Server, by name, and the resources, by
	// URI, that it is about; none is all.
	Entries []string `json:"entries"`
	// Mode is enforce or unsafe-monitor; empty is that of all scanners.
	Mode string `json:"mode"`
	// OnFailure is deny, or unsafe-flag: what the scanner fails on passes, flagged.
	OnFailure string `json:"onFailure"`
	// Tiers say what follows from a severity, stricter than the default;
	// UnsafeTiers milder.
	Tiers       map[string]string `json:"tiers"`
	UnsafeTiers map[string]string `json:"unsafeTiers"`
	// MemoryBytes, Fuel with FuelPerByte of input, and Deadline bound one call; 0
	// is the engine's default.
	MemoryBytes int64         `json:"memoryBytes"`
	Fuel        int64         `json:"fuel"`
	FuelPerByte int64         `json:"fuelPerByte"`
	Deadline    time.Duration `json:"deadline"`
	// Config is a file handed to the scanner when it starts.
	Config string `json:"config"`
}

// Values of modes and failure policies.
const (
	Enforce       = "enforce"
	UnsafeMonitor = "unsafe-monitor"
	Deny          = "deny"
	UnsafeFlag    = "unsafe-flag"
)

// DefaultTiers is what follows from a finding of each severity.
var DefaultTiers = map[string]string{"critical": "block", "high": "block", "medium": "flag", "low": "log", "info": "log"}

// actions that a tier may name, mildest first.
var actions = []string{"log", "flag", "block"}

// Bounds of a binding.
const (
	minMemory   = 64 << 10
	maxMemory   = 4<<30 - 64<<10
	maxDeadline = 10 * time.Minute

	maxFuel        = 1_000_000_000_000
	maxFuelPerByte = 1_000_000
	maxEntry       = 2048
	maxScopes      = 256 // of all bindings
)

// Scope is what one binding is about.
type Scope struct{ Server, Entry string }

// Scopes lists what the bindings of a scanner are about, every message first.
func (s Scanners) Scopes(name string) []Scope {
	all := []Scope{{}}
	for _, b := range s.Bindings {
		if b.Scanner != name || b.Server == "" {
			continue
		}
		for _, entry := range b.scoped() {
			if scope := (Scope{b.Server, entry}); !slices.Contains(all, scope) {
				all = append(all, scope)
			}
		}
	}
	return all
}

// scoped are the entries that a binding is about, "" for all.
func (b Binding) scoped() []string {
	if len(b.Entries) == 0 {
		return []string{""}
	}
	return b.Entries
}

// Binding returns how the named scanner is run for a scope: what the binding of
// that scope leaves out, those of wider ones say.
func (s Scanners) Binding(name string, at Scope) Binding {
	out := Binding{Scanner: name, Server: at.Server}
	if at.Entry != "" {
		out.Entries = []string{at.Entry}
	}
	for _, wider := range slices.Compact([]Scope{{}, {Server: at.Server}, at}) {
		for _, b := range s.Bindings {
			if b.Scanner == name && b.Server == wider.Server && slices.Contains(b.scoped(), wider.Entry) {
				out.adopt(b)
			}
		}
	}
	return out
}

// adopt takes over what a narrower binding says.
func (b *Binding) adopt(n Binding) {
	b.Mode, b.OnFailure = cmp.Or(n.Mode, b.Mode), cmp.Or(n.OnFailure, b.OnFailure)
	b.MemoryBytes, b.Fuel, b.FuelPerByte = cmp.Or(n.MemoryBytes, b.MemoryBytes), cmp.Or(n.Fuel, b.Fuel), cmp.Or(n.FuelPerByte, b.FuelPerByte)
	b.Deadline, b.Config = cmp.Or(n.Deadline, b.Deadline), cmp.Or(n.Config, b.Config)
	take := func(into *map[string]string, from map[string]string, other map[string]string) {
		for severity, action := range from {
			if *into == nil {
				*into = map[string]string{}
			}
			(*into)[severity] = action
			delete(other, severity)
		}
	}
	b.Tiers, b.UnsafeTiers = maps.Clone(b.Tiers), maps.Clone(b.UnsafeTiers)
	take(&b.Tiers, n.Tiers, b.UnsafeTiers)
	take(&b.UnsafeTiers, n.UnsafeTiers, b.Tiers)
}

// Monitored reports whether a scanner only records.
func (s Scanners) Monitored(b Binding) bool {
	if b.Mode != "" {
		return b.Mode == UnsafeMonitor
	}
	return s.Mode == UnsafeMonitor
}

// Unsafe names every setting that weakens a check.
func (s Scanners) Unsafe() []string {
	var used []string
	if s.Mode == UnsafeMonitor {
		used = append(used, "scanners.mode")
	}
	for _, b := range s.Bindings {
		at := "scanners.bindings." + b.Scanner
		if b.Server != "" {
			at += "[" + strings.Join(append([]string{b.Server}, b.Entries...), " ") + "]"
		}
		if b.Mode == UnsafeMonitor {
			used = append(used, at+".mode")
		}
		if b.OnFailure == UnsafeFlag {
			used = append(used, at+".onFailure")
		}
		if len(b.UnsafeTiers) > 0 {
			used = append(used, at+".unsafeTiers")
		}
	}
	return append(used, s.unsafeTrust()...)
}

// aboutTheSame says what two bindings are both about.
func aboutTheSame(server, entry string) string {
	switch {
	case entry != "":
		return fmt.Sprintf(" for %q of %s", entry, server)
	case server != "":
		return " for " + server
	}
	return ""
}

var serverPattern = regexp.MustCompile(`^[A-Za-z0-9.-]+/[A-Za-z0-9._-]+$`)

var scannerPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Validate reports every problem at once.
func (s Scanners) Validate() error { return errors.Join(s.validate()...) }

func (s Scanners) validate() (problems []error) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !slices.Contains([]string{Enforce, UnsafeMonitor}, s.Mode) {
		bad("scanners.mode: %q is none of %v", s.Mode, []string{Enforce, UnsafeMonitor})
	}
	problems = append(problems, s.validateTrust()...)
	seen := map[string]bool{}
	for i, b := range s.Bindings {
		at := fmt.Sprintf("scanners.bindings[%d]", i)
		if !scannerPattern.MatchString(b.Scanner) {
			bad("%s.scanner: %q is no scanner's name", at, b.Scanner)
		}
		if b.Server != "" && !serverPattern.MatchString(b.Server) {
			bad("%s.server: %q is no server's name", at, b.Server)
		}
		if len(b.Entries) > 0 && b.Server == "" {
			bad("%s.entries: of which server?", at)
		}
		for _, entry := range b.scoped() {
			if entry == "" && len(b.Entries) > 0 || len(entry) > maxEntry {
				bad("%s.entries: %.80q is no entry's name", at, entry)
			}
			key := b.Scanner + "\x00" + b.Server + "\x00" + entry
			if seen[key] {
				bad("%s.scanner: %q stands twice%s", at, b.Scanner, aboutTheSame(b.Server, entry))
			}
			seen[key] = true
		}
		if !slices.Contains([]string{"", Enforce, UnsafeMonitor}, b.Mode) {
			bad("%s.mode: %q is none of %v", at, b.Mode, []string{Enforce, UnsafeMonitor})
		}
		if !slices.Contains([]string{"", Deny, UnsafeFlag}, b.OnFailure) {
			bad("%s.onFailure: %q is none of %v", at, b.OnFailure, []string{Deny, UnsafeFlag})
		}
		if b.MemoryBytes != 0 && (b.MemoryBytes < minMemory || b.MemoryBytes > maxMemory) {
			bad("%s.memoryBytes: %d is not within %d and %d", at, b.MemoryBytes, minMemory, maxMemory)
		}
		if b.Deadline < 0 || b.Deadline > maxDeadline {
			bad("%s.deadline: %v is not within 0 and %v", at, b.Deadline, maxDeadline)
		}
		if b.Fuel < 0 || b.Fuel > maxFuel {
			bad("%s.fuel: %d is not within 0 and %d", at, b.Fuel, int64(maxFuel))
		}
		if b.FuelPerByte < 0 || b.FuelPerByte > maxFuelPerByte {
			bad("%s.fuelPerByte: %d is not within 0 and %d", at, b.FuelPerByte, maxFuelPerByte)
		}
		problems = append(problems, b.validateTiers(at)...)
	}
	if len(seen) > maxScopes {
		bad("scanners.bindings: about %d scopes, at most %d", len(seen), maxScopes)
	}
	return problems
}

// validateTiers holds each tier to the list that its name promises: what is
// milder than the default is called unsafe.
func (b Binding) validateTiers(at string) (problems []error) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, list := range []struct {
		name   string
		tiers  map[string]string
		unsafe bool
	}{{"tiers", b.Tiers, false}, {"unsafeTiers", b.UnsafeTiers, true}} {
		for _, severity := range slices.Sorted(maps.Keys(list.tiers)) {
			action := list.tiers[severity]
			usual, known := DefaultTiers[severity]
			rank := slices.Index(actions, action)
			switch {
			case !known:
				bad("%s.%s: %q is none of %v", at, list.name, severity, slices.Sorted(maps.Keys(DefaultTiers)))
			case rank < 0:
				bad("%s.%s.%s: %q is none of %v", at, list.name, severity, action, actions)
			case !list.unsafe && rank < slices.Index(actions, usual):
				bad("%s.tiers.%s: %s is milder than %s, the default; it belongs in unsafeTiers", at, severity, action, usual)
			case list.unsafe && rank >= slices.Index(actions, usual):
				bad("%s.unsafeTiers.%s: %s is no milder than %s, the default; it belongs in tiers", at, severity, action, usual)
			}
			if _, twice := b.Tiers[severity]; list.unsafe && twice {
				bad("%s.unsafeTiers.%s: stands in tiers as well", at, severity)
			}
		}
	}
	return problems
}
