package engine

import (
	"fmt"
	"io"
	"maps"
	"time"
)

// Mode says whether a scanner's verdict stops traffic.
type Mode string

// The modes. The zero Mode is enforce.
const (
	ModeEnforce Mode = "enforce"
	ModeMonitor Mode = "monitor" // findings and failures flag at most
)

// OnFailure says what becomes of a message that a scanner failed to examine.
type OnFailure string

// The policies. The zero OnFailure denies.
const (
	OnFailureDeny OnFailure = "deny"
	OnFailureFlag OnFailure = "flag" // the message passes, flagged
)

// Limits bound one call of a scanner. A zero field takes the default.
type Limits struct {
	MemoryBytes uint32        // linear memory of an instance
	Deadline    time.Duration // instantiate, init, alloc and scan together
	ModuleBytes int           // the module itself
	OutputBytes int           // the encoded answer
	Findings    int           // findings in one answer
}

// DefaultLimits suit guests compiled by the standard Go toolchain, which start
// at 3 MiB of memory and collect garbage late; a guest in C or Rust needs a
// tenth. The deadline leaves room for a loaded machine: a scan takes
// milliseconds, and a deadline missed is a message refused.
var DefaultLimits = Limits{
	MemoryBytes: 64 << 20,
	Deadline:    5 * time.Second,
	ModuleBytes: 16 << 20,
	OutputBytes: 64 << 10,
	Findings:    256,
}

func (l Limits) withDefaults() Limits {
	if l.MemoryBytes == 0 {
		l.MemoryBytes = DefaultLimits.MemoryBytes
	}
	if l.Deadline <= 0 {
		l.Deadline = DefaultLimits.Deadline
	}
	if l.ModuleBytes <= 0 {
		l.ModuleBytes = DefaultLimits.ModuleBytes
	}
	if l.OutputBytes <= 0 {
		l.OutputBytes = DefaultLimits.OutputBytes
	}
	if l.Findings <= 0 {
		l.Findings = DefaultLimits.Findings
	}
	return l
}

// Tiers say what follows from a finding of each severity.
type Tiers map[Severity]Action

// DefaultTiers block on high and critical, flag medium and log the rest.
func DefaultTiers() Tiers {
	return Tiers{
		SeverityCritical: ActionBlock,
		SeverityHigh:     ActionBlock,
		SeverityMedium:   ActionFlag,
		SeverityLow:      ActionLog,
		SeverityInfo:     ActionLog,
	}
}

// Options are how one scanner is run.
type Options struct {
	Mode      Mode
	OnFailure OnFailure
	Limits    Limits
	Config    []byte // handed to bartizan_init
	Tiers     Tiers  // nil means DefaultTiers
	// Log gets what the guest writes, at most 4 KiB a call; nil discards it. A
	// guest may write what it scanned: this is for authors, not for operation.
	// Scans that run at a time write at a time.
	Log io.Writer
}

func (o Options) withDefaults() (Options, error) {
	switch o.Mode {
	case "":
		o.Mode = ModeEnforce
	case ModeEnforce, ModeMonitor:
	default:
		return o, fmt.Errorf("%w: unknown mode %q", ErrOptions, o.Mode)
	}
	switch o.OnFailure {
	case "":
		o.OnFailure = OnFailureDeny
	case OnFailureDeny, OnFailureFlag:
	default:
		return o, fmt.Errorf("%w: unknown failure policy %q", ErrOptions, o.OnFailure)
	}
	tiers := DefaultTiers()
	maps.Copy(tiers, o.Tiers)
	for severity, action := range tiers {
		if !severity.Valid() || action.rank() == 4 && action != ActionBlock {
			return o, fmt.Errorf("%w: tier %q: %q", ErrOptions, severity, action)
		}
	}
	o.Tiers = tiers
	o.Limits = o.Limits.withDefaults()
	return o, nil
}
