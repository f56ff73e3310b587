package merge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResumeComesBack(t *testing.T) {
	for _, r := range []Resume{
		{Answer: true, Places: []Place{{"a", 1, "e"}}},
		{Answer: true, Places: []Place{{"a", 0, ""}}},
		{Places: []Place{{"a", 1, "e 1 2"}, {"b-2", 70, "\x00 \n"}, {"c", 2, " "}}},
	} {
		got, ok := ParseResume(r.String())
		if diff := cmp.Diff(r, got); !ok || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", r, ok, diff)
		}
	}
	for _, bad := range []string{
		"", "answer", "stream", "other a 1 1 e", "answer a 1 1 e b 1 1 e", "stream a 1 2 e", "stream a 1 1 e ", "stream a 1 1 eb",
		"stream a -1 1 e", "stream a 01 1 e", "stream a 1 +1 e", "stream  1 1 e", "stream a 1 99999999999999999999 e", "stream a 1 1 e  ",
	} {
		if r, ok := ParseResume(bad); ok {
			t.Errorf("%q was read as %+v", bad, r)
		}
	}
}

// Too many places do not make an id that no header holds; the newest stays.
func TestResumeIsBounded(t *testing.T) {
	var r Resume
	for i := range 50 {
		r.Places = append(r.Places, Place{fmt.Sprint("s", i), i, strings.Repeat("x", 1000)})
	}
	got, ok := ParseResume(r.String())
	if !ok || len(r.String()) > maxResume || len(got.Places) < 5 || got.Places[0] != r.Places[0] {
		t.Errorf("%d places in %d bytes, %v", len(got.Places), len(r.String()), ok)
	}
}

func FuzzParseResume(f *testing.F) {
	f.Add("answer a 1 3 e-1")
	f.Add("stream a 1 1 e bb 12 0 ")
	f.Fuzz(func(t *testing.T, text string) {
		if r, ok := ParseResume(text); ok && len(text) <= maxResume && r.String() != text {
			t.Errorf("%q comes back as %q", text, r)
		}
	})
}
