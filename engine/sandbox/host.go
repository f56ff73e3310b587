package sandbox

import (
	"context"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/bartizan-mcp/bartizan/engine/admit"
)

// Import modules that guests may use.
const (
	logModule  = "bartizan"
	wasiModule = "wasi_snapshot_preview1"
)

// logBytes bounds what one call of a guest may write.
const logBytes = 4 << 10

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// hostFunction is what a guest may call.
type hostFunction struct {
	module, name    string
	params, results []api.ValueType
	call            api.GoModuleFunc
}

// provided lists every import that a module may have. Nothing here enters the
// guest again, and nothing keeps anything beyond the run.
var provided = append([]hostFunction{
	{logModule, "log", []api.ValueType{i32, i32, i32}, nil, hostLog},
}, wasi...)

// metering is what engine/admit adds to every guest.
var metering = []hostFunction{
	{admit.HostModule, admit.ImportYield, []api.ValueType{i64}, []api.ValueType{i64}, meterYield},
	{admit.HostModule, admit.ImportDepth, nil, nil, meterDepth},
}

// provide makes the host functions known to a runtime.
func provide(ctx context.Context, r wazero.Runtime) error {
	builders := make(map[string]wazero.HostModuleBuilder)
	for _, list := range [][]hostFunction{provided, metering} {
		for _, f := range list {
			b := builders[f.module]
			if b == nil {
				b = r.NewHostModuleBuilder(f.module)
			}
			builders[f.module] = b.NewFunctionBuilder().WithGoModuleFunction(f.call, f.params, f.results).Export(f.name)
		}
	}
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hostLog is bartizan.log(level, ptr, len). It never fails the guest: a bad
// range writes nothing.
func hostLog(ctx context.Context, m api.Module, stack []uint64) {
	r := runOf(ctx)
	ptr, size := api.DecodeU32(stack[1]), min(api.DecodeU32(stack[2]), logBytes)
	r.charge(uint64(size))
	if m.Memory() == nil {
		return
	}
	if line, ok := m.Memory().Read(ptr, size); ok {
		_, _ = r.log.Write(line)
		_, _ = r.log.Write([]byte{'\n'})
	}
}

// boundedLog passes on the first bytes that one call writes and drops the rest.
type boundedLog struct {
	w    io.Writer // nil discards
	left int
}

// Write always reports success: a guest must not see how much was kept.
func (l *boundedLog) Write(p []byte) (int, error) {
	keep := min(len(p), l.left)
	l.left -= keep
	if l.w != nil && keep > 0 {
		_, _ = l.w.Write(p[:keep]) // a broken log must not change an answer
	}
	return len(p), nil
}
