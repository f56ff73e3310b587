// Package swar reads a text eight bytes at a time (SIMD within a register). In
// a guest compiled by Go each branch that is taken is an indirect jump, so that
// eight bytes in one step cost little more than one. It knows nothing of what
// the bytes mean.
package swar

// A number in each of eight bytes: Ones*c is the byte c eight times.
const (
	Ones  = 0x0101010101010101
	Highs = 0x8080808080808080
)

// Equal has the high bit of each byte of v that is c, and perhaps of bytes
// above one that is.
func Equal(v uint64, c byte) uint64 {
	v ^= Ones * uint64(c)
	return (v - Ones) &^ v & Highs
}
