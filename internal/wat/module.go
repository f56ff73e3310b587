package wat

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// module collects the sections of the binary format (§5.5).
type module struct {
	types, imports, functions, globals, exports, code, data [][]byte
	memory, start, customs                                  []byte

	funcs, globalNames map[string]uint64
	imported           int
}

func newModule() *module {
	return &module{funcs: make(map[string]uint64), globalNames: make(map[string]uint64)}
}

func (m *module) binary() []byte {
	section := func(id byte, items [][]byte) []byte {
		if len(items) == 0 {
			return nil
		}
		body := vector(items)
		return slices.Concat([]byte{id}, uleb(uint64(len(body))), body)
	}
	var memory [][]byte
	if m.memory != nil {
		memory = [][]byte{m.memory}
	}
	var start []byte
	if m.start != nil {
		start = slices.Concat([]byte{8}, uleb(uint64(len(m.start))), m.start)
	}
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), section(1, m.types), section(2, m.imports), section(3, m.functions),
		section(5, memory), section(6, m.globals), section(7, m.exports), start, section(10, m.code), section(11, m.data), m.customs)
}

// declare gives every function and global its index.
func (m *module) declare(n node) error {
	switch n.head() {
	case "import":
		if len(n.list) != 4 || n.list[1].text == nil || n.list[2].text == nil || n.list[3].head() != "func" {
			return n.bad("want (import \"module\" \"name\" (func $f ...))")
		}
		f, err := signatureOf(n.list[3])
		if err != nil {
			return err
		}
		if len(m.functions) > 0 {
			return n.bad("imports come before functions")
		}
		m.funcs[f.name] = uint64(m.imported)
		m.imported++
		m.imports = append(m.imports, slices.Concat(text(*n.list[1].text), text(*n.list[2].text), []byte{0}, uleb(m.typ(f))))
	case "func":
		f, err := signatureOf(n)
		if err != nil {
			return err
		}
		index := uint64(m.imported + len(m.functions))
		m.funcs[f.name] = index
		m.functions = append(m.functions, uleb(m.typ(f)))
		for _, name := range f.exports {
			m.export(name, 0, index)
		}
	case "global":
		if len(n.list) != 4 {
			return n.bad("want (global $g (mut i32) (i32.const 0))")
		}
		m.globalNames[n.list[1].atom] = uint64(len(m.globalNames))
	}
	return nil
}

// define writes what declare has numbered.
func (m *module) define(n node) error {
	switch n.head() {
	case "import":
		return nil
	case "func":
		return m.function(n)
	case "global":
		init, err := m.constant(n.list[3])
		if err != nil {
			return err
		}
		typ, mutable := n.list[2], byte(0)
		if typ.head() == "mut" && len(typ.list) == 2 {
			typ, mutable = typ.list[1], 1
		}
		t, err := valueType(typ)
		m.globals = append(m.globals, slices.Concat([]byte{t, mutable}, init))
		return err
	case "memory":
		return m.defineMemory(n)
	case "data":
		if len(n.list) != 3 || n.list[2].text == nil {
			return n.bad("want (data (i32.const 0) \"...\")")
		}
		at, err := m.constant(n.list[1])
		m.data = append(m.data, slices.Concat([]byte{0}, at, text(*n.list[2].text)))
		return err
	case "start":
		index, err := m.functionOf(n)
		m.start = uleb(index)
		return err
	case "@custom":
		if len(n.list) != 3 || n.list[1].text == nil || n.list[2].text == nil {
			return n.bad("want (@custom \"name\" \"...\")")
		}
		body := slices.Concat(text(*n.list[1].text), []byte(*n.list[2].text))
		m.customs = slices.Concat(m.customs, []byte{0}, uleb(uint64(len(body))), body)
		return nil
	}
	return n.bad("unknown field %q", n.head())
}

// defineMemory takes (memory (export "memory") least most?).
func (m *module) defineMemory(n node) error {
	var sizes []uint64
	for _, part := range n.list[1:] {
		if part.head() == "export" && len(part.list) == 2 && part.list[1].text != nil {
			m.export(*part.list[1].text, 2, 0)
			continue
		}
		size, err := strconv.ParseUint(part.atom, 0, 32)
		if err != nil {
			return part.bad("%s", err)
		}
		sizes = append(sizes, size)
	}
	switch len(sizes) {
	case 1:
		m.memory = slices.Concat([]byte{0}, uleb(sizes[0]))
	case 2:
		m.memory = slices.Concat([]byte{1}, uleb(sizes[0]), uleb(sizes[1]))
	default:
		return n.bad("a memory has one size or two")
	}
	return nil
}

// constant is an initial value.
func (m *module) constant(n node) ([]byte, error) {
	f := &function{module: m}
	err := f.instruction(n)
	return append(f.b, opEnd), err
}

// functionOf resolves the one function that a field names.
func (m *module) functionOf(n node) (uint64, error) {
	if len(n.list) < 2 {
		return 0, n.bad("names no function")
	}
	index, ok := m.funcs[n.list[1].atom]
	if !ok {
		return 0, n.bad("no function %s", n.list[1].atom)
	}
	return index, nil
}

func (m *module) export(name string, kind byte, index uint64) {
	m.exports = append(m.exports, slices.Concat(text(name), []byte{kind}, uleb(index)))
}

// typ returns the index of a function type.
func (m *module) typ(f signature) uint64 {
	t := slices.Concat([]byte{0x60}, text(string(f.params)), text(string(f.results)))
	for i, have := range m.types {
		if slices.Equal(have, t) {
			return uint64(i)
		}
	}
	m.types = append(m.types, t)
	return uint64(len(m.types) - 1)
}

// signature is what stands before the instructions of a function.
type signature struct {
	name            string
	exports, names  []string // names of parameters, then of locals
	params, results []byte
	locals          []byte
	body            []node
}

func signatureOf(n node) (f signature, err error) {
	rest := n.list[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0].atom, "$") {
		f.name, rest = rest[0].atom, rest[1:]
	}
	for ; len(rest) > 0; rest = rest[1:] {
		part := rest[0]
		switch part.head() {
		case "export":
			if len(part.list) != 2 || part.list[1].text == nil {
				return f, part.bad("want (export \"name\")")
			}
			f.exports = append(f.exports, *part.list[1].text)
		case "param":
			err = f.values(part, &f.params)
		case "result":
			err = f.types(part.list[1:], &f.results)
		case "local":
			err = f.values(part, &f.locals)
		default:
			f.body = rest
			return f, nil
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// values takes ($name type) or (type ...).
func (f *signature) values(part node, into *[]byte) error {
	rest := part.list[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0].atom, "$") {
		if len(rest) != 2 {
			return part.bad("want one type for %s", rest[0].atom)
		}
		f.names = append(f.names, rest[0].atom)
		return f.types(rest[1:], into)
	}
	for range rest {
		f.names = append(f.names, "")
	}
	return f.types(rest, into)
}

func (f *signature) types(atoms []node, into *[]byte) error {
	for _, n := range atoms {
		t, err := valueType(n)
		if err != nil {
			return err
		}
		*into = append(*into, t)
	}
	return nil
}

func valueType(n node) (byte, error) {
	switch n.atom {
	case "i32":
		return 0x7f, nil
	case "i64":
		return 0x7e, nil
	case "f32":
		return 0x7d, nil
	case "f64":
		return 0x7c, nil
	}
	return 0, n.bad("no value type: %q", n.atom)
}

func uleb(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func sleb(v int64) []byte {
	var b []byte
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func vector(items [][]byte) []byte {
	return slices.Concat(append([][]byte{uleb(uint64(len(items)))}, items...)...)
}

func text(s string) []byte { return append(uleb(uint64(len(s))), s...) }
