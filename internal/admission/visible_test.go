package admission

import "testing"

func TestVisible(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", `"Get the weather"`, `"Get the weather"`},
		{"escape sequence", "a\x1b[31mred", `a\u001b[31mred`},
		{"bidi override", "pay\u202eevil", `pay\u202eevil`},
		{"zero width", "ad\u200bmin", `ad\u200bmin`},
		{"tag characters", "x\U000E0041", `x\u{e0041}`},
		{"variation selector", "x\ufe0f\U000E0100", `x\ufe0f\u{e0100}`},
		{"hangul filler", "a\u3164b", `a\u3164b`},
		{"c1 control", "a\u009bb", `a\u009bb`},
		{"line breaks", "a\nb\r\u2028", `a\u000ab\u000d\u2028`},
		{"no-break space", "a\u00a0b", `a\u00a0b`},
		{"broken UTF-8", "a\xffb", `a\xffb`},
		{"replacement character itself", "\ufffd", "\ufffd"},
		{"other scripts stay readable", "żółć 東京 שלום", "żółć 東京 שלום"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Visible(tc.in); got != tc.want {
				t.Errorf("Visible(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestDeceptive(t *testing.T) {
	for _, s := range []string{"two lines\n\tand a tab", "careful \u26a0\ufe0f now", "no\u00a0break", "\U0001F469\u200d\U0001F4BB"} {
		if r, found := Deceptive(s); found {
			t.Errorf("%q reported for %U", s, r)
		}
	}
	for _, s := range []string{"a\u200bb", "a\u202eb", "a\U000E0041", "a\x1bb", "a\u00adb", "a\ufe0fb", "a\u200db"} {
		if _, found := Deceptive(s); !found {
			t.Errorf("%q not reported", s)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("a\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Visible(s) {
			if deceives(r) {
				t.Fatalf("Visible(%q) still holds %U", s, r)
			}
		}
	})
}
