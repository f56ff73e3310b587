package swar

import "unsafe"

// Load returns the eight bytes of s from i on, the first one lowest. The
// compiler makes one load of eight for other processors and not for this one,
// whose byte order is little-endian and whose loads need no alignment.
func Load(s string, i int) uint64 {
	return *(*uint64)(unsafe.Pointer(unsafe.StringData(s[i : i+8])))
}

// Store writes eight bytes to b from i on, the lowest first.
func Store(b []byte, i int, v uint64) {
	*(*uint64)(unsafe.Pointer(unsafe.SliceData(b[i : i+8]))) = v
}
