package jsonrpc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestMembersAndElements(t *testing.T) {
	obj := jsontext.Value(" {\n \"a\" : 1.50 , \"b\\u0063\":{ \"x\": [ ] } } ")
	members, err := Members(obj)
	if err != nil || len(members) != 2 {
		t.Fatalf("Members = %v, %v", members, err)
	}
	for i, want := range []struct{ name, value, key string }{{"a", "1.50", `"a"`}, {"bc", `{ "x": [ ] }`, `"b\u0063"`}} {
		m := members[i]
		if m.Name != want.name || string(m.Value) != want.value || string(obj[m.Start:m.End]) != want.value ||
			!strings.HasPrefix(string(obj[m.KeyStart:]), want.key) {
			t.Errorf("member %d = %+v", i, m)
		}
	}
	arr := jsontext.Value(`[ 1 , "two" ,[3]]`)
	elements, err := Elements(arr)
	if err != nil || len(elements) != 3 {
		t.Fatalf("Elements = %v, %v", elements, err)
	}
	for i, want := range []string{`1`, `"two"`, `[3]`} {
		if e := elements[i]; string(e.Value) != want || string(arr[e.Start:e.End]) != want {
			t.Errorf("element %d = %+v", i, e)
		}
	}
	for _, bad := range []string{``, `1`, `[]`, `{"a":1}x`, `{"a":1`, `{"a":1,"a":2}`, `{"a"}`, `{]`} {
		if m, err := Members([]byte(bad)); err == nil {
			t.Errorf("Members(%s) = %v", bad, m)
		}
	}
	for _, bad := range []string{``, `1`, `{}`, `[1`, `[1,]`, `[1]2`, `[1}`} {
		if e, err := Elements([]byte(bad)); err == nil {
			t.Errorf("Elements(%s) = %v", bad, e)
		}
	}
}

func TestGet(t *testing.T) {
	doc := jsontext.Value(`  { "a/b" : [ 10, {"~":"x", "":true} ], "n": null }`)
	for ptr, want := range map[string]string{
		"": string(doc[2:]), "/a~1b": `[ 10, {"~":"x", "":true} ]`, "/a~1b/0": `10`, "/a~1b/1/~0": `"x"`, "/a~1b/1/": `true`, "/n": `null`,
	} {
		v, start, end, err := Get(doc, jsontext.Pointer(ptr))
		if err != nil || string(v) != want || string(doc[start:end]) != want {
			t.Errorf("Get(%q) = %q %d %d, %v", ptr, v, start, end, err)
		}
	}
	for _, ptr := range []string{"/x", "/a~1b/2", "/a~1b/00", "/a~1b/-", "/a~1b/+1", "/a~1b/99999999999", "/n/x", "a", "/~2"} {
		if v, _, _, err := Get(doc, jsontext.Pointer(ptr)); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%q) = %q, %v", ptr, v, err)
		}
	}
}

func TestSplice(t *testing.T) {
	got, err := Splice([]byte("0123456789"), Edit{0, 0, []byte("<")}, Edit{2, 4, nil}, Edit{4, 5, []byte("four")}, Edit{10, 10, []byte(">")})
	if err != nil || string(got) != "<01four56789>" {
		t.Errorf("Splice = %q, %v", got, err)
	}
	for _, bad := range [][]Edit{{{3, 2, nil}}, {{0, 11, nil}}, {{-1, 1, nil}}, {{4, 5, nil}, {2, 3, nil}}, {{1, 5, nil}, {4, 6, nil}}} {
		if _, err := Splice([]byte("0123456789"), bad...); !errors.Is(err, ErrEdit) {
			t.Errorf("Splice(%v): %v", bad, err)
		}
	}
}

func TestRemove(t *testing.T) {
	arr := jsontext.Value("[ {\"a\": 1.0} ,\n \"b\" , 3e2 ]")
	for _, tc := range []struct {
		drop []int
		want string
	}{
		{nil, "[ {\"a\": 1.0} ,\n \"b\" , 3e2 ]"},
		{[]int{0}, `[ "b" , 3e2 ]`},
		{[]int{1}, `[ {"a": 1.0} , 3e2 ]`},
		{[]int{2}, "[ {\"a\": 1.0} ,\n \"b\" ]"},
		{[]int{0, 1}, `[ 3e2 ]`},
		{[]int{0, 2}, `[ "b" ]`},
		{[]int{1, 2}, `[ {"a": 1.0} ]`},
		{[]int{0, 1, 2}, `[  ]`},
	} {
		got, err := RemoveElements(arr, func(i int) bool { return slices.Contains(tc.drop, i) })
		if err != nil || string(got) != tc.want {
			t.Errorf("drop %v = %q, %v; want %q", tc.drop, got, err, tc.want)
		}
	}
	obj := jsontext.Value(`{ "a" : 1, "b":2 ,"c":[ 3 ] }`)
	for name, want := range map[string]string{
		"a": `{ "b":2 ,"c":[ 3 ] }`, "b": `{ "a" : 1 ,"c":[ 3 ] }`, "c": `{ "a" : 1, "b":2 }`, "A": string(obj),
	} {
		if got, err := RemoveMember(obj, name); err != nil || string(got) != want {
			t.Errorf("RemoveMember(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
}

// Whatever is dropped, the kept elements stay byte for byte, in order, and the
// result is a JSON array.
func FuzzRemoveElements(f *testing.F) {
	f.Add([]byte(`[ {"a":1} , 2,"x" ,[ ]]`), uint64(0b0101))
	f.Add([]byte("[\n1\t]"), uint64(1))
	f.Fuzz(func(t *testing.T, arr []byte, mask uint64) {
		before, err := Elements(arr)
		if err != nil {
			return
		}
		drop := func(i int) bool { return mask>>(i%64)&1 == 1 }
		out, err := RemoveElements(arr, drop)
		if err != nil {
			t.Fatal(err)
		}
		after, err := Elements(out)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		for i, e := range before {
			if drop(i) {
				continue
			}
			if len(after) == 0 || string(after[0].Value) != string(e.Value) {
				t.Fatalf("%q lost element %d: %q", arr, i, out)
			}
			after = after[1:]
		}
		if len(after) != 0 {
			t.Fatalf("%q gained elements: %q", arr, out)
		}
		if mask == 0 && string(out) != string(arr) {
			t.Fatalf("nothing dropped, yet %q became %q", arr, out)
		}
	})
}
