// Package scanners loads the scanners that both doors and the command line
// run: those embedded in the binary and those that the operator added. It
// knows where modules come from, and nothing of what they look for.
package scanners

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// Options say what to load and how to run it.
type Options struct {
	// CacheDir keeps compiled modules between starts; "" compiles each time.
	CacheDir string
	// Extra are files of further modules, each with a manifest.
	Extra []string
	// UnsafeMonitor records findings and failures and never blocks.
	UnsafeMonitor bool
}

// Loaded is a running engine with its scanners.
type Loaded struct {
	Set    *engine.Set
	engine *engine.Engine
}

// Close frees the engine.
func (l *Loaded) Close(ctx context.Context) error { return l.engine.Close(ctx) }

// Load compiles every scanner. One that does not load is an error, not a gap.
func Load(ctx context.Context, o Options) (*Loaded, error) {
	modules, err := plugins.Modules()
	if err != nil {
		return nil, err
	}
	e, err := engine.New(ctx, engine.Config{CacheDir: o.CacheDir})
	if err != nil {
		return nil, err
	}
	set, err := load(ctx, e, modules, o)
	if err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return &Loaded{Set: set, engine: e}, nil
}

func load(ctx context.Context, e *engine.Engine, modules map[string][]byte, o Options) (*engine.Set, error) {
	options := engine.Options{Mode: engine.ModeEnforce}
	if o.UnsafeMonitor {
		options.Mode = engine.ModeMonitor
	}
	var all []*engine.Scanner
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		s, err := e.Load(ctx, modules[name], options)
		if err != nil {
			return nil, fmt.Errorf("scanner %s: %w", name, err)
		}
		all = append(all, s)
	}
	for _, path := range o.Extra {
		wasm, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("scanner: %w", err)
		}
		s, err := e.Load(ctx, wasm, options)
		if err != nil {
			return nil, fmt.Errorf("scanner %s: %w", path, err)
		}
		all = append(all, s)
	}
	return engine.NewSet(all...), nil
}
