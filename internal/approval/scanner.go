package approval

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ScannerBinding is what a server's entry in the registry asks of a scanner for
// the server's messages. It only ever adds to how a gateway's operator has the
// scanner run; a gateway without the scanner denies.
type ScannerBinding struct {
	Scanner string   `json:"scanner"`          // name in its manifest
	Entries []string `json:"entries,omitzero"` // tools, prompts, resource URIs; none means the whole server
	Digest  string   `json:"digest,omitzero"`  // of the one module that will do, lower-case hex SHA-256
	// Mode is enforce, or monitor, which asks for nothing; OnFailure deny, or
	// flag, which does not either.
	Mode      string `json:"mode,omitzero"`
	OnFailure string `json:"onFailure,omitzero"`
	// Config has the scanner run once more, with this object as its configuration.
	Config jsontext.Value `json:"config,omitzero"`
}

// Bounds of scanner bindings.
const (
	MaxScannerBindings = 32
	maxBindingEntries  = 256
	maxBindingConfig   = 64 << 10
)

var scannerName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ParseScannerBindings reads a list of bindings strictly.
func ParseScannerBindings(b []byte) ([]ScannerBinding, error) {
	var all []ScannerBinding
	if err := json.Unmarshal(b, &all, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: scanner bindings: %w", ErrMalformed, err)
	}
	return all, checkScannerBindings(all)
}

func checkScannerBindings(all []ScannerBinding) error {
	if len(all) > MaxScannerBindings {
		return fmt.Errorf("%w: more than %d scanner bindings", ErrMalformed, MaxScannerBindings)
	}
	for i, b := range all {
		if what := b.wrong(); what != "" {
			return fmt.Errorf("%w: scanner binding %d: %s", ErrMalformed, i, what)
		}
	}
	return nil
}

func (b *ScannerBinding) wrong() string {
	switch {
	case !scannerName.MatchString(b.Scanner) || len(b.Scanner) > 64:
		return "scanner is no scanner's name"
	case len(b.Entries) > maxBindingEntries:
		return fmt.Sprintf("more than %d entries", maxBindingEntries)
	case slices.ContainsFunc(b.Entries, func(e string) bool { return e == "" || len(e) > 2048 }):
		return "an entry without a name, or a longer one than any has"
	case b.Digest != "" && !isHex256(b.Digest):
		return "digest is not 64 lower-case hex digits"
	case !slices.Contains([]string{"", "enforce", "monitor"}, b.Mode):
		return "mode is neither enforce nor monitor"
	case !slices.Contains([]string{"", "deny", "flag"}, b.OnFailure):
		return "onFailure is neither deny nor flag"
	case b.Config != nil && b.Config.Kind() != '{':
		return "config is not an object"
	case len(b.Config) > maxBindingConfig:
		return fmt.Sprintf("config of more than %d bytes", maxBindingConfig)
	}
	return ""
}
