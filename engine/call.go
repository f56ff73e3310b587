package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"
)

// errDeadline is the cause of a context that the scanner's own deadline ended,
// as against one that the caller gave up.
var errDeadline = errors.New("scanner deadline")

// call runs one encoded input through a fresh instance and returns a copy of
// the encoded answer. The deadline covers everything that the guest does. When
// the caller's own context ends the failure is nil and the error is its cause:
// nothing is known about the scanner then.
func (s *Scanner) call(parent context.Context, input []byte) ([]byte, *Failure, error) {
	select {
	case s.engine.slots <- struct{}{}:
		defer func() { <-s.engine.slots }()
	case <-parent.Done():
		return nil, nil, context.Cause(parent)
	}
	ctx, cancel := context.WithTimeoutCause(parent, s.opts.Limits.Deadline, errDeadline)
	defer cancel()
	memory := &memoryCap{cap: uint64(s.opts.Limits.MemoryBytes)}
	log := &boundedLog{w: s.opts.Log, left: logBytes}
	ctx = experimental.WithMemoryAllocator(context.WithValue(ctx, logKey{}, log), memory)

	out, err := s.run(ctx, log, input)
	switch {
	case err == nil:
		return out, nil, nil
	case parent.Err() != nil:
		return nil, nil, context.Cause(parent)
	}
	return nil, s.failure(ctx, memory, err), nil
}

func (s *Scanner) run(ctx context.Context, log *boundedLog, input []byte) (out []byte, err error) {
	defer contain(&err)
	module, err := s.engine.runtime.InstantiateModule(ctx, s.module, moduleConfig(log))
	if err != nil {
		return nil, err
	}
	// The instance is closed even when ctx has ended.
	defer module.Close(context.WithoutCancel(ctx))
	g := guest{module}
	if err := g.init(ctx, s.hasInit, s.opts.Config); err != nil {
		return nil, err
	}
	return g.scan(ctx, input, s.opts.Limits.OutputBytes)
}

// errPanic is a fault of the Wasm runtime itself that a module brought about.
var errPanic = errors.New("panic in the Wasm runtime")

// contain keeps a module that finds such a fault from ending the process.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = errPanic
	}
}

// moduleConfig is everything that a guest sees of the world: nothing. Its clock
// stands still and its random numbers are the same in every instance, so that a
// verdict is a function of the input.
func moduleConfig(log *boundedLog) wazero.ModuleConfig {
	return wazero.NewModuleConfig().
		WithName(""). // anonymous, so that instances can exist side by side
		WithStartFunctions(exportStart).
		WithWalltime(func() (int64, int32) { return 0, 0 }, sys.ClockResolution(time.Microsecond)).
		WithNanotime(func() int64 { return 1 }, sys.ClockResolution(1)). // Go refuses to start at zero
		WithRandSource(rand.NewChaCha8([32]byte{})).
		WithStdout(log).WithStderr(log)
}

// errGuest is an answer that breaks the ABI. Its text is the host's.
var errGuest = errors.New("broken ABI")

// guest enters one instance. Lengths and addresses are unsigned 32-bit numbers
// added in 64 bits, against the memory as it is after the entry.
type guest struct{ api.Module }

func (g guest) init(ctx context.Context, exported bool, config []byte) error {
	if !exported {
		return nil
	}
	ptr, err := g.give(ctx, config)
	if err != nil {
		return err
	}
	res, err := g.ExportedFunction(exportInit).Call(ctx, uint64(ptr), uint64(len(config)))
	if err != nil {
		return err
	}
	if code := api.DecodeU32(res[0]); code != 0 {
		return fmt.Errorf("%w: %s returned %d", errGuest, exportInit, code)
	}
	return nil
}

func (g guest) scan(ctx context.Context, input []byte, maxOutput int) ([]byte, error) {
	ptr, err := g.give(ctx, input)
	if err != nil {
		return nil, err
	}
	res, err := g.ExportedFunction(exportScan).Call(ctx, uint64(ptr), uint64(len(input)))
	if err != nil {
		return nil, err
	}
	if res[0] == 0 {
		return nil, fmt.Errorf("%w: %s returned 0, a fault", errGuest, exportScan)
	}
	at, size := res[0]>>32, res[0]&0xffffffff
	if size > uint64(maxOutput) {
		return nil, fmt.Errorf("%w: answer of %d bytes, at most %d", errGuest, size, maxOutput)
	}
	if at+size > g.memorySize() {
		return nil, fmt.Errorf("%w: answer of %d bytes at %d lies outside a memory of %d", errGuest, size, at, g.memorySize())
	}
	view, _ := g.Memory().Read(uint32(at), uint32(size))
	return append([]byte(nil), view...), nil
}

// give writes b into memory that the guest allocates for it. Nothing is written
// for an empty b, whose address is 0.
func (g guest) give(ctx context.Context, b []byte) (uint32, error) {
	if len(b) == 0 {
		return 0, nil
	}
	res, err := g.ExportedFunction(exportAlloc).Call(ctx, uint64(len(b)))
	if err != nil {
		return 0, err
	}
	ptr := api.DecodeU32(res[0])
	switch {
	case ptr == 0:
		return 0, fmt.Errorf("%w: %s returned 0, a fault", errGuest, exportAlloc)
	case ptr%8 != 0:
		return 0, fmt.Errorf("%w: %s returned %d, which is not 8-aligned", errGuest, exportAlloc, ptr)
	case uint64(ptr)+uint64(len(b)) > g.memorySize():
		return 0, fmt.Errorf("%w: %s returned %d: %d bytes there lie outside a memory of %d", errGuest, exportAlloc, ptr, len(b), g.memorySize())
	}
	g.Memory().Write(ptr, b)
	return ptr, nil
}

func (g guest) memorySize() uint64 { return uint64(g.Memory().Size()) }
