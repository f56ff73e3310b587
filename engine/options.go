package engine

import (
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/sandbox"
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
	Fuel        int64         // units of one call, some of the guest's instructions each
	FuelPerByte int64         // units more for each byte of the encoded input
	Deadline    time.Duration // bartizan_alloc and bartizan_scan; initialisation has as much
	ModuleBytes int           // the module itself
	OutputBytes int           // the encoded answer
	Findings    int           // findings in one answer
}

// DefaultLimits are those of package sandbox, and the ABI's number of findings.
var DefaultLimits = Limits{
	MemoryBytes: sandbox.DefaultLimits.MemoryBytes,
	Fuel:        sandbox.DefaultLimits.Fuel,
	FuelPerByte: sandbox.DefaultLimits.FuelPerByte,
	Deadline:    sandbox.DefaultLimits.Deadline,
	ModuleBytes: sandbox.DefaultLimits.ModuleBytes,
	OutputBytes: sandbox.DefaultLimits.OutputBytes,
	Findings:    256,
}

func (l Limits) withDefaults() Limits {
	d := l.sandbox().WithDefaults()
	if l.Findings <= 0 {
		l.Findings = DefaultLimits.Findings
	}
	return Limits{d.MemoryBytes, d.Fuel, d.FuelPerByte, d.Deadline, d.ModuleBytes, d.OutputBytes, l.Findings}
}

func (l Limits) sandbox() sandbox.Limits {
	return sandbox.Limits{
		MemoryBytes: l.MemoryBytes, Fuel: l.Fuel, FuelPerByte: l.FuelPerByte,
		Deadline: l.Deadline, ModuleBytes: l.ModuleBytes, OutputBytes: l.OutputBytes,
	}
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

// milder reports whether some severity has less follow than by default.
func (t Tiers) milder() bool {
	for severity, usual := range defaultTiers {
		if t[severity].Less(usual) {
			return true
		}
	}
	return false
}

// atLeastDefault returns t where it is stricter than the default.
func (t Tiers) atLeastDefault() Tiers {
	strict := DefaultTiers()
	for severity, action := range t {
		if strict[severity].Less(action) {
			strict[severity] = action
		}
	}
	return strict
}

var defaultTiers = DefaultTiers()

// Options are how one scanner is run.
type Options struct {
	Scope     Scope // the zero Scope is every message
	Mode      Mode
	OnFailure OnFailure
	Limits    Limits
	Config    []byte // handed to bartizan_init
	Tiers     Tiers  // nil means DefaultTiers
	Signer    string // who vouches for the module, for people; nothing depends on it
	// Log gets what the guest writes, at most 4 KiB a call; nil discards it. A
	// guest may write what it scanned: this is for authors, not for operation.
	// Scans that run at a time write at a time.
	Log io.Writer
}

// failureDenies reports whether a message does not pass that the scanner fails on.
func (o *Options) failureDenies() bool { return o.Mode == ModeEnforce && o.OnFailure == OnFailureDeny }

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
	if o.Scope.Entry != "" && o.Scope.Server == "" {
		return o, fmt.Errorf("%w: an entry of no server", ErrOptions)
	}
	o.Tiers = tiers
	o.Limits = o.Limits.withDefaults()
	return o, nil
}
