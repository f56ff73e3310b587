package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/bartizan-mcp/bartizan/engine/admit"
)

// quantum is how much fuel the guests of the metering row get at a time. The
// engine's own is adaptive; the row "between yields" shows what it comes to.
const quantum = 64 << 10

// meter stands in for the engine's side of the metered module: it looks at the
// clock and at the context as the engine does, and refills.
func meter(ctx context.Context, r wazero.Runtime, deadline time.Duration) error {
	i64 := []api.ValueType{api.ValueTypeI64}
	end := time.Now().Add(deadline)
	yield := func(ctx context.Context, _ api.Module, stack []uint64) {
		if ctx.Err() != nil || time.Now().After(end) {
			panic(errors.New("deadline"))
		}
		stack[0] = quantum
	}
	depth := func(context.Context, api.Module, []uint64) { panic(errors.New("depth")) }
	_, err := r.NewHostModuleBuilder(admit.HostModule).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(yield), i64, i64).Export(admit.ImportYield).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(depth), nil, nil).Export(admit.ImportDepth).
		Instantiate(ctx)
	return err
}

// metered returns a module as the engine rewrites it.
func metered(wasm []byte) ([]byte, error) {
	m, err := admit.Parse(wasm, admit.DefaultLimits)
	if err != nil {
		return nil, err
	}
	p, err := m.Instrument(admit.Options{MemoryPages: 1024})
	if err != nil {
		return nil, err
	}
	return p.Wasm, nil
}

// callMetered enters a rewritten guest with a full meter.
func (g *instance) callMetered(ctx context.Context, in []byte) ([]byte, error) {
	g.module.ExportedGlobal(admit.ExportFuel).(api.MutableGlobal).Set(quantum)
	g.module.ExportedGlobal(admit.ExportDepth).(api.MutableGlobal).Set(1 << 20)
	return g.call(ctx, in)
}

// kernelRatios are the times of one kernel, metered and under wazero's deadline,
// in its time as compiled.
type kernelRatios struct {
	name               string
	metered, deadlined float64
}

func meterKernel(ctx context.Context, name string, wasm, in []byte) (kernelRatios, error) {
	k := kernelRatios{name: name}
	rewritten, err := metered(wasm)
	if err != nil {
		return k, err
	}
	plain := wazero.NewRuntime(ctx)
	defer plain.Close(ctx)
	if err := meter(ctx, plain, time.Hour); err != nil {
		return k, err
	}
	watched := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	defer watched.Close(ctx)
	bare, err := instantiate(ctx, plain, wasm)
	if err != nil {
		return k, err
	}
	fuelled, err := instantiate(ctx, plain, rewritten)
	if err != nil {
		return k, fmt.Errorf("rewritten: %w", err)
	}
	closing, err := instantiate(ctx, watched, wasm)
	if err != nil {
		return k, err
	}
	limited, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	// Neither arm leaves garbage, so that they can take turns after every call.
	run := arm{Name: "bare", Run: func() error { _, err := bare.call(ctx, in); return err }}
	s, err := interleave(151, 0, run, arm{Name: "metered", Run: func() error { _, err := fuelled.callMetered(ctx, in); return err }})
	if err != nil {
		return k, err
	}
	k.metered = s.Ratio(1, 0)
	if s, err = interleave(9, 4*time.Millisecond, run, arm{Name: "deadline", Run: func() error { _, err := closing.call(limited, in); return err }}); err != nil {
		return k, err
	}
	k.deadlined = s.Ratio(1, 0)
	return k, nil
}

// meteringRows compares every compute-bound guest that was built.
func meteringRows(ctx context.Context) []row {
	const target = "≤ 1.15×"
	in := []byte(prose(kernelInput, 1))
	var rows []row
	for _, language := range []string{"c", "rust"} {
		var all []kernelRatios
		what := "metering, " + map[string]string{"c": "C", "rust": "Rust"}[language] + " guests"
		for _, k := range kernels {
			wasm, err := guest(language + "-" + k.name)
			if err == nil {
				var r kernelRatios
				if r, err = meterKernel(ctx, k.name, wasm, in); err == nil {
					all = append(all, r)
					continue
				}
			}
			rows = append(rows, absent(what+", "+k.name, target, err.Error()))
			if errors.Is(err, errAbsent) {
				break
			}
		}
		if len(all) > 0 {
			rows = append(rows, summary(what, target, all)...)
		}
	}
	return rows
}

func summary(what, target string, all []kernelRatios) []row {
	var fuel, deadline []float64
	detail := ""
	for _, k := range all {
		fuel, deadline = append(fuel, k.metered), append(deadline, k.deadlined)
		detail += fmt.Sprintf("%s %.2f/%.1f ", k.name, k.metered, k.deadlined)
	}
	mean := geomean(fuel)
	return []row{
		line(what, fmt.Sprintf("%.2f× (worst %.2f×)", mean, slices.Max(fuel)), target, atMost(mean, 1.15), "geometric mean of "+fmt.Sprint(len(all))),
		line("  wazero's own deadline instead", fmt.Sprintf("%.1f× (worst %.1f×)", geomean(deadline), slices.Max(deadline)), "", nothing, "each: "+detail),
	}
}
