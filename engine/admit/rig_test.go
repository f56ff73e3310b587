package admit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

var (
	errFuel  = errors.New("out of fuel")
	errDepth = errors.New("stack too deep")
)

// rig is a runtime with the host module that rewritten modules import.
type rig struct {
	wazero.Runtime
	quantum int64 // what a yield adds
	limit   int64 // fuel in all; 0 for any
	given   int64 // fuel handed out since the last entry
	yields  int
	most    int64 // charged between two yields at most, if the quantum is 0
}

func newRig(t testing.TB, config wazero.RuntimeConfig) *rig {
	t.Helper()
	ctx := t.Context()
	r := &rig{Runtime: wazero.NewRuntimeWithConfig(ctx, config), quantum: 10_000}
	t.Cleanup(func() { r.Close(context.WithoutCancel(ctx)) })
	yield := func(_ context.Context, stack []uint64) {
		left := int64(stack[0])
		r.yields++
		if r.limit != 0 && r.given-left >= r.limit {
			panic(errFuel)
		}
		if r.quantum == 0 { // every look at the fuel yields
			r.most = max(r.most, -left)
			r.given -= left
			stack[0] = 0
			return
		}
		r.given += r.quantum
		stack[0] = uint64(left + r.quantum)
	}
	i64 := []api.ValueType{api.ValueTypeI64}
	_, err := r.NewHostModuleBuilder(admit.HostModule).
		NewFunctionBuilder().WithGoFunction(api.GoFunc(yield), i64, i64).Export(admit.ImportYield).
		NewFunctionBuilder().WithFunc(func() { panic(errDepth) }).Export(admit.ImportDepth).
		Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// enter gives an instance what a call may use.
func (r *rig) enter(mod api.Module, depth int32) {
	r.given = r.quantum
	mod.ExportedGlobal(admit.ExportFuel).(api.MutableGlobal).Set(uint64(r.quantum))
	mod.ExportedGlobal(admit.ExportDepth).(api.MutableGlobal).Set(api.EncodeI32(depth))
}

// spent is the fuel used since the last enter.
func (r *rig) spent(mod api.Module) int64 {
	return r.given - int64(mod.ExportedGlobal(admit.ExportFuel).Get())
}

const deep = 1 << 14

// instantiate rewrites a module and runs its start function.
func (r *rig) instantiate(ctx context.Context, wasm []byte, name string) (api.Module, *admit.Program, error) {
	p, err := rewrite(wasm)
	if err != nil {
		return nil, nil, err
	}
	mod, err := r.InstantiateWithConfig(ctx, p.Wasm, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil {
		return nil, p, fmt.Errorf("instantiating what was rewritten: %w", err)
	}
	if p.Start {
		r.enter(mod, deep)
		if _, err := mod.ExportedFunction(admit.ExportStart).Call(ctx); err != nil {
			mod.Close(ctx)
			return nil, p, err
		}
	}
	return mod, p, nil
}

func rewrite(wasm []byte) (*admit.Program, error) {
	m, err := admit.Parse(wasm, admit.Limits{})
	if err != nil {
		return nil, err
	}
	return m.Instrument(admit.Options{MemoryPages: 1 << 16})
}

// reason is an error without the stack trace, which names functions by index.
func reason(err error) string {
	if err == nil {
		return ""
	}
	if errors.Is(err, errDepth) || strings.Contains(err.Error(), "stack overflow") {
		return "stack"
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
