package tck

import (
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// wanted are the exports of the ABI by point and form.
var wanted = []struct {
	point, name, typ, form string
	required               bool
}{
	{"export.alloc", "bartizan_alloc", "(i32) -> (i32)", engine.FormReactor, true},
	{"export.scan", "bartizan_scan", "(i32, i32) -> (i64)", engine.FormReactor, true},
	{"export.init", "bartizan_init", "(i32, i32) -> (i32)", engine.FormReactor, false},
	{"export.initialize", "_initialize", "() -> ()", engine.FormReactor, false},
	{"export.start", "_start", "() -> ()", engine.FormCommand, true},
}

// static looks at the module without running it, and reports whether to go on.
func (k *kit) static() bool {
	module, err := admit.Parse(k.wasm, admit.DefaultLimits)
	if err != nil {
		k.fail("module.admitted", "%s", err)
		k.skipRest("the module is not admitted")
		return false
	}
	manifest := k.readManifest()
	k.exports(module)
	k.pass("import.allowed")
	if err := sandbox.CheckImports(module); err != nil {
		k.fail("import.allowed", "%s", err)
	}
	if manifest {
		limit := engine.DefaultLimits.MemoryBytes
		if wants := k.manifest.Limits.MemoryBytes; wants > 0 && wants < limit {
			limit = wants
		}
		k.pass("memory.start")
		if err := sandbox.CheckMemory(module, limit); err != nil {
			k.fail("memory.start", "%s", err)
		}
	}
	if !k.report.OK() {
		k.skipRest("the module is not admitted")
		return false
	}
	k.pass("module.admitted")
	return true
}

func (k *kit) readManifest() bool {
	n := 0
	for _, s := range engine.Inspect(k.wasm).Sections {
		if s.ID == 0 && s.Name == engine.ManifestSection {
			n++
		}
	}
	if n != 1 {
		k.fail("manifest.section", "the module has %d sections %s; `bartizan scanner attach` puts one in", n, engine.ManifestSection)
		return false
	}
	k.pass("manifest.section")
	m, err := engine.ReadManifest(k.wasm)
	if err != nil {
		k.fail("manifest.valid", "%s", err)
		return false
	}
	k.pass("manifest.valid")
	k.manifest, k.report.Scanner = m, m.Name
	return true
}

func (k *kit) exports(module *admit.Module) {
	functions := make(map[string]string)
	memories := 0
	for _, e := range module.Exports() {
		switch e.Kind {
		case 0:
			functions[e.Name] = sandbox.FormatType(e.Func.Params, e.Func.Results)
		case 2:
			if e.Name == "memory" {
				memories++
			}
		}
	}
	k.pass("export.memory")
	if memories != 1 {
		k.fail("export.memory", "no memory is exported as memory")
	}
	form := k.manifest.Form
	if form == "" { // the manifest cannot be read
		form = engine.FormReactor
	}
	for _, w := range wanted {
		typ, exported := functions[w.name]
		switch {
		case w.form != form:
			k.skip(w.point, "the form is "+form)
		case exported && typ != w.typ:
			k.fail(w.point, "%s has type %s; the ABI wants %s", w.name, typ, w.typ)
		case exported:
			k.pass(w.point)
		case w.required:
			k.fail(w.point, "%s%s is not exported", w.name, w.typ)
		default:
			k.skip(w.point, "not exported")
		}
	}
}
