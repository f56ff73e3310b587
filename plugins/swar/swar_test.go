package swar

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	const text = "\x00\x01abc\xff\x80zyxwvu"
	for i := range len(text) - 7 {
		if got, want := Load(text, i), binary.LittleEndian.Uint64([]byte(text[i:])); got != want {
			t.Errorf("at %d: %x, want %x", i, got, want)
		}
	}
	for _, i := range []int{-1, len(text) - 7, len(text), 1 << 40} {
		func() {
			defer func() {
				_ = recover()
			}()
			t.Errorf("%x at %d of %d bytes", Load(text, i), i, len(text))
		}()
	}
}

// TestEqual holds that the lowest bit is where the first such byte is.
func TestEqual(t *testing.T) {
	for _, text := range []string{"abcdefgh", "aabbccdd", "\x00\x01\x02\x7f\x80\x81\xfe\xff", "bababaab", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
		for c := range 256 {
			want := strings.IndexByte(text, byte(c))
			got := -1
			for i := range 8 {
				if Equal(Load(text, 0), byte(c))>>(8*i)&0x80 != 0 {
					got = i
					break
				}
			}
			if got != want {
				t.Errorf("%q: %q at %d, want %d", text, rune(c), got, want)
			}
		}
	}
}

// TestSame holds that every bit is where such a byte is.
func TestSame(t *testing.T) {
	for _, text := range []string{"abcdefgh", "aabbccdd", "\x00\x01\x02\x7f\x80\x81\xfe\xff", "`a`a`aaa", "\x00\x00\x01\x00\x80\x00\x81\x00"} {
		for c := range 256 {
			got := Same(Load(text, 0), byte(c))
			for i := range 8 {
				if (got>>(8*i)&0xff == 0x80) != (text[i] == byte(c)) {
					t.Errorf("%q: %x for %q", text, got, rune(c))
				}
			}
		}
	}
}

func TestHigh(t *testing.T) {
	for _, text := range []string{"", "a", "abcdefgh", "abcdefghi", "é", "abcdefgé", "abcdefghié", "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"} {
		if got, want := High(text), strings.ContainsRune(text, 'é'); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
