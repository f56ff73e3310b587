package admit

// The helpers below write modules by hand: what these tests are about is often
// what no assembler would write.

func module(sections ...[]byte) []byte {
	out := append(encoder{}, preamble...)
	for _, s := range sections {
		out.raw(s...)
	}
	return out
}

func section(id byte, items ...[]byte) []byte {
	var contents, out encoder
	contents.u32(uint32(len(items)))
	for _, item := range items {
		contents.raw(item...)
	}
	out.section(id, contents)
	return out
}

func funcType(params, results []byte) []byte {
	e := encoder{0x60}
	e.bytes(params)
	e.bytes(results)
	return e
}

func named(name string, rest ...byte) []byte {
	var e encoder
	e.name(name)
	return append(e, rest...)
}

func importOf(from, name string, rest ...byte) []byte {
	var e encoder
	e.name(from)
	e.name(name)
	return append(e, rest...)
}

// function is a body without locals of its own; its end is added.
func function(code ...byte) []byte {
	var e encoder
	e.bytes(append(append([]byte{0}, code...), byte(opEnd)))
	return e
}
