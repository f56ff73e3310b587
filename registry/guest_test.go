package registry

import (
	"encoding/binary"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// guestManifest is that of a scanner with one rule.
const guestManifest = `{"abi":1,"name":"marker","version":"1.0.0","phases":["listing"],"encoding":"json","form":"reactor","call":"always","rules":[{"id":"poisoning.marker","family":"poisoning","severity":"high","taxonomy":["OWASP-MCP03"],"description":"the text holds the marker"}]}`

const (
	guestFound = `{"status":"complete","findings":[{"rule":"poisoning.marker","confidence":1,"segment":0,"start":0,"end":1,"message":"marker"}]}`
	guestClean = `{"status":"complete","findings":[]}`
)

// markerScanner is written by hand, instruction by instruction: it reports a
// finding in segment 0 when the bytes "EVIL" stand anywhere in its input, and
// traps on "TRAP".
func markerScanner(t *testing.T) *engine.Live {
	t.Helper()
	wasm, err := wasmsection.Attach(markerModule(), engine.ManifestSection, []byte(guestManifest))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(t.Context()) })
	s, err := e.Load(t.Context(), wasm, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine.NewLive(engine.NewSet(s))
}

func markerModule() []byte {
	const found, clean, input = 1024, 2048, 4096
	answer := func(ptr, n int) []byte { return append([]byte{0x42}, sleb(int64(ptr)<<32|int64(n))...) }
	compare := func(word string, then ...byte) []byte {
		b := []byte{0x20, 0, 0x28, 0, 0, 0x41} // load the word at ptr
		b = append(b, sleb(int64(int32(binary.LittleEndian.Uint32([]byte(word)))))...)
		b = append(b, 0x46, 0x04, 0x40) // equal: if
		return append(append(b, then...), 0x0b)
	}
	var scan []byte
	scan = append(scan, 0)                               // no further locals
	scan = append(scan, 0x20, 0, 0x20, 1, 0x6a, 0x21, 1) // end = ptr + len
	scan = append(scan, 0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x20, 1, 0x4f, 0x0d, 1)
	scan = append(scan, compare("EVIL", append(answer(found, len(guestFound)), 0x0f)...)...)
	scan = append(scan, compare("TRAP", 0x00)...)
	scan = append(scan, 0x20, 0, 0x41, 1, 0x6a, 0x21, 0, 0x0c, 0, 0x0b, 0x0b)
	scan = append(scan, answer(clean, len(guestClean))...)
	scan = append(scan, 0x0b)
	alloc := append(append([]byte{0, 0x41}, sleb(input)...), 0x0b)
	text := func(s string) []byte { return append(uleb(uint64(len(s))), s...) }
	data := func(at int, s string) []byte {
		b := append([]byte{0, 0x41}, sleb(int64(at))...)
		return append(append(b, 0x0b), text(s)...)
	}
	exports := []byte{3}
	for i, e := range []struct {
		name string
		kind byte
	}{{"memory", 2}, {"bartizan_alloc", 0}, {"bartizan_scan", 0}} {
		exports = append(append(exports, text(e.name)...), e.kind, byte(max(i-1, 0)))
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id   byte
		body []byte
	}{
		{1, []byte{2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e}},
		{3, []byte{2, 0, 1}},
		{5, append([]byte{1, 0}, uleb(64)...)},
		{7, exports},
		{10, append(append([]byte{2}, sized(alloc)...), sized(scan)...)},
		{11, append(append([]byte{2}, data(found, guestFound)...), data(clean, guestClean)...)},
	} {
		out = append(append(out, s.id), sized(s.body)...)
	}
	return out
}

func sized(b []byte) []byte { return append(uleb(uint64(len(b))), b...) }

func uleb(v uint64) []byte { return binary.AppendUvarint(nil, v) }

// sleb encodes a signed LEB128 number.
func sleb(v int64) []byte {
	var out []byte
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
