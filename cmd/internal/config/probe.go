package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// Modes of the probe.
const (
	ProbeAuto    = "auto"    // where this machine can isolate programs
	ProbeRequire = "require" // or do not start, and take no supplied listings of local servers
	ProbeOff     = "off"
)

// Probe is how the registry starts local servers, in isolation, to list them
// and to see what they try.
type Probe struct {
	Mode string `json:"mode"`
	// Runtimes are folders with interpreters beside the system's, each with a bin.
	Runtimes []string `json:"runtimes"`
	// Timeout of one answer of the server.
	Timeout time.Duration `json:"timeout"`
	// MemoryBytes of all its processes together.
	MemoryBytes int `json:"memoryBytes"`
	// ScratchBytes that it may write, in its home folder and in /tmp.
	ScratchBytes int `json:"scratchBytes"`
	// OutputBytes that it may say in one run.
	OutputBytes int `json:"outputBytes"`
	// Processes and threads.
	Processes int `json:"processes"`
	// AtOnce is how many servers are probed beside each other.
	AtOnce int `json:"atOnce"`
}

// defaultProbe are limits that common servers start well within.
func defaultProbe() Probe {
	return Probe{Mode: ProbeAuto, Timeout: 20 * time.Second, MemoryBytes: 1 << 30, ScratchBytes: 64 << 20, OutputBytes: 64 << 20, Processes: 128, AtOnce: 2}
}

func (p Probe) validate() []error {
	var problems []error
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("registry.probe."+format, args...))
	}
	if !slices.Contains([]string{ProbeAuto, ProbeRequire, ProbeOff}, p.Mode) {
		bad("mode: %q is none of %v", p.Mode, []string{ProbeAuto, ProbeRequire, ProbeOff})
	}
	for i, r := range p.Runtimes {
		if !filepath.IsAbs(r) || filepath.Clean(r) != r || r == "/" {
			bad("runtimes[%d]: %q is no clean absolute path of a folder", i, r)
		}
	}
	if p.Timeout < time.Second || p.Timeout > 2*time.Minute {
		bad("timeout: %v is not within 1s and 2m", p.Timeout)
	}
	for _, limit := range []struct {
		key        string
		value, low int
		high       int
	}{
		{"memoryBytes", p.MemoryBytes, 64 << 20, 1 << 40}, {"scratchBytes", p.ScratchBytes, 1 << 20, 1 << 34},
		{"outputBytes", p.OutputBytes, 64 << 10, 1 << 32}, {"processes", p.Processes, 16, 4096}, {"atOnce", p.AtOnce, 1, 64},
	} {
		if limit.value < limit.low || limit.value > limit.high {
			bad("%s: %d is not within %d and %d", limit.key, limit.value, limit.low, limit.high)
		}
	}
	return problems
}
