package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// What a module may ask of the host before any limit of a call applies. The
// compiler's work grows with locals times blocks, so both are bounded; real
// guests have a few hundred locals and bodies of some 100 KiB.
const (
	maxLocals        = 10_000
	maxFunctionBytes = 1 << 20
	maxTables        = 16
	maxTableElements = 1 << 20 // of 8 bytes each, not part of the guest's memory
	compileDeadline  = 30 * time.Second
)

var errCompile = errors.New("compilation deadline")

// bound returns what is compiled in place of a module: its code and data, with
// bounded tables.
func bound(wasm []byte) ([]byte, error) {
	size, err := wasmsection.Measure(wasm)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	switch {
	case size.Locals > maxLocals:
		return nil, fmt.Errorf("%w: a function with %d locals, at most %d", ErrLimits, size.Locals, maxLocals)
	case size.Body > maxFunctionBytes:
		return nil, fmt.Errorf("%w: a function of %d bytes, at most %d", ErrLimits, size.Body, maxFunctionBytes)
	case size.Tables > maxTables:
		return nil, fmt.Errorf("%w: %d tables, at most %d", ErrLimits, size.Tables, maxTables)
	case size.TableMin > maxTableElements:
		return nil, fmt.Errorf("%w: tables of %d elements, at most %d", ErrLimits, size.TableMin, maxTableElements)
	}
	bare, err := wasmsection.Bare(wasm, maxTableElements)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	return bare, nil
}

// compile compiles a bounded module. wazero cannot be interrupted there, so
// that one which takes too long is left to finish alone.
func compile(ctx context.Context, r wazero.Runtime, wasm []byte, deadline time.Duration) (wazero.CompiledModule, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, deadline, errCompile)
	defer cancel()
	type outcome struct {
		module wazero.CompiledModule
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() { done <- o }()
		defer contain(&o.err)
		o.module, o.err = r.CompileModule(ctx, wasm)
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrModule, o.err)
		}
		return o.module, nil
	case <-ctx.Done():
	}
	go func() {
		if o := <-done; o.module != nil {
			_ = o.module.Close(context.WithoutCancel(ctx))
		}
	}()
	if errors.Is(context.Cause(ctx), errCompile) {
		return nil, fmt.Errorf("%w: not compiled within %s", ErrLimits, deadline)
	}
	return nil, context.Cause(ctx)
}
