package scanner

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeInput(t *testing.T) {
	const src = ` {"phase":"result","server":"s","entry":"e","caller":"agent","future":{"a":[1,null,"x"]},
	"segments":[{"kind":"text","item":2,"pointer":"/a~1b","text":"q\"\\\/\b\f\n\r\té\ud83d\ude00é","provenance":"base64","x":true},{}],
	"hits":[],"flow":[],"context":[{"server":"o","kind":"tool","name":"n","title":"t","description":"d","parameters":["p","q"]}],
	"limits":{"findings":256,"outputBytes":65536}} `
	got, err := DecodeInput([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := &Input{
		Phase: "result", Server: "s", Entry: "e", Caller: "agent",
		Segments: []Segment{
			{Kind: "text", Item: 2, Pointer: "/a~1b", Text: "q\"\\/\b\f\n\r\té😀é", Provenance: "base64"}, {},
		},
		Context: []ContextEntry{{Server: "o", Kind: "tool", Name: "n", Title: "t", Description: "d", Parameters: []string{"p", "q"}}},
		Limits:  Limits{Findings: 256, OutputBytes: 65536},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeInputRefuses(t *testing.T) {
	for _, src := range []string{
		``, `{`, `[]`, `{}x`, `{"phase":1}`, `{"phase":"a`, `{"phase":"\`, `{"phase":"\ud800"}`, `{"phase":"\ud800A"}`,
		`{"phase":"\uZZZZ"}`, `{"phase" "a"}`, `{"phase":"a",}`, `{"segments":[{]}`, `{"segments":{}}`, `{"limits":{"findings":-}}`,
		`{"limits":{"findings":12345678901234567890}}`, `{"x":}`, `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		if in, err := DecodeInput([]byte(src)); err == nil {
			t.Errorf("%q: accepted as %+v", src, in)
		}
	}
}

func FuzzDecodeInput(f *testing.F) {
	f.Add(`{"phase":"result","segments":[{"kind":"text","item":0,"pointer":"","text":"\u0061"}]}`)
	f.Fuzz(func(t *testing.T, src string) {
		in, err := DecodeInput([]byte(src))
		if err != nil || !json.Valid([]byte(src)) {
			return
		}
		var ref struct {
			Phase    string
			Segments []Segment
		}
		if json.Unmarshal([]byte(src), &ref) != nil || strings.Count(strings.ToLower(src), "segments") != strings.Count(src, `"segments"`) {
			return // duplicate or differently cased names: the host writes neither
		}
		if strings.Count(src, `"segments"`) == 1 && len(in.Segments) != len(ref.Segments) {
			t.Errorf("%q: %d segments, encoding/json reads %d", src, len(in.Segments), len(ref.Segments))
		}
	})
}

func TestEncodeReadsBack(t *testing.T) {
	replacement := "[gone]"
	out := NewOutput()
	out.Add(Finding{Rule: "a.b", Severity: "high", Confidence: .25, Segment: 1, Start: 2, End: 3,
		Message: "q\"\\\n\x00\x7fé\xff", Replacement: &replacement, Mark: "m"})
	out.Add(Finding{Rule: "a.c", Confidence: 1})
	out.Skip(4, 5, 6)
	var got map[string]any
	if err := json.Unmarshal(out.appendJSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"status": "partial",
		"findings": []any{
			map[string]any{"rule": "a.b", "severity": "high", "confidence": .25, "segment": 1., "start": 2., "end": 3.,
				"message": "q\"\\\n\x00\x7fé\ufffd", "replacement": "[gone]", "mark": "m"},
			map[string]any{"rule": "a.c", "confidence": 1., "segment": 0., "start": 0., "end": 0., "message": ""},
		},
		"unexamined": []any{map[string]any{"segment": 4., "start": 5., "end": 6.}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestHandler(t *testing.T) {
	defer Handle(nil, nil)
	if _, err := Exec([]byte(`{}`)); !errors.Is(err, ErrNoHandler) {
		t.Errorf("without a handler: %v", err)
	}
	Handle(func(config []byte) error {
		if string(config) == "bad" {
			return errors.New("bad configuration")
		}
		return nil
	}, func(in *Input) *Output {
		switch in.Phase {
		case "panic":
			panic("author's mistake")
		case "nil":
			return nil
		}
		return NewOutput()
	})
	if err := Configure([]byte("bad")); err == nil {
		t.Error("bad configuration accepted")
	}
	if err := Configure(nil); err != nil {
		t.Error(err)
	}
	var caught *PanicError
	if _, err := Exec([]byte(`{"phase":"panic"}`)); !errors.As(err, &caught) {
		t.Errorf("panic: %v", err)
	}
	if _, err := Exec([]byte(`{"phase":"nil"}`)); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("nil answer: %v", err)
	}
	out, err := Exec([]byte(`{"phase":"result"}`))
	if err != nil || string(out) != `{"status":"complete","findings":[],"unexamined":[]}` {
		t.Errorf("clean: %s, %v", out, err)
	}
}

func BenchmarkDecodeInput(b *testing.B) {
	src := []byte(`{"phase":"result","server":"s","entry":"e","caller":"","segments":[` +
		`{"kind":"text","item":0,"pointer":"/result/content/0/text","text":"` + strings.Repeat(`line of text\n`, 300) + `","provenance":""}],"context":[]}`)
	b.Run("own", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			if _, err := DecodeInput(src); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			var in Input
			if err := json.Unmarshal(src, &in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestFindingsBeyondTheLimit(t *testing.T) {
	t.Cleanup(func() { Handle(nil, nil) })
	Handle(nil, func(in *Input) *Output {
		out := NewOutput()
		for i := range 4 {
			out.Add(Finding{Rule: "a.b", Start: i, End: i + 1})
		}
		return out
	})
	for limit, want := range map[string]string{
		"3": `"status":"partial"`, "4": `"status":"complete"`, "0": `"status":"complete"`,
	} {
		out, err := Exec([]byte(`{"phase":"request","segments":[{"text":"abcd"}],"limits":{"findings":` + limit + `}}`))
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("limit %s: %s, %v", limit, out, err)
		}
		if unexamined := `"unexamined":[{"segment":0,"start":3,"end":4}]`; limit == "3" && !strings.Contains(string(out), unexamined) {
			t.Errorf("limit %s: %s", limit, out)
		}
	}
}
