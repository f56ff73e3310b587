package merge

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

var legalName = regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)

func hashed(full string) string {
	sum := sha256.Sum256([]byte(full))
	return "-" + hex.EncodeToString(sum[:4])
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 80)
	for name, tc := range map[string]struct {
		names []string
		want  map[string]string
	}{
		"plain":         {[]string{"get_item", "a-B9"}, map[string]string{"get_item": "srv__get_item", "a-B9": "srv__a-B9"}},
		"other bytes":   {[]string{"get.item", "é"}, map[string]string{"get.item": "srv__get_item", "é": "srv____"}},
		"clash":         {[]string{"a.b", "a_b"}, map[string]string{"a.b": "srv__a_b" + hashed("srv__a.b"), "a_b": "srv__a_b" + hashed("srv__a_b")}},
		"overflow":      {[]string{long}, map[string]string{long: "srv__" + long[:50] + hashed("srv__"+long)}},
		"exactly 64":    {[]string{long[:59]}, map[string]string{long[:59]: "srv__" + long[:59]}},
		"own separator": {[]string{"other__x"}, map[string]string{"other__x": "srv__other__x"}},
		// A name made to equal the mapped name of another gets nobody anywhere.
		"forged": {[]string{long, long[:50] + hashed("srv__"+long)}, map[string]string{}},
		"empty":  {[]string{""}, map[string]string{"": "srv__"}},
	} {
		slices.Reverse(tc.names)
		n := NewNames("srv", tc.names)
		got := map[string]string{}
		for _, original := range tc.names {
			if merged, ok := n.Merged(original); ok {
				got[original] = merged
				if alias, ok := Alias(merged); !ok || alias != "srv" || !legalName.MatchString(merged) {
					t.Errorf("%s: %q belongs to %q, %v", name, merged, alias, ok)
				}
				if back, ok := n.Original(merged); !ok || back != original {
					t.Errorf("%s: %q comes back as %q", name, merged, back)
				}
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAliasOfAName(t *testing.T) {
	for merged, want := range map[string]string{
		"a__b": "a", "a__b__c": "a", "a-b__c": "a-b", "a__": "a", "a___b": "a",
		"a_b__c": "", "__b": "", "a": "", "": "", "a_b": "", "a__" + strings.Repeat("b", 62): "",
	} {
		if got, ok := Alias(merged); ok != (want != "") || ok && got != want {
			t.Errorf("Alias(%q) = %q, %v; want %q", merged, got, ok, want)
		}
	}
}

// Whatever a server calls its entries, merged names are legal, its own, and
// lead back to what they were made of.
func FuzzNames(f *testing.F) {
	f.Add("a", "get.item", "get_item")
	f.Add("srv-1", strings.Repeat("x", 70), strings.Repeat("x", 71))
	f.Fuzz(func(t *testing.T, alias, one, two string) {
		if !regexp.MustCompile(`\A[a-z0-9-]{1,20}\z`).MatchString(alias) || one == two {
			return
		}
		n := NewNames(alias, []string{one, two})
		seen := map[string]bool{}
		for _, original := range []string{one, two} {
			merged, ok := n.Merged(original)
			if !ok {
				continue
			}
			back, _ := n.Original(merged)
			owner, _ := Alias(merged)
			if !legalName.MatchString(merged) || seen[merged] || back != original || owner != alias {
				t.Fatalf("%q of %q: %q, back %q, owner %q", original, alias, merged, back, owner)
			}
			seen[merged] = true
		}
	})
}

func TestClaims(t *testing.T) {
	var c Claims
	c.Add("a", []string{"x://1", "x://2"}, []string{"x://rows/{id}", "y://{id}"})
	c.Add("b", []string{"x://2", "x://rows/7"}, []string{"x://rows/{key}", "z://{id}", "y://{id}"})
	for uri, want := range map[string]error{
		"x://1": nil, "x://2": ErrContested, "x://rows/7": nil, "x://rows/8": ErrContested, "y://1": ErrContested, "z://1": nil, "w://1": ErrUnclaimed,
	} {
		alias, err := c.Resource(uri)
		if !errors.Is(err, want) || (err == nil) != (alias != "") {
			t.Errorf("%s: %q, %v; want %v", uri, alias, err, want)
		}
	}
	for uri, want := range map[string]string{"x://1": "a", "x://rows/7": "b", "z://1": "b"} {
		if alias, _ := c.Resource(uri); alias != want {
			t.Errorf("%s belongs to %q, want %q", uri, alias, want)
		}
	}
	for template, want := range map[string]error{"x://rows/{id}": nil, "y://{id}": ErrContested, "q://{id}": ErrUnclaimed} {
		if _, err := c.Template(template); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", template, err, want)
		}
	}
	var none Claims
	if _, err := none.Resource("x://1"); !errors.Is(err, ErrUnclaimed) {
		t.Errorf("no claims: %v", err)
	}
}

func TestPagesHoldEveryEntryOnce(t *testing.T) {
	var parts []Part
	var want []string
	for _, alias := range []string{"a", "b", "c"} {
		p := Part{Alias: alias}
		for i := range 700 {
			p.Entries = append(p.Entries, jsontext.Value(fmt.Sprintf("%q", alias+fmt.Sprint(i))))
			want = append(want, string(p.Entries[i]))
		}
		parts = append(parts, p)
	}
	var got []string
	cursor := ""
	for pages := 0; ; pages++ {
		array, next, ok := Page(parts, cursor)
		if !ok || !array.IsValid() || pages > 9 {
			t.Fatalf("page at %q: %v", cursor, ok)
		}
		for e := range strings.SplitSeq(strings.Trim(string(array), "[]"), ",") {
			got = append(got, e)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// A server that leaves between two pages takes nothing of the others' along.
	array, _, ok := Page([]Part{parts[0], parts[2]}, "b 300")
	if !ok || !strings.HasPrefix(string(array), `["c0"`) {
		t.Errorf("after b left: %v %.40s", ok, array)
	}
	for _, bad := range []string{"b", "b x", "b -1", "b 1 2", "b 01", "b +1", "b 99999999999999999999"} {
		if _, _, ok := Page(parts, bad); ok {
			t.Errorf("cursor %q was taken", bad)
		}
	}
	big := jsontext.Value(`"` + strings.Repeat("x", pageBytes) + `"`)
	if _, next, _ := Page([]Part{{"a", []jsontext.Value{big, big}}}, ""); next != "a 1" {
		t.Errorf("large entries: next %q", next)
	}
}

func TestIntroduction(t *testing.T) {
	var i Introduction
	i.Offer("prompts")
	i.Add("b", jsontext.Value(`{"logging":{},"resources":{"subscribe":true},"experimental":{"x":{}}}`), "Second.")
	i.Add("a", jsontext.Value(`{"tools":{},"completions":{},"tasks":{}}`), "First.")
	i.Add("c", nil, "")
	want := `{"completions":{},"logging":{},"prompts":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},"tools":{"listChanged":true}}`
	if got := string(i.Capabilities()); got != want {
		t.Errorf("capabilities %s", got)
	}
	if got := i.Instructions(); got != "# a\n\nFirst.\n\n# b\n\nSecond." {
		t.Errorf("instructions %q", got)
	}
	var none Introduction
	if got := string(none.Capabilities()); got != `{}` || none.Instructions() != "" {
		t.Errorf("nobody: %s", got)
	}
}

// Whatever a cursor says, a page is JSON, and reading on from it comes to an end.
func FuzzPage(f *testing.F) {
	f.Add("", 3, 2)
	f.Add("b 1", 3, 600)
	f.Add("b -1", 1, 1)
	f.Add("zz 0", 1, 1)
	f.Fuzz(func(t *testing.T, cursor string, servers, entries int) {
		var parts []Part
		for i := range min(max(servers, 0), 5) {
			p := Part{Alias: string(rune('a' + i))}
			for j := range min(max(entries, 0), 700) {
				p.Entries = append(p.Entries, jsontext.Value(fmt.Sprint(i*1000+j)))
			}
			parts = append(parts, p)
		}
		last := -1
		for pages := 0; ; pages++ {
			array, next, ok := Page(parts, cursor)
			if !ok && pages == 0 {
				return
			}
			if !ok || !array.IsValid() || pages > len(parts)*2 {
				t.Fatalf("page %d at %q: %v", pages, cursor, ok)
			}
			for e := range strings.SplitSeq(strings.Trim(string(array), "[]"), ",") {
				if e == "" {
					continue
				}
				n, err := strconv.Atoi(e)
				if err != nil || n <= last {
					t.Fatalf("%q after %d", e, last)
				}
				last = n
			}
			if cursor = next; next == "" {
				return
			}
		}
	})
}
