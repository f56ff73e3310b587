package engine

import (
	"fmt"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// ABI is the version of the scanner ABI that this engine runs.
const ABI = 1

// ManifestSection is the custom section that holds a module's manifest.
const ManifestSection = "bartizan.manifest"

// Values of a manifest's encoding, form and call that this engine runs.
const (
	EncodingJSON = "json"
	EncodingFlat = "flat"
	FormReactor  = "reactor"
	FormCommand  = "command"
	CallAlways   = "always"

	CallTriggered = "triggered"
)

// Families of rules.
var families = []string{"injection", "exfil", "poisoning", "shadowing", "integrity"}

// Manifest is what a scanner says about itself: sdk/abi/manifest.schema.json.
type Manifest struct {
	ABI      int             `json:"abi"`
	Name     string          `json:"name"`
	Version  string          `json:"version"`
	Phases   []message.Phase `json:"phases"`
	Encoding string          `json:"encoding"`
	Form     string          `json:"form"`
	Call     string          `json:"call"`
	Patterns []Pattern       `json:"patterns,omitzero"`
	Trigger  *Trigger        `json:"trigger,omitzero"` // nil: any pattern
	Limits   Wanted          `json:"limits,omitzero"`
	Rules    []Rule          `json:"rules"`
}

// Wanted are the limits that a scanner asks for. It gets no more than it asks
// for, and is refused when the engine gives less.
type Wanted struct {
	MemoryBytes uint32 `json:"memoryBytes,omitzero"`
	DeadlineMs  int    `json:"deadlineMs,omitzero"`
	Fuel        int64  `json:"fuel,omitzero"`
}

// Rule is one rule of a scanner. A finding is at most as severe as its rule.
type Rule struct {
	ID          string   `json:"id"`
	Family      string   `json:"family"`
	Severity    Severity `json:"severity"`
	Taxonomy    []string `json:"taxonomy"` // OWASP and MITRE ATLAS ids
	Description string   `json:"description"`
}

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	versionForm  = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`)
	ruleForm     = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)
	taxonomyForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)
)

// Bounds of a manifest.
const (
	maxManifest    = 1 << 20
	maxName        = 64
	maxRules       = 1024
	maxTaxonomy    = 16
	maxDescription = 512
)

// ParseManifest reads a manifest strictly: what this engine does not have is
// refused, not ignored, since a scanner without it would be blind. The error is a
// [*ManifestError].
func ParseManifest(b []byte) (Manifest, error) {
	var m Manifest
	if len(b) > maxManifest {
		return m, unfit("", "found %d bytes: want %d at most", len(b), maxManifest)
	}
	if err := json.Unmarshal(b, &m, json.RejectUnknownMembers(true)); err != nil {
		return m, unread(err)
	}
	if at, null := nullAt(b); null {
		return m, unfit(at, "found null, which nothing in a manifest is: leave the member out")
	}
	return m, m.check()
}

// ReadManifest returns the manifest of a module, which must have exactly one.
func ReadManifest(wasm []byte) (Manifest, error) {
	sections, err := wasmsection.Custom(wasm, ManifestSection)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrModule, err)
	}
	if len(sections) != 1 {
		return Manifest{}, unfit("", wrongSections, len(sections), ManifestSection)
	}
	return ParseManifest(sections[0])
}

// wrongSections says how many there are.
const wrongSections = "the module has %d custom sections %s: want exactly one, which `bartizan scanner attach` puts in"

// within returns the limits that a scanner runs under.
func (w Wanted) within(l Limits) (Limits, error) {
	deadline := time.Duration(w.DeadlineMs) * time.Millisecond
	switch {
	case w.MemoryBytes > l.MemoryBytes:
		return l, fmt.Errorf("%w: limits.memoryBytes of the manifest is %d, this engine gives %d", ErrLimits, w.MemoryBytes, l.MemoryBytes)
	case deadline > l.Deadline:
		return l, fmt.Errorf("%w: limits.deadlineMs of the manifest is %d, this engine gives %d", ErrLimits, w.DeadlineMs, l.Deadline.Milliseconds())
	case w.Fuel > l.Fuel:
		return l, fmt.Errorf("%w: limits.fuel of the manifest is %d, this engine gives %d", ErrLimits, w.Fuel, l.Fuel)
	}
	if w.MemoryBytes > 0 {
		l.MemoryBytes = w.MemoryBytes
	}
	if deadline > 0 {
		l.Deadline = deadline
	}
	if w.Fuel > 0 {
		l.Fuel = w.Fuel
	}
	return l, nil
}
