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

// Same has the high bit of each byte of v that is c and of no other.
func Same(v uint64, c byte) uint64 {
	v ^= Ones * uint64(c)
	return ^((v&^Highs + Ones*0x7f) | v) & Highs
}

// High reports a byte of s whose high bit is set.
func High(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if Load(s, i)&Highs != 0 {
			return true
		}
	}
	for ; i < len(s); i++ {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}
