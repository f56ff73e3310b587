package wasmsection

import (
	"encoding/binary"
	"testing"
)

func TestNumbersReadBack(t *testing.T) {
	for _, v := range []int64{0, 1, 63, 64, -1, -64, -65, 1<<31 - 1, -1 << 31, 1 << 56, -1 << 62, 1<<62 - 1, 1<<63 - 1, -1 << 63} {
		r := NewReader(AppendS64(nil, v))
		if got := r.S64(); got != v || r.Bad() || r.More() {
			t.Errorf("%d reads back as %d", v, got)
		}
	}
	for _, v := range []uint32{0, 127, 128, 1<<32 - 1} {
		r := NewReader(binary.AppendUvarint(nil, uint64(v)))
		if got := r.U32(); got != v || r.Bad() || r.More() {
			t.Errorf("%d reads back as %d", v, got)
		}
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":          {},
		"cut":            {0x80},
		"over 32 bits":   {0xff, 0xff, 0xff, 0xff, 0x1f},
		"too many bytes": {0x80, 0x80, 0x80, 0x80, 0x80, 0},
	} {
		if r := NewReader(b); r.U32() != 0 || !r.Bad() || r.More() {
			t.Errorf("%s was read as unsigned", name)
		}
	}
	for name, b := range map[string][]byte{
		"empty":          {},
		"cut":            {0xff},
		"over 64 bits":   {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
		"too many bytes": {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0},
	} {
		if r := NewReader(b); r.S64() != 0 || !r.Bad() {
			t.Errorf("%s was read as signed", name)
		}
	}
	if r := NewReader([]byte{1, 0xff}); r.Name() != "" || !r.Bad() {
		t.Error("a name that is not UTF-8 was read")
	}
}

func FuzzSigned(f *testing.F) {
	f.Add(int64(-129))
	f.Fuzz(func(t *testing.T, v int64) {
		if r := NewReader(AppendS64(nil, v)); r.S64() != v || r.Bad() {
			t.Errorf("%d does not read back", v)
		}
	})
}
