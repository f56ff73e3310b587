package admit_test

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/tetratelabs/wazero"
)

func TestShippedScannersPass(t *testing.T) {
	modules, err := plugins.Modules()
	if err != nil {
		t.Skip(err)
	}
	for name, wasm := range modules {
		m, err := admit.Parse(wasm, admit.Limits{})
		if err != nil {
			t.Fatal(name, err)
		}
		p, err := m.Instrument(admit.Options{MemoryPages: 1024})
		if err != nil {
			t.Fatal(name, err)
		}
		// The interpreter validates without compiling.
		r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		if _, err := r.CompileModule(t.Context(), p.Wasm); err != nil {
			t.Error(name, err)
		}
		r.Close(t.Context())
	}
}
