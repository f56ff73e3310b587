package engine

import (
	"context"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// hostModule is the name of our own import module.
const hostModule = "bartizan"

// logBytes bounds what one call of a guest may write.
const logBytes = 4 << 10

// instantiateHost provides bartizan.log(level, ptr, len): a line of at most
// logBytes for whoever watches a scanner being developed.
func instantiateHost(ctx context.Context, r wazero.Runtime) error {
	i32 := api.ValueTypeI32
	_, err := r.NewHostModuleBuilder(hostModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(hostLog), []api.ValueType{i32, i32, i32}, nil).
		Export("log").Instantiate(ctx)
	return err
}

// logKey finds the log of the call in progress.
type logKey struct{}

// hostLog never enters the guest and never fails it: a bad range writes nothing.
func hostLog(ctx context.Context, m api.Module, stack []uint64) {
	log, _ := ctx.Value(logKey{}).(*boundedLog)
	if log == nil || m.Memory() == nil {
		return
	}
	ptr, size := api.DecodeU32(stack[1]), api.DecodeU32(stack[2])
	if line, ok := m.Memory().Read(ptr, min(size, logBytes)); ok {
		log.Write(line)
		log.Write([]byte{'\n'})
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
		_, _ = l.w.Write(p[:keep]) // a broken log must not change a verdict
	}
	return len(p), nil
}
