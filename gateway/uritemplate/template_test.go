package uritemplate

import (
	"errors"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		template, uri string
		want          bool
	}{
		{"test://template/{id}/data", "test://template/123/data", true},
		{"test://template/{id}/data", "test://template/a%20b/data", true},
		{"test://template/{id}/data", "test://template//data", false},
		{"test://template/{id}/data", "test://template/1/2/data", false},
		{"test://template/{id}/data", "test://template/1%2F2/data", false},
		{"test://template/{id}/data", "test://template/../data", false},
		{"test://template/{id}/data", "test://template/%2e%2E/data", false},
		{"test://template/{id}/data", "test://template/%252e%252e/data", false},
		{"test://template/{id}/data", "test://template/a%5Cb/data", false},
		{"test://template/{id}/data", "test://template/a%00/data", false},
		{"test://template/{id}/data", "test://template/1/data/", false},
		{"test://template/{id}/data", "xtest://template/1/data", false},
		{"test://template/{id}/data", "test://template/1/data\n", false},
		{"file:///{+path}", "file:///a/b/c.txt", true},
		{"file:///{+path}", "file:///a/../b", false},
		{"file:///{+path}", "file:///a/%2e%2e/b", false},
		{"file:///{+path}", "file:///a%2Fb", false},
		{"file:///{+path}", "file:///", false},
		{"repo://{owner}/{repo}{/path*}", "repo://o/r", true},
		{"repo://{owner}/{repo}{/a,b}", "repo://o/r/x/y", true},
		{"repo://{owner}/{repo}{/a,b}", "repo://o/r/x/y/z", false},
		{"q://s{?q,limit}", "q://s?q=a&limit=3", true},
		{"q://s{?q,limit}", "q://s?limit=3", true},
		{"q://s{?q,limit}", "q://s?other=3", false},
		{"q://s{?q,limit}", "q://s?q=a%26other", true},
		{"q://s{?q}", "q://s?q=a&q=b", false},
		{"x{#frag}", "x#a/b", true},
		{"x{.ext}", "x.json", true},
		{"x{.ext}", "x.json/exe", false},
		{"a.b", "a.b", true},
		{"a.b", "aXb", false},
	}
	for _, tt := range tests {
		tmpl, err := Parse(tt.template)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.template, err)
			continue
		}
		if got := tmpl.Match(tt.uri); got != tt.want {
			t.Errorf("%q matches %q = %v, want %v", tt.template, tt.uri, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"{", "}", "a{b", "a}b", "{}", "{!x}", "{a b}", "{a:0}", strings.Repeat("{a}", maxExpressions+1), strings.Repeat("a", maxTemplate+1)} {
		if _, err := Parse(s); !errors.Is(err, ErrTemplate) {
			t.Errorf("Parse(%.20q) = %v, want ErrTemplate", s, err)
		}
	}
}

// FuzzMatch holds that no input panics and that nothing that matches climbs.
func FuzzMatch(f *testing.F) {
	f.Add("file:///{+path}", "file:///a/b")
	f.Add("test://{a}{?q,r}", "test://x?q=1")
	f.Add("{/x*}", "/a")
	f.Fuzz(func(t *testing.T, template, uri string) {
		tmpl, err := Parse(template)
		if err != nil {
			return
		}
		if tmpl.Match(uri) && len(tmpl.free) == 1 && !strings.Contains(template, "..") &&
			!strings.Contains(template, "./") && !strings.Contains(template, "{.") && strings.Contains(uri, "/../") {
			t.Errorf("%q matches %q", template, uri)
		}
	})
}
