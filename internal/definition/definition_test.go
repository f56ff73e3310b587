package definition

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

func made(t testing.TB, tools ...string) []byte {
	t.Helper()
	l := &listing.Listing{}
	for _, tool := range tools {
		l.Tools = append(l.Tools, jsontext.Value(tool))
	}
	set, err := fingerprint.OfListing(l, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &File{}
	f.Add("legacy", set)
	b, err := f.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const weather = `{"name":"forecast","description":"<b>\u2028 & weather","inputSchema":{"type":"object","properties":{"n":{"default":9007199254740993}}},"icons":[{"src":"https://a.example/i.png"}]}`

func TestRoundTrip(t *testing.T) {
	b := made(t, weather, `{"name":"a","inputSchema":{}}`)
	f, err := Parse(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if again, err := f.Marshal(); err != nil || !bytes.Equal(again, b) {
		t.Errorf("%v\n%s\n%s", err, b, again)
	}
	if other := made(t, `{"inputSchema":{},"name":"a"}`, weather); !bytes.Equal(other, b) {
		t.Errorf("order of entries or keys counts:\n%s\n%s", b, other)
	}
}

func TestTampered(t *testing.T) {
	good := string(made(t, weather))
	for name, tc := range map[string]struct {
		old, new string
		want     error
	}{
		"definition":     {"weather", "whether", ErrDigest},
		"icon":           {"i.png", "j.png", ErrDigest},
		"number":         {"9007199254740993", "9007199254740992", ErrDigest},
		"kind":           {`"kind":"tool"`, `"kind":"prompt"`, ErrDigest},
		"unknown kind":   {`"kind":"tool"`, `"kind":"toll"`, ErrMalformed},
		"key":            {`"key":"forecast"`, `"key":"other"`, ErrMalformed},
		"format":         {"definitions.v1", "definitions.v2", ErrMalformed},
		"unknown member": {`"kind":"tool"`, `"kind":"tool","note":""`, ErrMalformed},
		"twice":          {`"kind":"tool"`, `"kind":"tool","kind":"tool"`, ErrMalformed},
		"cut short":      {`}]}]}`, `}]}]`, ErrMalformed},
	} {
		bad := strings.Replace(good, tc.old, tc.new, 1)
		if bad == good {
			t.Fatalf("%s: nothing to change in %s", name, good)
		}
		if _, err := Parse([]byte(bad)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(made(f, weather))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrDigest) {
				t.Error(err)
			}
			return
		}
		again, err := file.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}
