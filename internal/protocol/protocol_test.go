package protocol

import (
	"slices"
	"testing"
)

func TestEraOf(t *testing.T) {
	for version, want := range map[string]Era{
		"2026-07-28": Modern, "2025-11-25": Legacy, "2025-06-18": Legacy, "2025-03-26": Legacy, "2024-11-05": Legacy,
		"": "", "2027-01-01": "", "2026-07-28 ": "", "latest": "",
	} {
		if got := EraOf(version); got != want {
			t.Errorf("EraOf(%q) = %q, want %q", version, got, want)
		}
	}
	if Era("").Valid() || !Legacy.Valid() || !Modern.Valid() {
		t.Error("Valid accepts exactly the two eras")
	}
}

func TestMethodTableIsConsistent(t *testing.T) {
	for name, m := range methods {
		if m.Name != name || len(m.Eras) == 0 || m.Kind == 0 || m.Direction == 0 {
			t.Errorf("%s: incomplete row %+v", name, m)
		}
		if m.Entry != "" && !slices.Contains(m.Params, m.Entry) {
			t.Errorf("%s: entry member %q is not among its params", name, m.Entry)
		}
		if !slices.Contains(m.Params, "_meta") {
			t.Errorf("%s: _meta is a member of all params", name)
		}
	}
	if m, ok := Lookup(MethodToolsCall); !ok || m.Entry != "name" || !m.In(Legacy) || !m.In(Modern) {
		t.Errorf("tools/call = %+v, %v", m, ok)
	}
	if m, _ := Lookup(MethodInitialize); m.In(Modern) {
		t.Error("the modern era has no initialize")
	}
	if _, ok := Lookup("tools/Call"); ok {
		t.Error("method names are case-sensitive")
	}
}

func TestHeaderValues(t *testing.T) {
	for value, header := range map[string]string{ // the table of the specification
		"us-west1":             "us-west1",
		"Hello, 世界":            "=?base64?SGVsbG8sIOS4lueVjA==?=",
		" padded ":             "=?base64?IHBhZGRlZCA=?=",
		"line1\nline2":         "=?base64?bGluZTEKbGluZTI=?=",
		"=?base64?literal?=":   "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",
		"":                     "",
		"greet (structured)":   "greet (structured)",
		"=?base64?":            "=?base64?",
		"a\x00b":               "=?base64?YQBi?=",
		"\ttab":                "=?base64?CXRhYg==?=",
		"file:///a/b?c=d%20#e": "file:///a/b?c=d%20#e",
	} {
		if got := EncodeHeader(value); got != header {
			t.Errorf("EncodeHeader(%q) = %q, want %q", value, got, header)
		}
		if got, ok := DecodeHeader(header); !ok || got != value {
			t.Errorf("DecodeHeader(%q) = %q, %v", header, got, ok)
		}
	}
	for _, bad := range []string{"=?base64?!!?=", "=?base64?YQ?=", "caf\u00e9", "a\nb", " a", "=?base64?YR==?="} {
		if got, ok := DecodeHeader(bad); ok {
			t.Errorf("DecodeHeader(%q) = %q, want refusal", bad, got)
		}
	}
}
