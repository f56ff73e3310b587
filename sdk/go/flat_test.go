package scanner

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"unsafe"
)

type vectors struct {
	Inputs, Answers []struct {
		Name string
		JSON json.RawMessage
		Flat string
	}
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("../abi/vectors/flat.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (in *Input) normal() *Input {
	out := *in
	out.Segments = append([]Segment{}, in.Segments...)
	out.Hits = append([]Hit{}, in.Hits...)
	out.Flow = append([]FlowHit{}, in.Flow...)
	out.Context = append([]ContextEntry{}, in.Context...)
	for i := range out.Context {
		out.Context[i].Parameters = append([]string{}, out.Context[i].Parameters...)
	}
	return &out
}

func TestInputVectors(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Inputs {
		want, err := DecodeInput(c.JSON)
		if err != nil {
			t.Fatalf("%s: json: %v", c.Name, err)
		}
		got, err := DecodeInput(unhex(t, c.Flat))
		if err != nil {
			t.Fatalf("%s: flat: %v", c.Name, err)
		}
		if !reflect.DeepEqual(got.normal(), want.normal()) {
			t.Errorf("%s:\nflat %+v\njson %+v", c.Name, got, want)
		}
	}
	if len(v.Inputs) < 2 {
		t.Error("no vectors")
	}
}

func TestAnswerVectors(t *testing.T) {
	for _, c := range readVectors(t).Answers {
		var out Output
		if err := json.Unmarshal(c.JSON, &out); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(out.appendFlat(nil)); got != c.Flat {
			t.Errorf("%s:\n got %s\nwant %s", c.Name, got, c.Flat)
		}
		if got := out.appendJSON(nil); !bytes.Equal(got, c.JSON) {
			t.Errorf("%s: %s", c.Name, got)
		}
		if got := out.appendFlat([]byte("before"))[6:]; hex.EncodeToString(got) != c.Flat {
			t.Errorf("%s: appended: %x", c.Name, got)
		}
	}
}

// TestLaterInputs holds that headers and records may grow at their ends.
func TestLaterInputs(t *testing.T) {
	src := unhex(t, readVectors(t).Inputs[1].Flat)
	want, err := DecodeInput(src)
	if err != nil {
		t.Fatal(err)
	}
	const more = 8
	grown := append(append(append([]byte{}, src[:flatInHeader]...), make([]byte, more)...), src[flatInHeader:]...)
	put := func(at int, v uint32) { binary.LittleEndian.PutUint32(grown[at:], v) }
	get := func(at int) uint32 { return binary.LittleEndian.Uint32(grown[at:]) }
	put(4, flatInHeader+more)
	// Every segment anew, behind everything, with eight bytes more.
	segments := len(grown) + 4
	grown = append(grown, 0, 0, 0, 0)
	for i := range want.Segments {
		at := flatInHeader + more + i*flatSegment
		for _, s := range []int{8, 16, 24} {
			put(at+s, get(at+s)+more)
		}
		grown = append(append(grown, grown[at:at+flatSegment]...), "whatever"...)
	}
	put(40, uint32(segments))
	put(48, flatSegment+more)
	put(16, get(16)+more)
	put(24, get(24)+more)
	put(56, 0) // no hits, flow and context: they would all have to move
	put(68, 0)
	put(80, 0)
	put(8, uint32(len(grown)))
	got, err := DecodeInput(grown)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Segments, want.Segments) || got.Server != want.Server || got.Entry != want.Entry {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	put(segments, 999)
	if got, err := DecodeInput(grown); err != nil || got.Segments[0].Kind != "other" {
		t.Errorf("a kind of a later version: %v", err)
	}
}

// FuzzDecodeFlat holds that no input makes the decoder read outside of it.
func FuzzDecodeFlat(f *testing.F) {
	for _, c := range readVectors(f).Inputs {
		f.Add(unhex(f, c.Flat))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !isFlat(b) {
			return
		}
		in, err := DecodeInput(b)
		if err != nil {
			return
		}
		first := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		inside := func(s string) {
			at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
			if len(s) > 0 && (at < first || at+uintptr(len(s)) > first+uintptr(len(b))) {
				t.Fatalf("%q is not of the input", s)
			}
		}
		inside(in.Server)
		inside(in.Entry)
		for _, s := range in.Segments {
			inside(s.Pointer)
			inside(s.Text)
			inside(s.Provenance)
		}
		for _, c := range in.Context {
			for _, s := range append(c.Parameters, c.Server, c.Kind, c.Name, c.Title, c.Description) {
				inside(s)
			}
		}
		for _, h := range in.Flow {
			inside(h.Mark)
			inside(h.Origin.Server)
			inside(h.Origin.Entry)
		}
		in.Near(8)
	})
}

func TestExecSpeaksBoth(t *testing.T) {
	defer Handle(nil, nil)
	v := readVectors(t)
	found := Finding{Rule: "a.b", Confidence: 1, Segment: 1}
	Handle(nil, func(in *Input) *Output {
		out := NewOutput()
		if len(in.Segments) > 0 {
			out.Add(found)
		}
		return out
	})
	for i, want := range []*Output{{}, {Findings: []Finding{found}}} {
		flat, err := Exec(unhex(t, v.Inputs[i].Flat))
		if err != nil || !bytes.Equal(flat, want.appendFlat(nil)) {
			t.Errorf("flat: %x, %v", flat, err)
		}
		plain, err := Exec(v.Inputs[i].JSON)
		if err != nil || !bytes.Equal(plain, want.appendJSON(nil)) {
			t.Errorf("json: %s, %v", plain, err)
		}
	}
}

// TestReuse holds that decoding into an input used before leaves nothing of it.
func TestReuse(t *testing.T) {
	v := readVectors(t)
	sources := [][]byte{unhex(t, v.Inputs[1].Flat), v.Inputs[1].JSON, unhex(t, v.Inputs[0].Flat), v.Inputs[0].JSON}
	for _, first := range sources {
		for _, second := range sources {
			var in Input
			if in.decode(first) != nil || in.decode(second) != nil {
				t.Fatal("not decoded")
			}
			want, err := DecodeInput(second)
			if err != nil || !reflect.DeepEqual(in.normal(), want.normal()) {
				t.Errorf("got  %+v\nwant %+v", in, want)
			}
		}
	}
}

func TestNear(t *testing.T) {
	in := &Input{
		Segments: []Segment{{Text: "0123456789abcdef"}, {Text: "é😀é"}, {Text: "untouched"}},
		Hits: []Hit{
			{Segment: 0, Start: 2, End: 3}, {Segment: 0, Start: 1, End: 6}, {Segment: 0, Start: 12, End: 13},
			{Segment: 1, Start: 2, End: 6}, {Segment: 7, Start: 0, End: 1}, {Segment: 0, Start: 15, End: 3}, {Segment: -1, End: 1}, {Segment: 0, Start: 14, End: 99},
		},
	}
	want := []Part{{0, 0, 7, "0123456"}, {0, 11, 16, "bcdef"}, {1, 0, 8, "é😀é"}}
	if got := in.Near(1); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := (&Input{}).Near(100); len(got) != 0 {
		t.Errorf("without hits: %v", got)
	}
}

func BenchmarkFlat(b *testing.B) {
	src := unhex(b, readVectors(b).Inputs[1].Flat)
	var in Input
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := in.decode(src); err != nil {
				b.Fatal(err)
			}
		}
	})
	out := &Output{Findings: []Finding{{Rule: "a.b", Confidence: 1, End: 1, Message: "why"}}}
	buf := make([]byte, 0, 1024)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out.appendFlat(buf)
		}
	})
}
