package clients

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

var fuzzed = entry{Type: "http", URL: "http://127.0.0.1:8471/mcp", Headers: map[string]string{"Authorization": "Bearer ${A}"}}

// FuzzJSON: whatever a file holds, an edit of it is refused or keeps every
// byte outside the entry in its order, says what was meant, can be repeated
// without effect, and the entry can be taken out again.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		"", " \n", "{}", "{ }", "[]", "null", "\uFEFF{\r\n}\r\n", `{"s":{}}`, `{"s":{"n":{}}}`, `{"s":null}`, `{"s":{"n":1,},}`,
		"{// c\n\"s\": {/* , */ \"a\": 1 /* x */, // y,\n}, // z\n}", "{\"s\":{\"a\":\"//\",\n\t\"b\":[1,2,],\n\t},}",
		`{"a":1}`, "{\n  \"a\": 1 // last\n}", "{\"s\":{\"a\":1 /* , */ }}", "{\"s\":{\n//only\n}}", `{"s":{/**/}}`, `{"S":{},"s":{}}`, `{"s":{},"s":{}}`,
		"{\"s\":{\"n\":{}, \"m\":1,}}", "{\"s\":{\"m\":1,\"n\":{},\n}}",
	} {
		f.Add([]byte(seed))
	}
	path := [2]string{"s", "n"}
	f.Fuzz(func(t *testing.T, src []byte) {
		had, err := jsonGet(src, path)
		if err != nil {
			return
		}
		out, err := jsonPut(src, path, fuzzed)
		if err != nil {
			t.Fatalf("%q was read and not written: %v", src, err)
		}
		raw, err := jsonGet(out, path)
		if err != nil || !jsonHolds(raw, fuzzed) {
			t.Fatalf("%q became %q: %v", src, out, err)
		}
		if had == nil && !subsequence(bytes.Join(bytes.Fields(src), nil), out) { // blanks of an empty object may go
			t.Fatalf("%q lost bytes: %q", src, out)
		}
		if diff := cmp.Diff(others(t, src), others(t, out)); diff != "" {
			t.Fatalf("%q: other members changed: %s", src, diff)
		}
		gone, err := jsonRestore(out, path, nil)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if raw, err := jsonGet(gone, path); err != nil || raw != nil {
			t.Fatalf("%q: the entry is still in %q: %v", out, gone, err)
		}
		if diff := cmp.Diff(others(t, src), others(t, gone)); diff != "" {
			t.Fatalf("%q: taken out, other members changed: %s", src, diff)
		}
		if _, err := putPrompt(out, &prompt{ID: "x"}); err == nil {
			return
		}
		d, err := readJSON(out)
		if err != nil {
			t.Fatal(err)
		}
		if root, err := d.root(); err != nil {
			t.Fatal(err)
		} else if it, ok := root.find("inputs"); !ok || d.strict[it.valueStart] == '[' {
			t.Fatalf("%q: no prompt can be added", out)
		}
	})
}

// others is the raw text of all members but the entry, comments inside left
// out.
func others(t *testing.T, src []byte) map[string]string {
	t.Helper()
	d, err := readJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	if d.strict == nil {
		return all
	}
	members, err := jsonrpc.Members(d.strict)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.Name != "s" {
			all["/"+m.Name] = string(d.src[m.Start:m.End])
			continue
		}
		servers, err := jsonrpc.Members(m.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range servers {
			if s.Name != "n" {
				all["s/"+s.Name] = string(d.src[m.Start+s.Start : m.Start+s.End])
			}
		}
	}
	return all
}

func subsequence(part, all []byte) bool {
	for _, c := range all {
		if len(part) > 0 && part[0] == c {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// FuzzTOML: an edit of a TOML file is refused, or changes the entry alone.
func FuzzTOML(f *testing.F) {
	for _, seed := range []string{
		"", "a = 1", "[s]\n", "[s.n]\nurl = 'x'\n[t]\n", "[s.n]\n[s.n.env]\nA='b'\n# c\n[t]", "s = {}", "s.n.url = 'x'", "[s]\nn = {url='x'}",
		"[s.n]\r\nurl='x'\r\n", "[[s]]\n", "[s.n]\na=1\n[t]\n[s.n.x]\n", "[\"s\".'n'] # c\nx = \"\"\"\n[t]\n\"\"\"", "\uFEFFa=1",
	} {
		f.Add([]byte(seed))
	}
	path := [2]string{"s", "n"}
	f.Fuzz(func(t *testing.T, src []byte) {
		had, err := tomlGet(src, path)
		if err != nil {
			return
		}
		out, err := tomlPut(src, path, fuzzed)
		if err != nil {
			return // tomlPut compares by itself
		}
		raw, err := tomlGet(out, path)
		if err != nil || !tomlHolds(raw, fuzzed) {
			t.Fatalf("%q became %q (%q): %v", src, out, raw, err)
		}
		if had == nil && !bytes.HasPrefix(out, src) {
			t.Fatalf("%q lost bytes: %q", src, out)
		}
		gone, err := tomlRestore(out, path, nil)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if err := sameBut(src, gone, path); err != nil {
			t.Fatalf("%q became %q: %v", src, gone, err)
		}
	})
}
