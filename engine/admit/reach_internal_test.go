package admit

import (
	"errors"
	"testing"
)

// TestAddedIsOutOfReach has guests name what the rewriting adds, by index and by
// name. The guest has one import, one function, one global and one type more
// than it uses.
func TestAddedIsOutOfReach(t *testing.T) {
	guest := func(change map[byte][]byte, code ...byte) []byte {
		sections := map[byte][]byte{
			sectionType:     section(sectionType, funcType(nil, nil)),
			sectionImport:   section(sectionImport, importOf("env", "f", kindFunction, 0)),
			sectionFunction: section(sectionFunction, []byte{0}),
			sectionTable:    section(sectionTable, []byte{typeFunc, 0, 1}),
			sectionMemory:   section(sectionMemory, []byte{0, 1}),
			sectionGlobal:   section(sectionGlobal, []byte{typeI64, 1, 0x42, 0, 0x0b}),
			sectionExport:   section(sectionExport, named("g", kindFunction, 1)),
			sectionCode:     section(sectionCode, function(code...)),
		}
		for id, s := range change {
			sections[id] = s
		}
		var all [][]byte
		for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11} {
			all = append(all, sections[id])
		}
		return module(all...)
	}
	if _, err := Parse(guest(nil), Limits{}); err != nil {
		t.Fatal("the guest that does nothing: ", err)
	}
	export := func(item []byte) map[byte][]byte {
		return map[byte][]byte{sectionExport: section(sectionExport, item)}
	}
	for name, wasm := range map[string][]byte{
		"reads fuel":           guest(nil, 0x23, 1, 0x1a),
		"reads depth":          guest(nil, 0x23, 2, 0x1a),
		"writes fuel":          guest(nil, 0x42, 0, 0x24, 1),
		"writes depth":         guest(nil, 0x41, 0, 0x24, 2),
		"writes dirty":         guest(nil, 0x41, 0, 0x24, 3),
		"calls yield":          guest(nil, 0x10, 2),
		"calls refuel":         guest(nil, 0x10, 4),
		"refers to yield":      guest(nil, 0xd2, 2, 0x1a),
		"block of added type":  guest(nil, 0x02, 1, 0x0b),
		"indirect, added type": guest(nil, 0x41, 0, 0x11, 1, 0),
		"unreachable code":     guest(nil, 0x00, 0x23, 1, 0x1a),
		"extra local":          guest(nil, 0x20, 0, 0x1a),
		"table entry": guest(map[byte][]byte{
			sectionElement: section(sectionElement, []byte{0, 0x41, 0, 0x0b, 1, 2}),
		}),
		"start":            guest(map[byte][]byte{sectionStart: {sectionStart, 1, 2}}),
		"exports yield":    guest(export(named("y", kindFunction, 2))),
		"exports fuel":     guest(export(named("y", kindGlobal, 1))),
		"our export name":  guest(export(named(ExportFuel, kindGlobal, 0))),
		"our start's name": guest(export(named(ExportStart, kindFunction, 1))),
		"our name's form":  guest(export(named(reserved, kindFunction, 1))),
		"our module": guest(map[byte][]byte{
			sectionImport: section(sectionImport, importOf(HostModule, "yield", kindFunction, 0)),
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(wasm, Limits{}); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v, not refused as invalid", err)
			}
		})
	}
}

// TestStateOfTheHost refuses what would share the guest's state or hide it.
func TestStateOfTheHost(t *testing.T) {
	types := section(sectionType, funcType(nil, nil))
	for name, s := range map[string][]byte{
		"imported table":           section(sectionImport, importOf("env", "t", kindTable, typeFunc, 0, 1)),
		"imported memory":          section(sectionImport, importOf("env", "m", kindMemory, 0, 1)),
		"imported global":          section(sectionImport, importOf("env", "g", kindGlobal, typeI32, 0)),
		"imported tag":             section(sectionImport, importOf("env", "t", 4, 0, 0)),
		"shared memory":            section(sectionMemory, []byte{3, 1, 2}),
		"memory of 64 bits":        section(sectionMemory, []byte{4, 1}),
		"two memories":             section(sectionMemory, []byte{0, 1}, []byte{0, 1}),
		"mutable vector":           section(sectionGlobal, append(append([]byte{typeV128, 1, 0xfd, 0x0c}, make([]byte, 16)...), 0x0b)),
		"mutable function":         section(sectionGlobal, []byte{typeFunc, 1, 0xd0, typeFunc, 0x0b}),
		"mutable extern reference": section(sectionGlobal, []byte{typeExtern, 1, 0xd0, typeExtern, 0x0b}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(module(types, s), Limits{}); !errors.Is(err, ErrUnsupported) {
				t.Errorf("%v, not refused as unsupported", err)
			}
		})
	}
	component := []byte("\x00asm\x0d\x00\x01\x00")
	if _, err := Parse(component, Limits{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("component: %v", err)
	}
	for name, code := range map[string][]byte{
		// Read as one byte, the opcodes are others and what follows them is code.
		"padded vector opcode":        {0x00, 0xfd, 0xfd, 0x00, 0x1a},
		"vector opcode of three":      {0x00, 0xfd, 0xae, 0x81, 0x00, 0x1a},
		"padded saturating opcode":    {0x00, 0xfc, 0x80, 0x00, 0x1a},
		"padded count of a selection": {0x00, 0x1c, 0x81, 0x00, typeI32, 0x1a},
	} {
		wasm := module(types, section(sectionFunction, []byte{0}), section(sectionCode, function(code...)))
		if _, err := Parse(wasm, Limits{}); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tail := module(types, section(sectionFunction, []byte{0}), section(sectionCode, function(0x12, 0)))
	if _, err := Parse(tail, Limits{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("tail call: %v", err)
	}
}
