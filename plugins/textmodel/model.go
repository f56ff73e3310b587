package textmodel

import (
	"encoding/binary"
	"errors"
)

// ErrWeights is returned for weights that are not of this version and size.
var ErrWeights = errors.New("textmodel: weights are not of this version")

// Model is a linear model over the features of a window. Its bytes are
//
//	"BZTM" ‖ version u32 ‖ gram scale i32 ‖ dense scale i32 ‖ bias i32 ‖
//	flag i32 ‖ block i32 ‖ Dense × i8 ‖ Grams × i8      (little-endian)
//
// A score is bias + gram scale × Σ grams ÷ √n + dense scale × Σ dense in units
// of 1/65536, n being the number of n-grams in the window. Scores are compared
// with the two thresholds; nothing else is meant by them.
type Model struct {
	GramScale, DenseScale, Bias int32
	Flag, Block                 int32 // least score that is flagged, blocked

	weights string
}

// Layout of the bytes.
const (
	magic      = "BZTM"
	version    = 4
	headerSize = 4 + 6*4
	Size       = headerSize + Dense + Grams
)

// Load reads weights. The string is kept, not copied.
func Load(weights string) (*Model, error) {
	if len(weights) != Size || weights[:4] != magic {
		return nil, ErrWeights
	}
	var head [headerSize]byte
	copy(head[:], weights)
	field := func(i int) int32 { return int32(binary.LittleEndian.Uint32(head[4+4*i:])) }
	if field(0) != version {
		return nil, ErrWeights
	}
	return &Model{
		GramScale: field(1), DenseScale: field(2), Bias: field(3), Flag: field(4), Block: field(5),
		weights: weights[headerSize:],
	}, nil
}

// Marshal returns the bytes of a model with the given weights.
func Marshal(m Model, dense, grams []int8) []byte {
	out := make([]byte, 0, Size)
	out = append(out, magic...)
	for _, v := range []int32{version, m.GramScale, m.DenseScale, m.Bias, m.Flag, m.Block} {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	for _, v := range dense[:Dense] {
		out = append(out, byte(v))
	}
	for _, v := range grams[:Grams] {
		out = append(out, byte(v))
	}
	return out
}

// Score scores the features of one window.
func (m *Model) Score(f *Features) int32 {
	var dense, grams int64
	for _, i := range f.Dense {
		dense += int64(int8(m.weights[i]))
	}
	for _, g := range f.Grams {
		grams += int64(int8(m.weights[Dense+int(g)]))
	}
	return m.score(grams, int64(len(f.Grams)), dense)
}

// score weighs the sums over n n-grams and over the dense features.
func (m *Model) score(grams, n, dense int64) int32 {
	score := int64(m.Bias) + int64(m.DenseScale)*dense
	if n > 0 {
		score += int64(m.GramScale) * grams * 256 / roots[min(n, int64(len(roots)-1))]
	}
	return int32(max(-1<<31, min(1<<31-1, score)))
}

// roots[n] is the root of n in units of 1/256, for as many n-grams as a window has.
var roots = func() (t [3*WindowWords + 1]int64) {
	for n := range t {
		t[n] = root(int64(n) * 65536)
	}
	return t
}()

// root is the integer square root.
func root(n int64) int64 {
	x := n
	for y := (x + 1) / 2; y < x; y = (x + n/x) / 2 {
		x = y
	}
	return x
}
