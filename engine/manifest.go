package engine

import (
	"fmt"
	"regexp"
	"slices"
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
// refused, not ignored, since a scanner without it would be blind.
func ParseManifest(b []byte) (Manifest, error) {
	var m Manifest
	if len(b) > maxManifest {
		return m, fmt.Errorf("%w: more than %d bytes", ErrManifest, maxManifest)
	}
	if err := json.Unmarshal(b, &m, json.RejectUnknownMembers(true)); err != nil {
		return m, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if holdsNull(b) {
		return m, fmt.Errorf("%w: null, which nothing in it is", ErrManifest)
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
		return Manifest{}, fmt.Errorf("%w: want exactly one section %q, the module has %d", ErrManifest, ManifestSection, len(sections))
	}
	return ParseManifest(sections[0])
}

func (m *Manifest) check() error {
	switch {
	case m.ABI != ABI:
		return fmt.Errorf("%w: abi %d: this engine runs %d", ErrManifest, m.ABI, ABI)
	case !nameForm.MatchString(m.Name) || len(m.Name) > maxName:
		return fmt.Errorf("%w: name %q: want lower-case words joined by hyphens", ErrManifest, m.Name)
	case !versionForm.MatchString(m.Version) || len(m.Version) > maxName:
		return fmt.Errorf("%w: version %q: want a semantic version", ErrManifest, m.Version)
	case m.Encoding == "" || m.Form == "" || m.Call == "":
		return fmt.Errorf("%w: encoding, form and call are required", ErrManifest)
	case m.Encoding != EncodingJSON && m.Encoding != EncodingFlat:
		return fmt.Errorf("%w: encoding %q: want %q or %q", ErrManifest, m.Encoding, EncodingJSON, EncodingFlat)
	case m.Form != FormReactor && m.Form != FormCommand:
		return fmt.Errorf("%w: form %q: want %q or %q", ErrManifest, m.Form, FormReactor, FormCommand)
	case m.Form == FormCommand && m.Encoding != EncodingJSON:
		return fmt.Errorf("%w: form %q reads and writes encoding %q", ErrManifest, FormCommand, EncodingJSON)
	case m.Call != CallAlways && m.Call != CallTriggered:
		return fmt.Errorf("%w: call %q: want %q or %q", ErrManifest, m.Call, CallAlways, CallTriggered)
	case m.Call == CallAlways && m.Trigger != nil:
		return fmt.Errorf("%w: trigger: call is %q", ErrManifest, m.Call)
	case m.Call == CallTriggered && m.Trigger == nil && len(m.Patterns) == 0:
		return fmt.Errorf("%w: call %q: wants patterns or a trigger", ErrManifest, m.Call)
	case len(m.Phases) == 0:
		return fmt.Errorf("%w: phases: at least one is required", ErrManifest)
	case m.Limits.DeadlineMs < 0 || m.Limits.Fuel < 0:
		return fmt.Errorf("%w: limits: negative", ErrManifest)
	case len(m.Rules) == 0 || len(m.Rules) > maxRules:
		return fmt.Errorf("%w: rules: want 1 to %d, got %d", ErrManifest, maxRules, len(m.Rules))
	}
	for i, p := range m.Phases {
		if !p.Valid() || slices.Contains(m.Phases[:i], p) {
			return fmt.Errorf("%w: phases: %q unknown or twice", ErrManifest, p)
		}
	}
	if m.Patterns != nil && len(m.Patterns) == 0 {
		return fmt.Errorf("%w: patterns: none", ErrManifest)
	}
	if err := checkPatterns(m.Patterns); err != nil {
		return err
	}
	if m.Trigger != nil {
		if err := m.Trigger.check(m.Patterns); err != nil {
			return err
		}
	}
	seen := make(map[string]bool, len(m.Rules))
	for _, r := range m.Rules {
		if err := r.check(); err != nil {
			return err
		}
		if seen[r.ID] {
			return fmt.Errorf("%w: rule %q twice", ErrManifest, r.ID)
		}
		seen[r.ID] = true
	}
	return nil
}

func (r *Rule) check() error {
	switch {
	case !ruleForm.MatchString(r.ID) || len(r.ID) > maxName:
		return fmt.Errorf("%w: rule id %q: want lower-case words joined by dots or hyphens", ErrManifest, r.ID)
	case !slices.Contains(families, r.Family):
		return fmt.Errorf("%w: rule %s: family %q: want one of %v", ErrManifest, r.ID, r.Family, families)
	case !r.Severity.Valid():
		return fmt.Errorf("%w: rule %s: severity %q", ErrManifest, r.ID, r.Severity)
	case r.Description == "" || len(r.Description) > maxDescription:
		return fmt.Errorf("%w: rule %s: description: want 1 to %d bytes", ErrManifest, r.ID, maxDescription)
	case len(r.Taxonomy) > maxTaxonomy:
		return fmt.Errorf("%w: rule %s: more than %d taxonomy ids", ErrManifest, r.ID, maxTaxonomy)
	}
	for _, id := range r.Taxonomy {
		if !taxonomyForm.MatchString(id) {
			return fmt.Errorf("%w: rule %s: taxonomy id %q", ErrManifest, r.ID, id)
		}
	}
	return nil
}

// within returns the limits that a scanner runs under.
func (w Wanted) within(l Limits) (Limits, error) {
	deadline := time.Duration(w.DeadlineMs) * time.Millisecond
	switch {
	case w.MemoryBytes > l.MemoryBytes:
		return l, fmt.Errorf("%w: wants %d bytes of memory, gets %d", ErrLimits, w.MemoryBytes, l.MemoryBytes)
	case deadline > l.Deadline:
		return l, fmt.Errorf("%w: wants %s, gets %s", ErrLimits, deadline, l.Deadline)
	case w.Fuel > l.Fuel:
		return l, fmt.Errorf("%w: wants %d units of fuel, gets %d", ErrLimits, w.Fuel, l.Fuel)
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
