package trace

import (
	"strings"
	"testing"
)

const soundOne = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestSound(t *testing.T) {
	for _, tt := range []struct{ parent, state, wantParent, wantState string }{
		{soundOne, "", soundOne, ""},
		{soundOne, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", soundOne, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"},
		{"cc" + soundOne[2:], "a=1", "cc" + soundOne[2:], "a=1"},
		{soundOne, "a=1,", soundOne, "a=1,"},
		{"", "a=1", "", ""},
		{"x", "a=1", "", ""},
		{"ff" + soundOne[2:], "", "", ""},
		{strings.ToUpper(soundOne), "", "", ""},
		{soundOne + "-", "", "", ""},
		{soundOne + " ", "", "", ""},
		{"cc" + soundOne[2:] + "-the-password-is-swordfish", "", "", ""},
		{strings.Replace(soundOne, "-", "_", 1), "", "", ""},
		{"00-" + strings.Repeat("0", 32) + soundOne[35:], "", "", ""},
		{soundOne[:36] + strings.Repeat("0", 16) + "-01", "", "", ""},
		{soundOne, "the password is swordfish", soundOne, ""},
		{soundOne, "a=1,a=2", soundOne, ""},
		{soundOne, "A=1", soundOne, ""},
		{soundOne, "a=" + strings.Repeat("x", 257), soundOne, ""},
		{soundOne, "a=" + strings.Repeat("x", 200) + ",b=" + strings.Repeat("x", 200) + ",c=" + strings.Repeat("x", 200), soundOne, ""},
		{soundOne, "a=1\r\nX-Evil: 1", soundOne, ""},
		{soundOne, "a=\xff", soundOne, ""},
	} {
		if got := (Remote{tt.parent, tt.state}).Sound(); got != (Remote{tt.wantParent, tt.wantState}) {
			t.Errorf("%q %q passes as %q", tt.parent, tt.state, got)
		}
	}
}

// FuzzSound: what passes is what the library reads as a trace context, too, and
// holds nothing that a header could not.
func FuzzSound(f *testing.F) {
	f.Add(soundOne, "a=1")
	f.Fuzz(func(t *testing.T, parent, state string) {
		got := Remote{parent, state}.Sound()
		if got.Parent == "" {
			if got.State != "" {
				t.Fatalf("a state without a parent: %q", got.State)
			}
			return
		}
		if !got.context().IsValid() {
			t.Fatalf("%q passes and is none", got)
		}
		if strings.ContainsFunc(got.Parent+got.State, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }) {
			t.Fatalf("%q", got)
		}
	})
}
