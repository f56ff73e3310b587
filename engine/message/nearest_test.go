package message

import (
	"fmt"
	"slices"
	"testing"
)

// TestLookAlikesAreNear holds that a name which only looks like another is near
// to it, however many of its letters are borrowed, and however many others a
// tenant has.
func TestLookAlikesAreNear(t *testing.T) {
	const victim = "send_email"
	var candidates []ContextEntry
	for i := range 300 {
		candidates = append(candidates, ContextEntry{Name: fmt.Sprintf("s%d_email", i)})
	}
	candidates = append(candidates, ContextEntry{Name: victim})
	for _, name := range []string{
		"s\u0435nd_email", "\u0455\u0435n\u0501_\u0435m\u0430\u0456l", "ｓｅｎｄ＿ｅｍａｉｌ", "s\u200be\u200bn\u200bd\u200b_\u200bemail", "SEND-EMAIL",
	} {
		near := Nearest(&Message{Phase: PhaseListing, Items: []Item{{Kind: "tool", Key: name}}}, candidates)
		if !slices.ContainsFunc(near, func(c ContextEntry) bool { return c.Name == victim }) {
			t.Errorf("%q is far from %s", name, victim)
		}
	}
}
