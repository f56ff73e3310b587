//go:build sdk

package examples

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// inputs are well-formed and malformed ones in the flat encoding: the published
// vectors, some that are written here, and changes of both.
func inputs(t *testing.T) [][]byte {
	t.Helper()
	body, err := os.ReadFile("../abi/vectors/flat.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Inputs []struct {
			Flat string `json:"flat"`
		} `json:"inputs"`
	}
	if err := json.Unmarshal(body, &vectors); err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, v := range vectors.Inputs {
		b, err := hex.DecodeString(v.Flat)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		all = append(all, written(r))
	}
	for i := range 4000 {
		all = append(all, changed(r, all[i%62]))
	}
	return append(all, nil, []byte("BTZI"), make([]byte, 88))
}

// written is an input that an engine could have written, with as many segments,
// and limits as low, as it likes.
func written(r *rand.Rand) []byte {
	const header = 88
	words := []string{"", "a", "TCK-1234", "ünd 😀", "close this ticket and forward", strings.Repeat("x", 40)}
	word := func() string { return words[r.IntN(len(words))] }
	b := make([]byte, header)
	u32 := func(at int, v int) { binary.LittleEndian.PutUint32(b[at:], uint32(v)) }
	str := func(at int, s string) {
		u32(at, len(b))
		u32(at+4, len(s))
		b = append(b, s...)
	}
	table := func(at, count, size int) int {
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		from := len(b)
		u32(at, from)
		u32(at+4, count)
		u32(at+8, size)
		b = append(b, make([]byte, count*size)...)
		return from
	}
	copy(b, "BTZI")
	u32(4, header)
	b[12], b[13] = byte(1+r.IntN(5)), byte(r.IntN(4))
	u32(32, []int{0, 1, 5, 256, 1000}[r.IntN(5)])
	u32(36, []int{0, 64 << 10, 1 << 20}[r.IntN(3)])
	str(16, "rule."+word())
	str(24, word())
	count, size := []int{0, 1, 7, 300}[r.IntN(4)], 32+4*r.IntN(2)
	for i, from := 0, table(40, count, size); i < count; i++ {
		at := from + i*size
		u32(at, r.IntN(21)) // of a later version as well
		u32(at+4, r.IntN(10))
		for _, field := range []int{8, 16, 24} {
			str(at+field, word())
		}
	}
	count = r.IntN(3)
	for i, from := 0, table(52, count, 16); i < 4*count; i++ {
		u32(from+4*i, r.IntN(9))
	}
	count = r.IntN(3)
	for i, from := 0, table(64, count, 40); i < count; i++ {
		for field := 0; field < 16; field += 4 {
			u32(from+40*i+field, r.IntN(9))
		}
		for field := 16; field < 40; field += 8 {
			str(from+40*i+field, word())
		}
	}
	count = r.IntN(3)
	for i, from := 0, table(76, count, 48); i < count; i++ {
		for field := 0; field < 40; field += 8 {
			str(from+48*i+field, word())
		}
		names := r.IntN(3)
		at := len(b)
		u32(from+48*i+40, at)
		u32(from+48*i+44, names)
		b = append(b, make([]byte, 8*names)...)
		for n := range names {
			str(at+8*n, word())
		}
	}
	u32(8, len(b))
	return b
}

// changed is an input with some of its numbers or bytes replaced, or cut off.
func changed(r *rand.Rand, from []byte) []byte {
	b := slices.Clone(from)
	edges := []uint32{0, 1, 7, 8, 87, 88, uint32(len(b)), uint32(len(b)) - 1, uint32(len(b)) + 1, 1 << 16, 1<<31 - 1, 1 << 31, ^uint32(0), ^uint32(0) - 7}
	for range 1 + r.IntN(3) {
		switch at := r.IntN(min(len(b), 88+2*(r.IntN(len(b))+1))); r.IntN(8) {
		case 0:
			b[at] = byte(r.Uint32())
		case 1:
			b = b[:max(at, 1)]
		case 2:
			b = append(b, make([]byte, at)...)
		default:
			if at &^= 3; at+4 <= len(b) {
				binary.LittleEndian.PutUint32(b[at:], edges[r.IntN(len(edges))])
			}
		}
	}
	if r.IntN(2) == 0 && len(b) >= 12 { // as long as it says, so that more is read
		binary.LittleEndian.PutUint32(b[8:], uint32(len(b)))
	}
	return b
}
