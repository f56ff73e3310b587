package permission

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

const full = `{"oauthScopes":["repo:read","user"],"network":["api.github.com:443","*.acme.example","[2001:db8::1]:8080","10.0.0.1"],
"files":[{"path":"~/My Documents","access":"read"},{"path":"{root}/out","access":"read-write"}],"exec":["git","/usr/bin/ssh"],"env":["GITHUB_TOKEN"],
"data":[{"flow":"outbound","classification":"PII"}],
"tools":{"search":{"network":["api.github.com:443"],"exec":[],"data":[{"flow":"inbound","classification":"public"}]},"send":{"network":["mail.acme.example"]}}}`

func TestScopes(t *testing.T) {
	d, err := Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"env:GITHUB_TOKEN", "exec:/usr/bin/ssh", "exec:git", "files:read-write:{root}/out", "files:read:~/My%20Documents",
		"network:*.acme.example", "network:10.0.0.1", "network:[2001:db8::1]:8080", "network:api.github.com:443", "network:mail.acme.example",
		"oauth:repo:read", "oauth:user"}
	if diff := cmp.Diff(want, d.Scopes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"exec:none", "network:api.github.com:443"}, d.Tools["search"].Scopes()); diff != "" {
		t.Error(diff)
	}
}

// Saying that nothing is needed differs from saying nothing.
func TestNone(t *testing.T) {
	for raw, want := range map[string][]string{
		`{}`:                                 nil,
		`{"network":[]}`:                     {"network:none"},
		`{"network":[],"files":[],"env":[]}`: {"env:none", "files:none", "network:none"},
		`{"network":[],"tools":{"a":{"network":["x.example"]}}}`: {"network:x.example"},
	} {
		d, err := Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, d.Scopes()); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
		if again, err := json.Marshal(d, json.Deterministic(true)); err != nil || string(again) != raw {
			t.Errorf("%s becomes %s, %v", raw, again, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"no JSON": `{`, "null": `null`, "list": `[]`, "unknown member": `{"netwrok":[]}`, "repeated member": `{"env":["A"],"env":["B"]}`,
		"null list element": `{"network":[null]}`, "URL": `{"network":["https://a.example"]}`, "upper case": `{"network":["A.example"]}`,
		"port zero": `{"network":["a.example:0"]}`, "port with a sign": `{"network":["a.example:+1"]}`, "inner star": `{"network":["a.*.example"]}`,
		"user information": `{"network":["a@b.example"]}`, "space": `{"network":["a.example b"]}`, "IPv6 spelt otherwise": `{"network":["[2001:DB8::1]"]}`, "zone": `{"network":["[fe80::1%eth0]"]}`,
		"scope with a space": `{"oauthScopes":["a b"]}`, "empty scope": `{"oauthScopes":[""]}`,
		"relative path": `{"files":[{"path":"a","access":"read"}]}`, "climbing path": `{"files":[{"path":"/a/../b","access":"read"}]}`,
		"hidden character": "{\"files\":[{\"path\":\"/a\u202eb\",\"access\":\"read\"}]}", "access": `{"files":[{"path":"/a","access":"execute"}]}`,
		"no access": `{"files":[{"path":"/a"}]}`, "command line": `{"exec":["rm -rf"]}`, "value of a variable": `{"env":["A=b"]}`,
		"flow": `{"data":[{"flow":"sideways","classification":"x"}]}`, "no classification": `{"data":[{"flow":"inbound"}]}`,
		"twice": `{"env":["A","A"]}`, "tool": `{"tools":{"x":{"env":["A=b"]}}}`, "tools of a tool": `{"tools":{"x":{"tools":{}}}}`,
		"too many":  `{"env":["A` + strings.Join(strings.Split(strings.Repeat("x", maxList), ""), `","A`) + `"]}`,
		"too large": `{"env":["` + strings.Repeat("A", MaxBytes) + `"]}`,
	} {
		if d, err := Parse([]byte(raw)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, d, err)
		} else if strings.Contains(err.Error(), "\u202e") {
			t.Errorf("%s: the error repeats it", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"network":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Error(err)
			}
			return
		}
		scopes := d.Scopes()
		for _, s := range scopes {
			if s == "" || strings.ContainsAny(s, " \n\t") || len(s) > 3*maxText+20 {
				t.Errorf("scope %q", s)
			}
		}
		if !slices.IsSorted(scopes) {
			t.Error("scopes are not sorted")
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := Parse(again); err != nil || !cmp.Equal(b.Scopes(), scopes) {
			t.Errorf("%s: %v", again, err)
		}
	})
}
