//go:build !race

package normalise

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// allocated is how many bytes Views asks for in all.
func allocated(text string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Views(text, DefaultLimits)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestWorkGrowsWithTheText holds that no text asks for more than in proportion:
// four times the bytes for about four times the room, and never for much.
func TestWorkGrowsWithTheText(t *testing.T) {
	small, large := hostile(16<<10), hostile(64<<10)
	for name, text := range large {
		less, more := allocated(small[name]), allocated(text)
		if more > 8*less+64<<10 {
			t.Errorf("%s: %d bytes for 16 KB, %d for 64 KB", name, less, more)
		}
		if more > uint64(400*len(text)) {
			t.Errorf("%s: %d bytes for a text of %d", name, more, len(text))
		}
	}
}

// TestNestedTooDeep holds that what would need a fourth decoding is reported.
func TestNestedTooDeep(t *testing.T) {
	text := secret
	for depth := range 6 {
		_, complete := Views(text, DefaultLimits)
		if want := depth <= DefaultLimits.Depth; complete != want {
			t.Errorf("%d times base64: complete %v", depth, complete)
		}
		text = b64(text)
	}
}

// TestTenMegabytes holds that long texts keep their bounds, and that what has no
// room is reported.
func TestTenMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("long texts")
	}
	const size = 10 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, tc := range map[string]struct {
		text     string
		complete bool
	}{
		"prose":          {fill("the file is there "), true},
		"base64":         {b64(strings.Repeat("the file is there ", size/24)), true},
		"ligatures":      {fill("\ufdfa"), false},
		"zalgo":          {fill("a\u0336\u0310\u0355\u0301\u0302"), true},
		"invalid":        {fill("\xff\xfe"), true},
		"nested in JSON": {`{"a":"` + strings.Repeat(`\\\\\\\\`, size/8) + `"}`, false},
		"percent of it":  {"%" + fill("25"), false},
		"spelled":        {fill("i g n o r e  "), true},
	} {
		views, complete := Views(tc.text, DefaultLimits)
		total := 0
		for _, v := range views {
			total += len(v.Text)
			if !utf8.ValidString(v.Text) {
				t.Errorf("%s: %s is no text", name, v.Provenance)
			}
		}
		if limit := DefaultLimits.Factor*3*len(tc.text) + slack; total > limit { // an invalid byte is three
			t.Errorf("%s: %d bytes of views", name, total)
		}
		if complete != tc.complete {
			t.Errorf("%s: complete %v with %d views", name, complete, len(views))
		}
	}
}
