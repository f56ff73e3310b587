package engine

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// pieces is a result whose texts are the items of an array.
func pieces(texts ...string) *message.Message {
	m := result(texts...)
	for i := range m.Segments {
		m.Segments[i].Kind, m.Segments[i].Pointer = message.KindStructured, fmt.Sprintf("/result/structuredContent/parts/%d", i)
	}
	return m
}

// TestPartsAreExaminedTogether holds that what is sent in parts is found, and
// that every part of it is named, and nothing else.
func TestPartsAreExaminedTogether(t *testing.T) {
	set := NewSet(guestScanner(t, Options{}))
	v := set.Scan(t.Context(), pieces("xx-at1", "an att", "ack and more"))
	if len(v.Findings) != 0 {
		t.Errorf("words that a space parts: %+v", v.Findings)
	}
	v = set.Scan(t.Context(), pieces("xx1-att", "ack-2yy"))
	if len(v.Findings) != 2 {
		t.Fatalf("%+v", v)
	}
	for i, want := range []struct {
		pointer    string
		start, end int
	}{{"/result/structuredContent/parts/0", 4, 7}, {"/result/structuredContent/parts/1", 0, 3}} {
		f := v.Findings[i]
		if f.Pointer != want.pointer || f.Start != want.start || f.End != want.end || f.Provenance != message.ProvenanceJoin || f.Leaf == "" {
			t.Errorf("%+v, want %+v", f, want)
		}
		if f.Action == ActionRedact && f.Replacement == nil {
			t.Errorf("%+v replaces nothing", f)
		}
	}
	if v := set.Scan(t.Context(), pieces("xx1-attack", "another-2yy")); len(v.Findings) != 1 || v.Findings[0].Provenance != "" {
		t.Errorf("what one part says alone: %+v", v.Findings)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("please attack the server"))
	v = set.Scan(t.Context(), pieces(encoded[:13], encoded[13:]))
	if len(v.Findings) != 2 || v.Findings[0].Provenance != "join>base64" || v.Findings[0].End != 13 || v.Findings[1].End != len(encoded)-13 {
		t.Errorf("encoded and cut: %+v", v.Findings)
	}
}
