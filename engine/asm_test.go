package engine

import (
	"encoding/binary"
	"slices"
)

// asm assembles the small hostile modules of the tests.
type asm struct {
	types, imports, functions, code, exports, data, globals, tables [][]byte
	start                                                           []byte
	pages                                                           uint64
	customs                                                         []byte
}

// Names of the ABI.
const (
	exportMemory = "memory"
	exportAlloc  = "bartizan_alloc"
	exportScan   = "bartizan_scan"
	exportInit   = "bartizan_init"
	exportStart  = "_initialize"
	hostModule   = "bartizan"
	wasiModule   = "wasi_snapshot_preview1"
	logBytes     = 4 << 10
)

const (
	wasmI32 = 0x7f
	wasmI64 = 0x7e

	opUnreachable = 0x00
	opLoop        = 0x03
	opIf          = 0x04
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opCall        = 0x10
	opDrop        = 0x1a
	opLocalGet    = 0x20
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opI32Load     = 0x28
	opI32Store    = 0x36
	opMemoryGrow  = 0x40
	opI32Const    = 0x41
	opI64Const    = 0x42
	opI32Ne       = 0x47
	opI32Add      = 0x6a
	opReturn      = 0x0f
	blockVoid     = 0x40
)

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

func vec(items ...[]byte) []byte {
	return slices.Concat(append([][]byte{uleb(uint64(len(items)))}, items...)...)
}

func bytesOf(s string) []byte { return append(uleb(uint64(len(s))), s...) }

func i32c(v int64) []byte { return append([]byte{opI32Const}, sleb(v)...) }

func i64c(v uint64) []byte { return append([]byte{opI64Const}, sleb(int64(v))...) }

func (a *asm) typ(params, results []byte) uint64 {
	a.types = append(a.types, slices.Concat([]byte{0x60}, bytesOf(string(params)), bytesOf(string(results))))
	return uint64(len(a.types) - 1)
}

// imp imports a function and returns its index; it comes before every fn.
func (a *asm) imp(module, name string, params, results []byte) byte {
	t := a.typ(params, results)
	a.imports = append(a.imports, slices.Concat(bytesOf(module), bytesOf(name), []byte{0}, uleb(t)))
	return byte(len(a.imports) - 1)
}

// fn adds a function, exported unless name is "", and returns its index.
func (a *asm) fn(name string, params, results []byte, body ...[]byte) byte {
	a.functions = append(a.functions, uleb(a.typ(params, results)))
	content := slices.Concat([]byte{0}, slices.Concat(body...), []byte{opEnd})
	a.code = append(a.code, append(uleb(uint64(len(content))), content...))
	index := uint64(len(a.imports) + len(a.functions) - 1)
	if name != "" {
		a.exports = append(a.exports, slices.Concat(bytesOf(name), []byte{0}, uleb(index)))
	}
	return byte(index)
}

func (a *asm) exportMemory() {
	a.exports = append(a.exports, append(bytesOf(exportMemory), 2, 0))
}

func (a *asm) global(initial int64) {
	a.globals = append(a.globals, slices.Concat([]byte{wasmI32, 1}, i32c(initial), []byte{opEnd}))
}

func (a *asm) bytes(at int64, content string) {
	a.data = append(a.data, slices.Concat([]byte{0}, i32c(at), []byte{opEnd}, bytesOf(content)))
}

func (a *asm) custom(name, content string) {
	body := slices.Concat(bytesOf(name), []byte(content))
	a.customs = slices.Concat(a.customs, []byte{0}, uleb(uint64(len(body))), body)
}

func (a *asm) assemble() []byte {
	section := func(id byte, items [][]byte) []byte {
		if len(items) == 0 {
			return nil
		}
		body := vec(items...)
		return slices.Concat([]byte{id}, uleb(uint64(len(body))), body)
	}
	var memory, start []byte
	if a.pages > 0 {
		body := slices.Concat([]byte{1, 0}, uleb(a.pages))
		memory = slices.Concat([]byte{5}, uleb(uint64(len(body))), body)
	}
	if a.start != nil {
		start = slices.Concat([]byte{8}, uleb(uint64(len(a.start))), a.start)
	}
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, a.types), section(2, a.imports), section(3, a.functions), section(4, a.tables), memory, section(6, a.globals),
		section(7, a.exports), start, section(10, a.code), section(11, a.data), a.customs)
}

// Where the modules of the tests keep things.
const (
	answerAt = 1024
	inputAt  = 65536
)

const cleanAnswer = `{"status":"complete","findings":[],"unexamined":[]}`

var i32x2 = []byte{wasmI32, wasmI32}

// at packs what bartizan_scan returns.
func at(ptr, size uint64) []byte { return i64c(ptr<<32 | size) }

// module is a scanner that answers everything with answer; edit changes it
// before the usual exports are added.
func module(answer string, edit func(a *asm, has map[string]bool)) []byte {
	a := &asm{pages: 48}
	has := map[string]bool{}
	if edit != nil {
		edit(a, has)
	}
	if !has[exportMemory] {
		a.exportMemory()
	}
	if !has[exportAlloc] {
		a.fn(exportAlloc, []byte{wasmI32}, []byte{wasmI32}, i32c(inputAt))
	}
	if !has[exportScan] {
		a.fn(exportScan, i32x2, []byte{wasmI64}, at(answerAt, uint64(len(answer))))
	}
	if !has["manifest"] {
		a.custom(ManifestSection, testManifest)
	}
	a.bytes(answerAt, answer)
	return a.assemble()
}

const testManifest = `{"abi":1,"name":"test","version":"0.1.0","phases":["listing","request","result","prompt","resource"],` +
	`"encoding":"json","form":"reactor","call":"always","rules":[` +
	`{"id":"test.high","family":"injection","severity":"high","taxonomy":["OWASP-MCP06"],"description":"A test's high finding."},` +
	`{"id":"test.low","family":"integrity","severity":"low","taxonomy":[],"description":"A test's low finding."}]}`
