package main

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"math/rand/v2"

	"github.com/bartizan-mcp/bartizan/engine/bench/guest/phrases"
)

// kernelInput is what every kernel reads: 64 KiB of prose, since half of them
// search it.
const kernelInput = 64 << 10

// kernels are the compute-bound guests written once more in Go: the reference
// for what a guest must answer and for what native speed is.
var kernels = []struct {
	name string
	run  func(in []byte) uint64
}{
	{"sieve", sieve},
	{"matmul", matmul},
	{"sha256", sha},
	{"automaton", walk},
	{"quicksort", quicksort},
	{"search", search},
}

const sieveLimit = 1 << 19

var composite [sieveLimit]bool

func sieve(in []byte) uint64 {
	clear(composite[:])
	primes := uint64(len(in))
	for i := uint64(2); i < sieveLimit; i++ {
		if composite[i] {
			continue
		}
		primes++
		for j := i * i; j < sieveLimit; j += i {
			composite[j] = true
		}
	}
	return primes
}

const side = 96

var ma, mb, mc [side][side]float64

func matmul(in []byte) uint64 {
	for i := range side {
		for j := range side {
			ma[i][j] = float64(in[i*side+j])
			mb[i][j] = float64(in[side*side+i*side+j])
		}
	}
	for i := range side {
		for j := range side {
			sum := 0.0
			for k := range side {
				sum += ma[i][k] * mb[k][j]
			}
			mc[i][j] = sum
		}
	}
	trace := 0.0
	for i := range side {
		for j := range side {
			trace += mc[i][j] * float64(i+1)
		}
	}
	return uint64(trace)
}

// sha is the standard library's, which uses the processor's own instructions:
// the reference for the answer, and a hard one for speed.
func sha(in []byte) uint64 {
	h := sha256.New()
	h.Write(in[:len(in)/64*64])
	state, err := h.(encoding.BinaryAppender).AppendBinary(nil)
	if err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(state[4:]) // after the magic number: the chaining value
}

var numbers [kernelInput / 4]uint32

func quicksort(in []byte) uint64 {
	v := numbers[:len(in)/4]
	for i := range v {
		v[i] = binary.LittleEndian.Uint32(in[4*i:])
	}
	sortNumbers(v, 0, len(v)-1)
	var mix uint64
	for _, n := range v {
		mix = mix*31 + uint64(n)
	}
	return mix
}

func sortNumbers(v []uint32, lo, hi int) {
	for lo < hi {
		pivot := v[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		if j-lo < hi-i {
			sortNumbers(v, lo, j)
			lo = i
		} else {
			sortNumbers(v, i, hi)
			hi = j
		}
	}
}

var searchWords = []string{"secret", "ignore", "password", "token", "system", "instruction", "forward", "private"}

func search(in []byte) uint64 {
	var found uint64
	for _, w := range searchWords {
		for i := range in {
			k := 0
			for k < len(w) && i+k < len(in) && in[i+k] == w[k] {
				k++
			}
			if k == len(w) {
				found += uint64(i) + 1
			}
		}
	}
	return found
}

var phraseTable = phrases.New(phrases.All)

func walk(in []byte) uint64 {
	var mix uint64
	at := uint16(0)
	for i, c := range in {
		at = phraseTable.Next[at][phraseTable.Class[c]]
		if e := phraseTable.Ends[at]; e != 0 {
			mix = mix*31 + uint64(e)*uint64(i+1)
		}
	}
	return mix
}

// seeded returns the same random numbers at every run.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 20261120)) }
