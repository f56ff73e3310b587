package wasmsection

// Import kinds, by their byte in the binary format.
var importKinds = [...]string{"function", "table", "memory", "global", "tag"}

// Import is one entry of the import section.
type Import struct {
	Module, Name string
	Kind         string // function, table, memory, global or tag
}

// Imports lists what a module imports, in order.
func Imports(wasm []byte) ([]Import, error) {
	sections, err := Parse(wasm)
	if err != nil {
		return nil, err
	}
	var imports []Import
	for _, s := range sections {
		if s.ID != IDImport {
			continue
		}
		r := reader{b: s.Body}
		for n := r.u32(); n > 0 && !r.bad; n-- {
			imp := Import{Module: r.name(), Name: r.name()}
			kind := r.byte()
			if int(kind) >= len(importKinds) {
				return nil, malformed("import of kind %d", kind)
			}
			imp.Kind = importKinds[kind]
			r.skipDescriptor(kind)
			imports = append(imports, imp)
		}
		if r.bad || r.pos != len(s.Body) {
			return nil, malformed("import section")
		}
	}
	return imports, nil
}

// skipDescriptor passes over what follows an import's kind.
func (r *reader) skipDescriptor(kind byte) {
	switch kind {
	case 0: // function: type index
		r.u32()
	case 1: // table: element type, limits
		r.byte()
		r.skipLimits()
	case 2: // memory: limits
		r.skipLimits()
	case 3: // global: value type, mutability
		r.bytes(2)
	case 4: // tag: attribute, type index
		r.byte()
		r.u32()
	}
}

func (r *reader) skipLimits() {
	hasMax := r.byte()&1 == 1
	r.u32()
	if hasMax {
		r.u32()
	}
}
