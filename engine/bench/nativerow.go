package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
)

// nativeRows compare the metered guests with the same kernels in Go.
func nativeRows(ctx context.Context) ([]row, error) {
	in := []byte(prose(kernelInput, 1))
	var sink uint64
	var rows []row
	for _, k := range kernels {
		r := row{What: "  " + k.name + ", metered C guest against Go"}
		ratio, native, err := againstGo(ctx, "c-"+k.name, in, func() error { sink += k.run(in); return nil })
		switch {
		case errors.Is(err, errAbsent):
			return append(rows, absent("C guests against Go", "", err.Error())), nil
		case err != nil:
			return rows, fmt.Errorf("%s: %w", k.name, err)
		}
		r.Figure, r.Note = fmt.Sprintf("%.2f×", ratio), "Go "+duration(native)
		if k.name == "sha256" {
			r.Note += ", by the processor's own instructions"
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func againstGo(ctx context.Context, name string, in []byte, native func() error) (ratio, ns float64, err error) {
	wasm, err := guest(name)
	if err != nil {
		return 0, 0, err
	}
	if wasm, err = metered(wasm); err != nil {
		return 0, 0, err
	}
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	if err := meter(ctx, r, time.Hour); err != nil {
		return 0, 0, err
	}
	g, err := instantiate(ctx, r, wasm)
	if err != nil {
		return 0, 0, err
	}
	s, err := interleave(7, 8*time.Millisecond,
		arm{Name: "guest", Run: func() error { _, err := g.callMetered(ctx, in); return err }}, arm{Name: "go", Run: native})
	if err != nil {
		return 0, 0, err
	}
	return s.Ratio(0, 1), s.Median(1), nil
}
