package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
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
)

// Binding returns that of the named scanner, or one that says nothing.
func (s Scanners) Binding(name string) Binding {
	for _, b := range s.Bindings {
		if b.Scanner == name {
			return b
		}
	}
	return Binding{Scanner: name}
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
		if seen[b.Scanner] {
			bad("%s.scanner: %q stands twice", at, b.Scanner)
		}
		seen[b.Scanner] = true
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
