package main

import "encoding/binary"

// flatInput encodes one text as the engine encodes a result of one segment, for
// hosts that have no encoder of their own.
func flatInput(text string) []byte {
	const header, segment, pointer = 88, 32, "/result/content/0/text"
	le := binary.LittleEndian
	b := make([]byte, header+segment, header+segment+len(pointer)+len(text))
	le.PutUint32(b[0:], 0x495a5442)
	le.PutUint32(b[4:], header)
	b[12] = 3 // result
	le.PutUint32(b[32:], 256)
	le.PutUint32(b[36:], 64<<10)
	table := func(at, count, record int) {
		le.PutUint32(b[at:], header)
		le.PutUint32(b[at+4:], uint32(count))
		le.PutUint32(b[at+8:], uint32(record))
	}
	table(40, 1, segment)
	table(52, 0, 16) // hits
	table(64, 0, 40) // flow
	table(76, 0, 48) // context
	str := func(at int, s string) {
		le.PutUint32(b[at:], uint32(len(b)))
		le.PutUint32(b[at+4:], uint32(len(s)))
		b = append(b, s...)
	}
	le.PutUint32(b[header:], 14) // text
	str(header+8, pointer)
	str(header+16, text)
	le.PutUint32(b[8:], uint32(len(b)))
	return b
}
