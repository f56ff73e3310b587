package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// TestEscapeSequences (attack row 55): whatever a server is called and says of
// itself, no form of output hands a terminal anything to obey or to hide.
func TestEscapeSequences(t *testing.T) {
	for _, hostile := range []string{"\x1b[2Jgone", "\x1b]8;;http://evil.example\x07x", "\u009b31m", "a\u202egnp", "b\u200b", "\U000e0041", "c\r\nroot# ", "d\x07\x08"} {
		v := &admission.Version{
			Name: hostile, Version: hostile, Publisher: hostile, Alias: hostile, Launch: admission.Launch{Command: []string{hostile}, URL: hostile},
			Lifecycle: admission.Lifecycle{Status: admission.Deprecated, Message: hostile},
			Reasons:   []admission.Reason{{Code: hostile, Detail: hostile}},
			Findings:  []admission.Finding{{Rule: hostile, Pointer: hostile, Message: hostile}}, Failures: []admission.Failure{{Scanner: hostile, Detail: hostile}},
		}
		for _, format := range []string{"table", "json"} {
			var out bytes.Buffer
			if err := printVersion(&out, v, format); err != nil {
				t.Fatal(err)
			}
			if err := printLine(&out, v); err != nil {
				t.Fatal(err)
			}
			if err := printChanges(&out, []admission.Change{{Kind: "tool", Key: hostile, Pointer: hostile, Old: admission.Visible(hostile), New: admission.Visible(hostile)}}); err != nil {
				t.Fatal(err)
			}
			if i := strings.IndexFunc(out.String(), func(r rune) bool {
				return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
			}); i >= 0 {
				t.Errorf("%q, %s: %q", hostile, format, out.String()[max(0, i-20):min(out.Len(), i+20)])
			}
			if strings.Contains(out.String(), "\nroot#") {
				t.Errorf("%s: a forged line", format)
			}
		}
	}
}
