package fingerprint

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/tlog"
)

// Wherever every number is written exactly, canonical text is RFC 8785.
func TestCanonicalAgreesWithJCS(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		f := math.Float64frombits(rng.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		agreeWithJCS(t, strconv.FormatFloat(f, 'e', -1, 64))
		agreeWithJCS(t, strconv.FormatFloat(float64(int64(f)), 'f', -1, 64))
	}
	for _, in := range []string{"0", "1e21", "1e-6", "1e-7", "123456789.125", "-1.5", "[1,{\"b\":[true,null],\"a\":\"\\u0001\\u20ac\"}]"} {
		agreeWithJCS(t, in)
	}
	for range 2_000 {
		var runes []rune
		for range rng.IntN(6) {
			runes = append(runes, rune(rng.IntN(0x11_0000)))
		}
		key, value := string(runes), string(rune(rng.IntN(0x300)))
		doc, _ := jsontext.AppendQuote([]byte("{"), strings.ToValidUTF8(key, "?")+"1")
		doc, _ = jsontext.AppendQuote(append(doc, ':'), value)
		doc, _ = jsontext.AppendQuote(append(doc, ','), string(rune(rng.IntN(0xD800)))+"2")
		agreeWithJCS(t, string(append(doc, ":[]}"...)))
	}
}

func agreeWithJCS(t *testing.T, in string) {
	t.Helper()
	want, err := jcs.Transform([]byte(`[` + in + `]`))
	if err != nil {
		t.Fatalf("jcs %q: %v", in, err)
	}
	got, err := Canonical(jsontext.Value(`[` + in + `]`))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q: %s, %v; jcs writes %s", in, got, err, want)
	}
}

func TestNumbersKeepTheirValue(t *testing.T) {
	for _, token := range []string{"1e399", "-1e398", "9007199254740993", "0.1000000000000000055511151231257827", "12.5000e2", "1e-398", "120e-1", "-0.001e3"} {
		text, err := canonicalNumber(token)
		if err != nil {
			t.Errorf("%s: %v", token, err)
			continue
		}
		want, _ := parseDecimal(token)
		if got, ok := parseDecimal(text); !ok || got != want {
			t.Errorf("%s became %s", token, text)
		}
		if len(text) > maxNumber {
			t.Errorf("%s: %d characters", token, len(text))
		}
	}
}

func TestPlainLenIsExact(t *testing.T) {
	for exp := -30; exp <= 30; exp++ {
		for _, digits := range []string{"1", "12345"} {
			for _, negative := range []bool{false, true} {
				d := decimal{negative, digits, exp}
				if d.plainLen() != len(d.plain()) {
					t.Errorf("%+v: %d, writes %q", d, d.plainLen(), d.plain())
				}
			}
		}
	}
}

func TestCompareUTF16(t *testing.T) {
	ordered := []string{"", "a", "a\u0000", "b", "\u00f6", "\u20ac", "\U00010000", "\U0001f600", "\U0010ffff", "\ue000", "\ufb33", "\uffff"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := compareUTF16(a, b); got != cmpInt(i, j) {
				t.Errorf("compare(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func cmpInt(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// The tree is the one of Certificate Transparency and of x/mod/sumdb.
func TestTreeHashIsRFC6962(t *testing.T) {
	var stored []tlog.Hash
	var leaves []Digest
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			hashes[i] = stored[x]
		}
		return hashes, nil
	})
	for n := range int64(40) {
		data := fmt.Appendf(nil, "record %d", n)
		more, err := tlog.StoredHashes(n, data, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		leaves = append(leaves, Digest(tlog.RecordHash(data)))
		want, err := tlog.TreeHash(n+1, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := treeHash(leaves); got != Digest(want) {
			t.Errorf("%d leaves: %s, want %x", n+1, got, want)
		}
	}
}

func TestVolatile(t *testing.T) {
	entry := func(raw string, volatile ...string) Digest {
		t.Helper()
		e, err := OfEntry(KindTool, jsontext.Value(raw), volatile)
		if err != nil {
			t.Fatalf("%s %v: %v", raw, volatile, err)
		}
		return e.Behavioural
	}
	same := func(a, b string, volatile ...string) {
		t.Helper()
		if entry(a, volatile...) != entry(b, volatile...) {
			t.Errorf("with %v %s differs from %s", volatile, a, b)
		}
	}
	same(`{"name":"a","_meta":{"x/y":{"t":1},"k":1}}`, `{"name":"a","_meta":{"x/y":{"t":2},"k":1}}`, "/_meta/x~1y/t")
	same(`{"name":"a","_meta":{"x":[{"t":1}]}}`, `{"name":"a","_meta":{"x":[{"t":2}]}}`, "/_meta/x/0/t")
	same(`{"name":"a","_meta":{"x":1}}`, `{"name":"a","_meta":{}}`, "/_meta/x")
	same(`{"name":"a"}`, `{"name":"a"}`, "/_meta/x/y")
	if entry(`{"name":"a","_meta":{"x":[1]}}`, "/_meta/x/0") == entry(`{"name":"a","_meta":{"x":[2]}}`, "/_meta/x/0") {
		t.Error("an array element was removed")
	}
	if entry(`{"name":"a","_meta":{"x":1,"k":1}}`, "/_meta/x") == entry(`{"name":"a","_meta":{"x":1,"k":2}}`, "/_meta/x") {
		t.Error("a neighbour of a volatile value was removed")
	}
	for _, pointer := range []string{"", "/", "/_meta", "/description", "/_metaphor/x", "_meta/x", "/_meta/~2", "/inputSchema/_meta/x"} {
		if _, err := OfEntry(KindTool, jsontext.Value(`{"name":"a"}`), []string{pointer}); !errors.Is(err, ErrVolatile) {
			t.Errorf("volatile %q: %v", pointer, err)
		}
	}
}

func TestDiff(t *testing.T) {
	for _, tc := range []struct {
		name, before, after string
		want                []Change
	}{
		{"equal", `{"a":1.0,"b":[]}`, `{ "b":[], "a":1 }`, nil},
		{"changed", `{"d":"old","e":1}`, `{"d":"new","e":1}`, []Change{{"/d", `"old"`, `"new"`}}},
		{"gained and lost", `{"a":1,"c":{"x":1}}`, `{"b":2,"c":{"x":1}}`, []Change{{"/a", "1", ""}, {"/b", "", "2"}}},
		{"deep", `{"p":{"q/r":{"t":"x"}}}`, `{"p":{"q/r":{"t":"y"}}}`, []Change{{"/p/q~1r/t", `"x"`, `"y"`}}},
		{"emptied", `{"a":{"x":1}}`, `{"a":{}}`, []Change{{"/a", "", "{}"}, {"/a/x", "1", ""}}},
		{"scalar becomes object", `{"a":1}`, `{"a":{"x":1}}`, []Change{{"/a", "1", ""}, {"/a/x", "", "1"}}},
		{"object becomes array", `{"a":{"0":1,"z":2}}`, `{"a":[1,3]}`, []Change{{"/a/z", "2", ""}, {"/a/1", "", "3"}}},
		{"array grows past ten", `[1,2,3,4,5,6,7,8,9,10]`, `[1,2,3,4,5,6,7,8,9,11,12]`, []Change{{"/9", "10", "11"}, {"/10", "", "12"}}},
		{"empty object becomes empty array", `{}`, `[]`, []Change{{"", "{}", "[]"}}},
		{"new entry", ``, `{"name":"a"}`, []Change{{"/name", "", `"a"`}}},
		{"removed entry", `{"name":"a"}`, ``, []Change{{"/name", `"a"`, ""}}},
		{"exact numbers", `[9007199254740992]`, `[9007199254740993]`, []Change{{"/0", "9007199254740992", "9007199254740993"}}},
		{"null is not absent", `{"a":null}`, `{}`, []Change{{"", "", "{}"}, {"/a", "null", ""}}},
	} {
		value := func(s string) jsontext.Value {
			if s == "" {
				return nil
			}
			return jsontext.Value(s)
		}
		got, err := Diff(value(tc.before), value(tc.after))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	if _, err := Diff(jsontext.Value(`{"a":1,"a":1}`), nil); !errors.Is(err, ErrDuplicateKey) {
		t.Errorf("duplicate keys: %v", err)
	}
}

func TestDigestText(t *testing.T) {
	d := Digest{0xab, 1}
	text, _ := d.MarshalText()
	var back Digest
	if err := back.UnmarshalText(text); err != nil || back != d || string(text) != "sha256:"+d.String() {
		t.Errorf("%s: %v", text, err)
	}
	for _, bad := range []string{"", "sha256:", d.String(), "sha512:" + d.String(), "sha256:" + strings.ToUpper(d.String()), "sha256:" + d.String() + "00"} {
		if err := back.UnmarshalText([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for kind := range kinds {
		if back, err := ParseKind(kind.String()); err != nil || back != kind {
			t.Errorf("%v: %v", kind, err)
		}
	}
	if _, err := ParseKind("tools"); err == nil || Kind(9).String() == "" {
		t.Error("unknown kinds have no name")
	}
}

// Canonical text is valid, canonical itself, and the same for any key order;
// leaves and diff agree with it.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":1.0,"a":[1e2,"\ud83d\ude00",{}]}`, `9007199254740993`, `1e-399`, `-0`, `"\u0000"`, `{"$ref":"x"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		canonical, err := Canonical(in)
		if err != nil {
			for _, sentinel := range reasons {
				if errors.Is(err, sentinel) {
					return
				}
			}
			t.Fatalf("not a sentinel: %v", err)
		}
		if !jsontext.Value(canonical).IsValid() {
			t.Fatalf("%q became %q", in, canonical)
		}
		again, err := Canonical(canonical)
		if err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("%q: %q is not a fixed point: %q, %v", in, canonical, again, err)
		}
		if changes, err := Diff(in, canonical); err != nil || len(changes) > 0 {
			t.Fatalf("%q differs from its canonical text: %v, %v", in, changes, err)
		}
		if leaves, err := Leaves(in); err != nil || len(leaves) == 0 {
			t.Fatalf("%q has %d leaves, %v", in, len(leaves), err)
		}
	})
}

// Whatever a tool holds, it is fingerprinted or refused.
func FuzzOfEntry(f *testing.F) {
	f.Add(`{"name":"a","inputSchema":{"$ref":"#/a/b","$defs":{"x":{"$anchor":"n","$ref":"#n"}}},"_meta":{"x":[{}]}}`, "/_meta/x/0")
	f.Fuzz(func(t *testing.T, in, volatile string) {
		e, err := OfEntry(KindTool, jsontext.Value(in), []string{volatile})
		if err != nil {
			return
		}
		again, err := OfEntry(KindTool, jsontext.Value(e.Canonical), []string{volatile})
		if err != nil || again.Whole != e.Whole || again.Behavioural != e.Behavioural || again.Key != e.Key {
			t.Fatalf("%q and its canonical text differ: %v", in, err)
		}
	})
}
