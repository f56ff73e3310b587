package script

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// address is where the template of these tests has its room.
const address = 0x12345

// template is a module with a function imported, three globals before the one
// that is exported, and one data segment.
func template(change ...func(map[byte][]byte)) []byte {
	name := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	bodies := map[byte][]byte{
		1: {1, 0x60, 0, 0},
		2: bytes.Join([][]byte{{1}, name("bartizan"), name("log"), {0, 0}}, nil),
		5: {1, 0, 2},
		6: bytes.Join([][]byte{
			{4, 0x7f, 1, opI32Const, 0x80, 0x80, 4, opEnd}, {0x7e, 0, opI64Const, 0x7f, opEnd}, {0x7c, 0, opF64Const, 0, 0, 0, 0, 0, 0, 0, 0, opEnd},
			{0x7f, 0, opI32Const}, wasmsection.AppendS64(nil, int64(address)), {opEnd},
		}, nil),
		7:  bytes.Join([][]byte{{3}, name("memory"), {2, 0}, name("other"), {3, 0}, name(roomName), {3, 3}}, nil),
		12: {1},
		10: {0},
		11: {1, 0, opI32Const, 0, opEnd, 1, 'x'},
	}
	for _, c := range change {
		c(bodies)
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{1, 2, 5, 6, 7, 12, 10, 11} {
		if body, ok := bodies[id]; ok {
			out = section(out, id, body)
		}
	}
	return out
}

func TestPlace(t *testing.T) {
	for _, source := range []string{"x", "export default 1 // é😀", strings.Repeat("a", Room)} {
		wasm, err := Place(template(), []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		sections, err := wasmsection.Parse(wasm)
		if err != nil {
			t.Fatal(err)
		}
		was, _ := wasmsection.Parse(template())
		if len(sections) != len(was) {
			t.Fatalf("%d sections, %d before", len(sections), len(was))
		}
		for i, s := range sections {
			want := was[i].Body
			switch s.ID {
			case sectionDataCount:
				want = []byte{2}
			case sectionData:
				content := binary.LittleEndian.AppendUint32(nil, uint32(len(source)))
				want = append([]byte{2}, want[1:]...)
				want = append(append(append(want, 0, opI32Const), wasmsection.AppendS64(nil, int64(address))...), opEnd)
				want = binary.AppendUvarint(want, uint64(len(content)+len(source)))
				want = append(append(want, content...), source...)
			}
			if s.ID != was[i].ID || !bytes.Equal(s.Body, want) {
				t.Errorf("section %d: %.80x\nwant %.80x", s.ID, s.Body, want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	put := func(id byte, body ...byte) func(map[byte][]byte) { return func(m map[byte][]byte) { m[id] = body } }
	for name, c := range map[string]struct {
		template []byte
		source   string
		want     error
	}{
		"no script":            {template(), "", ErrScript},
		"long":                 {template(), strings.Repeat("a", Room+1), ErrScript},
		"not UTF-8":            {template(), "\xff", ErrScript},
		"no module":            {[]byte("x"), "x", ErrTemplate},
		"no sections":          {template()[:8], "x", ErrTemplate},
		"no export":            {template(put(7, 0)), "x", ErrTemplate},
		"export cut short":     {template(put(7, 1, 15)), "x", ErrTemplate},
		"global imported":      {template(put(2, 1, 1, 'a', 1, 'b', 3, 0x7f, 0)), "x", ErrTemplate},
		"globals cut short":    {template(put(6, 4, 0x7f)), "x", ErrTemplate},
		"global of a function": {template(put(6, 1, 0x70, 0, 0xd2, 0, opEnd)), "x", ErrTemplate},
		"too few globals":      {template(put(6, 1, 0x7f, 0, opI32Const, 1, opEnd)), "x", ErrTemplate},
		"no data":              {template(func(m map[byte][]byte) { delete(m, 11) }), "x", ErrTemplate},
	} {
		if wasm, err := Place(c.template, []byte(c.source)); !errors.Is(err, c.want) || wasm != nil {
			t.Errorf("%s: %d bytes, %v", name, len(wasm), err)
		}
	}
}

func FuzzPlace(f *testing.F) {
	f.Add(template(), []byte("x"))
	f.Fuzz(func(t *testing.T, wasm, source []byte) {
		out, err := Place(wasm, source)
		if err != nil {
			return
		}
		before, _ := wasmsection.Parse(wasm)
		after, err := wasmsection.Parse(out)
		if err != nil || len(before) != len(after) || !bytes.Contains(out, source) {
			t.Errorf("%d sections became %d: %v", len(before), len(after), err)
		}
	})
}
