package tracing

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeaders(t *testing.T) {
	got, err := parseHeaders([]byte("# comment\n\nauthorization:  Bearer a:b \r\nX-Scope-OrgID: 7\nempty:\n"))
	want := map[string]string{"Authorization": "Bearer a:b", "X-Scope-Orgid": "7", "Empty": ""}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, body := range map[string]string{
		"no colon": "secret", "no name": ": secret", "a space in the name": "a b: secret", "twice": "A: 1\na: secret",
		"a control character": "A: sec\x00ret", "folded": "A: 1\n secret", "a carriage return within": "A: 1\r2", "too long": "A: " + strings.Repeat("x", maxHeaders),
	} {
		if _, err := parseHeaders([]byte(body)); !errors.Is(err, errHeaders) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzHeaders: what is accepted can be sent as it is.
func FuzzHeaders(f *testing.F) {
	f.Add([]byte("Authorization: Bearer x\n# y\nA:b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		headers, err := parseHeaders(body)
		if err != nil {
			return
		}
		for name, value := range headers {
			if name == "" || http.CanonicalHeaderKey(name) != name || strings.ContainsAny(name+value, "\r\n\x00") || strings.TrimSpace(value) != value {
				t.Errorf("%q: %q", name, value)
			}
		}
	})
}
