package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// guestDir holds what guest/Makefile builds.
const guestDir = "guest/build"

var errAbsent = errors.New("not built")

// guest returns a built guest, or why there is none.
func guest(name string) ([]byte, error) {
	wasm, err := os.ReadFile(filepath.Join(guestDir, name+".wasm"))
	if errors.Is(err, os.ErrNotExist) {
		language, _, _ := strings.Cut(name, "-")
		return nil, fmt.Errorf("%w: %s", errAbsent, toolchain(language))
	}
	return wasm, err
}

// toolchain says which compiler built the guests of a language.
func toolchain(language string) string {
	b, err := os.ReadFile(filepath.Join(guestDir, "toolchains.txt"))
	if err != nil {
		return "make -C guest was not run"
	}
	for line := range strings.Lines(string(b)) {
		if name, compiler, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && name == language {
			return compiler
		}
	}
	return "no toolchain on record for " + language
}

// instance is a guest driven through wazero alone, without the engine.
type instance struct {
	module      api.Module
	alloc, scan api.Function
	stack       [2]uint64
}

func instantiate(ctx context.Context, r wazero.Runtime, wasm []byte) (*instance, error) {
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, err
	}
	return &instance{module: m, alloc: m.ExportedFunction("bartizan_alloc"), scan: m.ExportedFunction("bartizan_scan")}, nil
}

// call copies an input into the guest and returns where the answer lies.
func (g *instance) call(ctx context.Context, in []byte) (view []byte, err error) {
	g.stack[0] = uint64(len(in))
	if err := g.alloc.CallWithStack(ctx, g.stack[:]); err != nil {
		return nil, err
	}
	at := uint32(g.stack[0])
	if !g.module.Memory().Write(at, in) {
		return nil, errors.New("no room for the input")
	}
	g.stack[0], g.stack[1] = uint64(at), uint64(len(in))
	if err := g.scan.CallWithStack(ctx, g.stack[:]); err != nil {
		return nil, err
	}
	view, ok := g.module.Memory().Read(uint32(g.stack[0]>>32), uint32(g.stack[0]))
	if !ok {
		return nil, errors.New("the answer lies outside")
	}
	return view, nil
}

// number calls a kernel, whose answer is one number.
func (g *instance) number(ctx context.Context, in []byte) (uint64, error) {
	b, err := g.call(ctx, in)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("an answer of %d bytes", len(b))
	}
	return binary.LittleEndian.Uint64(b), nil
}
