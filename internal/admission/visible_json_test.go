package admission

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// hostileTexts move a cursor, hide, or turn their neighbours around.
var hostileTexts = []string{
	"\x1b[2Jgone", "\x1b]0;title\x07", "\u009b31mred", "a\u202egnp.exe", "zero\u200bwidth", "\U000e0041tag", "nul\x00", "del\x7f", "soft\u00adhyphen", "line\u2028end", "\u2066isolate\u2069", "back\bspace\r\nline",
}

func TestVisibleJSON(t *testing.T) {
	for _, text := range hostileTexts {
		body, err := json.Marshal(map[string]string{"text": text, text: "x"})
		if err != nil {
			t.Fatal(err)
		}
		got := VisibleJSON(string(body))
		if i := strings.IndexFunc(got, deceives); i >= 0 {
			t.Errorf("%q: %q at %d", text, got, i)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(got), &back); err != nil || back["text"] != text {
			t.Errorf("%q became %q, %v", text, back["text"], err)
		}
	}
	for _, plain := range []string{"{\n  \"a\": \"é 日本 😀\"\n}\n", `{"a":"\u001b"}`} {
		if VisibleJSON(plain) != plain {
			t.Errorf("%q was changed", plain)
		}
	}
}

func FuzzVisibleJSON(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body, err := json.Marshal(text)
		if err != nil {
			return
		}
		var back string
		if err := json.Unmarshal([]byte(VisibleJSON(string(body))), &back); err != nil || back != text {
			t.Errorf("%q became %q, %v", text, back, err)
		}
	})
}
