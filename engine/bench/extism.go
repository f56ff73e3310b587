package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/sandbox"
	extism "github.com/extism/go-sdk"
)

// plugin is the scanner of guest/c/examine.h in an Extism host.
func plugin(ctx context.Context, timeout time.Duration) (*extism.Plugin, error) {
	wasm, err := guest("c-extism")
	if err != nil {
		return nil, err
	}
	return extism.NewPlugin(ctx, extism.Manifest{
		Wasm:    []extism.Wasm{extism.WasmData{Data: wasm}},
		Timeout: uint64(timeout.Milliseconds()),
	}, extism.PluginConfig{}, nil)
}

func scanWith(p *extism.Plugin, in []byte) ([]byte, error) {
	code, out, err := p.Call("scan", in)
	if err != nil {
		return nil, err
	}
	if code != 0 {
		return nil, fmt.Errorf("the plugin returned %d", code)
	}
	return out, nil
}

// sandboxed is the same scanner in our sandbox.
func sandboxed(ctx context.Context) (*sandbox.Module, func(), error) {
	wasm, err := guest("c-scanner")
	if err != nil {
		return nil, nil, err
	}
	r, err := sandbox.New(sandbox.Config{})
	if err != nil {
		return nil, nil, err
	}
	m, err := r.Load(ctx, wasm, sandbox.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, r.Close(ctx))
	}
	return m, func() { _ = r.Close(ctx) }, nil
}

// extismRows compare a call of ours, with fuel, deadline and reset, with the
// call of an Extism plugin; both get the same input, encoded before. A whole
// scan of ours, from the message to the verdict, is beside them.
func extismRows(ctx context.Context) ([]row, error) {
	const what, target = "same C scanner in an Extism host", "≥ 5× slower"
	module, closeModule, err := sandboxed(ctx)
	if err != nil {
		return []row{absent(what, target, err.Error())}, nil
	}
	defer closeModule()
	ignore := func([]byte) error { return nil }
	set, closeSet, err := oneScanner(ctx)
	if err != nil {
		return []row{absent(what, target, err.Error())}, nil
	}
	defer closeSet()
	free, err := plugin(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer free.Close(ctx)
	timed, err := plugin(ctx, time.Minute)
	if err != nil {
		return nil, err
	}
	defer timed.Close(ctx)
	hosts := []struct {
		name   string
		ratios []float64
		detail string
	}{{name: "its timeout"}, {name: "no timeout"}}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"0.5 KB", 512}, {"4 KB", 4 << 10}, {"64 KB", 60 << 10}} {
		text := prose(size.bytes, 4)
		m, in := result(text), flatInput(text)
		s, err := interleave(9, 15*time.Millisecond,
			arm{Name: "ours", Run: func() error { _, err := module.Call(ctx, in, ignore); return err }},
			arm{Name: "extism with timeout", Run: func() error { _, err := scanWith(timed, in); return err }},
			arm{Name: "extism", Run: func() error { _, err := scanWith(free, in); return err }},
			arm{Name: "ours whole", Run: func() error { return clean(set.Scan(ctx, m)) }},
		)
		if err != nil {
			return nil, err
		}
		for i := range hosts {
			h := &hosts[i]
			h.ratios = append(h.ratios, s.Ratio(i+1, 0))
			h.detail += fmt.Sprintf("; %s %.1f× (%s, ours %s, from message to verdict %s)", size.name, s.Ratio(i+1, 0),
				duration(s.Median(i+1)), duration(s.Median(0)), duration(s.Median(3)))
		}
	}
	var rows []row
	for _, h := range hosts {
		mean := geomean(h.ratios)
		rows = append(rows, line(what+", "+h.name, fmt.Sprintf("%.1f× (least %.1f×)", mean, slices.Min(h.ratios)), target, atLeast(mean, 5),
			"geometric mean"+h.detail))
	}
	return rows, nil
}
