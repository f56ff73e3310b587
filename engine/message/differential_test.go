package message

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

func sameMessage(t *testing.T, what string, got *Message, err error, want *Message, wantErr error) {
	t.Helper()
	for _, sentinel := range []error{ErrMalformed, ErrTooComplex} {
		if errors.Is(err, sentinel) != errors.Is(wantErr, sentinel) {
			t.Fatalf("%.300s: %v, want %v", what, err, wantErr)
		}
	}
	if !reflect.DeepEqual(want, got) { // far faster than cmp
		t.Fatalf("%.300s: %.2000s", what, cmp.Diff(want, got))
	}
}

// sameAsReference builds every message that raw can be taken for.
func sameAsReference(t *testing.T, raw []byte) {
	t.Helper()
	before := bytes.Clone(raw)
	whole := &jsonrpc.Message{Raw: raw, Kind: jsonrpc.Response}
	if parsed, err := jsonrpc.Parse(raw, jsonrpc.DefaultLimits); err == nil {
		whole = parsed
	}
	got, err := FromRequest("s", whole)
	want, wantErr := referenceFromRequest("s", whole)
	sameMessage(t, string(raw), got, err, want, wantErr)
	got, err = FromResult("s", protocol.MethodToolsCall, "e", whole)
	want, wantErr = referenceFromResult("s", protocol.MethodToolsCall, "e", whole)
	sameMessage(t, string(raw), got, err, want, wantErr)
	l := &listing.Listing{ServerInfo: raw, Capabilities: raw, Tools: []jsontext.Value{raw, raw}, Prompts: []jsontext.Value{raw},
		Templates: []jsontext.Value{raw}, Resources: []jsontext.Value{raw}}
	got, err = FromListing("s", l)
	want, wantErr = referenceFromListing("s", l)
	sameMessage(t, string(raw), got, err, want, wantErr)
	if !bytes.Equal(before, raw) {
		t.Fatalf("%.300s: changed", raw)
	}
}

func TestMessagesAreTheReferences(t *testing.T) {
	for _, raw := range []string{
		`{"name":"t","description":"d\n"}`, `{"name":["t"],"uri":"u"}`, `{"name":{"name":"x"}}`, `["name"]`, `"name"`, `12345678`, `{"":"x"}`, ` {"name" : "a\u0062" } `,
		`0`, `{"a":{"b":{"c":{}}}}`, `{"name":"a","name":"b"}`, `{"name":`, `{"name":"\ud800"}`, `{"name":"` + "\xff" + `"}`, ``, `{"uri":"https://example.org/\/","uriTemplate":"{+x}"}`,
		`{"mimeType":"image/png","data":"` + strings.Repeat("iVBORw0KGgo/", 40) + `"}`, `{"data":"` + strings.Repeat("aGVsbG8gd29ybGQg", 40) + `==\n"}`,
		`{"data":"` + strings.Repeat("ordinary_words_", 40) + `"}`, `{"data":"` + strings.Repeat("iVBORw0KGgo=", 40) + `"}`,
		`{"a":{"a":[{"a":1},{"a":"x","b/c~":12345678.5e3}]},"b":[[],{},null,true,"x"]}`, strings.Repeat("[", 300) + strings.Repeat("]", 300),
		`{"` + strings.Repeat("n", maxPointer) + `":"x"}`, `{"x":"` + strings.Repeat(`\"`, 70_000) + `"}`, resultOf4K(),
	} {
		sameAsReference(t, []byte(raw))
		sameAsReference(t, []byte(`{"jsonrpc":"2.0","id":1,"result":`+raw+`}`))
		sameAsReference(t, []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+raw+`}`))
	}
}

// TestMessagesAreTheReferencesOverCorpora reads every fifth line of the public
// corpora and every listing, where they are at hand.
func TestMessagesAreTheReferencesOverCorpora(t *testing.T) {
	found := false
	for variable, where := range map[string]string{"BARTIZAN_CORPORA": "corpora/*.jsonl", "BARTIZAN_LISTINGS": "listings/*.json"} {
		dir := os.Getenv(variable)
		if dir == "" {
			dir = filepath.Join("../../../shared", filepath.Dir(where))
		}
		files, _ := filepath.Glob(filepath.Join(dir, filepath.Base(where)))
		for _, file := range files {
			found = true
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "l") {
				n := 0
				for line := range bytes.Lines(raw) {
					if n++; n%5 == 0 {
						sameAsReference(t, line)
					}
				}
				continue
			}
			capture, err := listing.ParseCapture(raw)
			if err != nil {
				t.Fatal(err)
			}
			for i := range capture.Listings {
				got, err := FromListing("s", &capture.Listings[i])
				want, wantErr := referenceFromListing("s", &capture.Listings[i])
				sameMessage(t, file, got, err, want, wantErr)
			}
		}
	}
	if !found {
		t.Skip("no corpora: set BARTIZAN_CORPORA and BARTIZAN_LISTINGS")
	}
}

func FuzzMessage(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`0"`))
	f.Add([]byte(`{"name":"a\u0062","data":"aGk=","a":[12345678]}`))
	f.Fuzz(func(t *testing.T, raw []byte) { sameAsReference(t, raw) })
}

// TestNearestIsTheReferences also holds that equals keep their order.
func TestNearestIsTheReferences(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	letters := []string{"a", "b", "get", "Issue", "_", "-", " ", ".", "é", "К", "list", "0", strings.Repeat("x", 60), strings.Repeat("xy", 31), "\x00", "\xff"}
	name := func() string {
		var b strings.Builder
		for range r.IntN(9) {
			b.WriteString(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	for range 100 {
		m := &Message{}
		for range r.IntN(20) {
			m.Items = append(m.Items, Item{Kind: fingerprint.KindTool.String(), Key: name()})
		}
		if r.IntN(2) == 0 {
			m.Entry = name()
		}
		all := candidates(r.IntN(400))
		for i := range all {
			all[i].Description = strings.Repeat("é", r.IntN(2)*3000)
			if r.IntN(2) == 0 {
				all[i].Name = name()
			}
		}
		if diff := cmp.Diff(referenceNearest(m, all), Nearest(m, all)); diff != "" {
			t.Fatal(diff)
		}
	}
}
