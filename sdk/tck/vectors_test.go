package tck

import (
	"encoding/hex"
	"flag"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

var update = flag.Bool("update", false, "write sdk/abi/vectors/readers.json anew")

// vector is an input that a reader takes, or has to refuse.
type vector struct {
	Name string         `json:"name"`
	JSON jsontext.Value `json:"json,omitzero"`
	Flat string         `json:"flat"`
}

// readerVectors are inputs that no engine writes, but later ones may, or nobody.
func readerVectors() (v struct {
	Accept []vector `json:"accept"`
	Refuse []vector `json:"refuse"`
}) {
	in := usual("result", "TCK-1234 é", "")
	in.Segments = append(in.Segments, segment{"meta", 3, "/result/_meta/a~1b", "😀 TCK-1234", "percent>base64"}, in.Segments[0])
	in.Hits = []hit{{0, 0, 0, 8}, {1, 2, 5, 13}}
	in.Flow = []flowHit{{"secret", 0, 0, 8, origin{"io.example/mail", "read"}, 90}}
	in.Context = []entry{{"io.example/mail", "tool", "send", "Send", "Sends mail.", []string{"to", ""}}, {"o", "prompt", "p", "", "", nil}}
	empty := usual("listing")
	empty.Server, empty.Entry, empty.Caller, empty.Limits = "", "", "", limits{1, 1}
	for _, c := range []struct {
		name string
		in   *input
		l    layout
	}{
		{"as an engine writes it", in, layout{}},
		{"tables turned round, with gaps between", in, layout{turned: true}},
		{"strings shared", in, layout{shared: true}},
		{"offsets of nothing lead outside", in, layout{nothing: 1<<32 - 1}},
		{"a longer header", in, layout{header: 8}},
		{"longer records", in, layout{record: 8}},
		{"all of it", in, layout{header: 40, record: 4, turned: true, shared: true, nothing: 1 << 31}},
		{"nothing in it", empty, layout{}},
		{"nothing in it, whose offsets lead outside", empty, layout{nothing: 1<<32 - 1}},
	} {
		v.Accept = append(v.Accept, vector{c.name, c.in.json(), hex.EncodeToString(c.in.flat(c.l))})
	}
	unknown := *in
	unknown.Caller = later
	known := *in
	known.Caller = ""
	v.Accept = append(v.Accept, vector{"a caller of a later version", known.json(), hex.EncodeToString(unknown.flat(layout{}))})
	kinds := *in
	kinds.Segments = append([]segment{{later, 0, "/x", "text", ""}}, in.Segments...)
	other := *in
	other.Segments = append([]segment{{"other", 0, "/x", "text", ""}}, in.Segments...)
	v.Accept = append(v.Accept, vector{"a kind of a later version", other.json(), hex.EncodeToString(kinds.flat(layout{}))})

	b := in.flat(layout{})
	size := uint32(len(b))
	const segments = flatHeader // the first record
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"cut in the header", b[:87]},
		{"cut at the end", b[:len(b)-1]},
		{"the magic of an answer", set(b, 0, 0x4f5a5442)},
		{"a header that is too short", set(b, 4, 87)},
		{"a header longer than the input", set(b, 4, size+1)},
		{"a size that is not the input's", set(b, 8, size-1)},
		{"segments outside", set(b, 40, size)},
		{"segments whose end wraps", set(b, 40, 1<<32-32)},
		{"a segment too many", set(b, 44, size/32+1)},
		{"segments whose number times size wraps", set(b, 44, 1<<27+4)},
		{"segments that are too short", set(b, 48, 31)},
		{"segments of no size", set(b, 48, 0)},
		{"a text outside", set(b, segments+16, size)},
		{"a text whose end wraps", set(b, segments+16, 1<<32-4, 8)},
		{"a text that is too long", set(b, segments+20, size)},
	} {
		v.Refuse = append(v.Refuse, vector{Name: c.name, Flat: hex.EncodeToString(c.b)})
	}
	return v
}

// TestReaderVectors holds the published inputs to the kit's own encoder, and the
// SDK for Go to them.
func TestReaderVectors(t *testing.T) {
	const file = "../abi/vectors/readers.json"
	vectors := readerVectors()
	want, err := json.Marshal(vectors, jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Fatal(diff)
	}
	decode := func(v vector) (*scanner.Input, error) {
		b, err := hex.DecodeString(v.Flat)
		if err != nil {
			t.Fatal(err)
		}
		return scanner.DecodeInput(b)
	}
	for _, v := range vectors.Accept {
		flat, err := decode(v)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		plain, err := scanner.DecodeInput(v.JSON)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(plain)
		b, _ := json.Marshal(flat)
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Errorf("%s: %s", v.Name, diff)
		}
	}
	for _, v := range vectors.Refuse {
		if _, err := decode(v); err == nil {
			t.Errorf("%s: taken", v.Name)
		}
	}
}
