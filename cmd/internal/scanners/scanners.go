// Package scanners loads the scanners that both doors and the command line
// run, those embedded in the binary and those that the operator added, binds
// them as configured, and loads them anew while they are in use. It knows where
// modules come from, and nothing of what they look for.
package scanners

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// Loaded is a running engine with the scanners in force.
type Loaded struct {
	Live   *engine.Live
	engine *engine.Engine
}

// Load compiles every scanner. One that does not load is an error, not a gap.
// cacheDir keeps compiled modules between starts; "" compiles each time.
func Load(ctx context.Context, cacheDir string, c config.Scanners) (*Loaded, error) {
	e, err := engine.New(ctx, engine.Config{CacheDir: cacheDir})
	if err != nil {
		return nil, err
	}
	set, err := load(ctx, e, c)
	if err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return &Loaded{Live: engine.NewLive(set), engine: e}, nil
}

// closePatience is for the scans that nobody waits for any more.
const closePatience = 10 * time.Second

// Close lets the scans under way end, for a while, and frees the engine. One
// that does not end keeps its memory: it is not taken from under it.
func (l *Loaded) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closePatience)
	defer cancel()
	if err := l.Live.Close(ctx); err != nil {
		return fmt.Errorf("scanners in use: %w", err)
	}
	return l.engine.Close(ctx)
}

// ErrLoad is a set of scanners that cannot be loaded as configured.
var ErrLoad = errors.New("scanners")

// Module is the binary of one scanner and where it comes from.
type Module struct {
	Origin string // a file, or the name of one embedded
	Wasm   []byte
}

// maxModuleFile is more than the engine takes.
const maxModuleFile = 64 << 20

// Modules reads every module that c names, in the order in which they run.
func Modules(c config.Scanners) ([]Module, error) {
	embedded, err := plugins.Modules()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoad, err)
	}
	var all []Module
	for _, name := range slices.Sorted(maps.Keys(embedded)) {
		all = append(all, Module{name, embedded[name]})
	}
	for _, path := range c.Extra {
		wasm, err := readFile(path, maxModuleFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLoad, err)
		}
		all = append(all, Module{path, wasm})
	}
	return all, nil
}

func load(ctx context.Context, e *engine.Engine, c config.Scanners) (*engine.Set, error) {
	modules, err := Modules(c)
	if err != nil {
		return nil, err
	}
	options, err := configure(modules, c)
	if err != nil {
		return nil, err
	}
	// Side by side: reading and compiling a module takes one processor.
	all, errs := make([]*engine.Scanner, len(modules)), make([]error, len(modules))
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	var loading sync.WaitGroup
	for i, m := range modules {
		loading.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			all[i], errs[i] = bind(ctx, e, m, options[i])
		})
	}
	loading.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, s := range all {
			if s != nil {
				err = errors.Join(err, s.Close(ctx))
			}
		}
		return nil, err
	}
	return engine.NewSet(all...), nil
}

// configure finds the options of every module. A name stands for one scanner
// only: findings, failures and counters go by it.
func configure(modules []Module, c config.Scanners) ([]engine.Options, error) {
	names := make(map[string]bool)
	var all []engine.Options
	for _, m := range modules {
		manifest, err := engine.ReadManifest(m.Wasm)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrLoad, m.Origin, err)
		}
		if names[manifest.Name] {
			return nil, fmt.Errorf("%w: %s: a second scanner of the name %s", ErrLoad, m.Origin, manifest.Name)
		}
		names[manifest.Name] = true
		options, err := Options(c, manifest.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, options)
	}
	for _, b := range c.Bindings {
		if !names[b.Scanner] {
			return nil, fmt.Errorf("%w: a binding for %s, which is not among them", ErrLoad, b.Scanner)
		}
	}
	return all, nil
}

// bind loads one module and makes it ready. One that cannot be initialised
// loads all the same: its self-test says so, and what it should have examined
// is denied.
func bind(ctx context.Context, e *engine.Engine, m Module, o engine.Options) (*engine.Scanner, error) {
	s, err := e.Load(ctx, m.Wasm, o)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLoad, m.Origin, err)
	}
	_ = s.Warm(ctx)
	return s, nil
}

// maxConfigFile bounds what is handed to a scanner when it starts.
const maxConfigFile = 1 << 20

// Options are how the named scanner is run.
func Options(c config.Scanners, name string) (engine.Options, error) {
	b := c.Binding(name)
	o := engine.Options{
		Mode: engine.ModeEnforce, OnFailure: engine.OnFailureDeny, Tiers: engine.Tiers{},
		Limits: engine.Limits{MemoryBytes: uint32(b.MemoryBytes), Fuel: b.Fuel, FuelPerByte: b.FuelPerByte, Deadline: b.Deadline},
	}
	if c.Monitored(b) {
		o.Mode = engine.ModeMonitor
	}
	if b.OnFailure == config.UnsafeFlag {
		o.OnFailure = engine.OnFailureFlag
	}
	for _, tiers := range []map[string]string{b.Tiers, b.UnsafeTiers} {
		for severity, action := range tiers {
			o.Tiers[engine.Severity(severity)] = engine.Action(action)
		}
	}
	if b.Config == "" {
		return o, nil
	}
	body, err := readFile(b.Config, maxConfigFile)
	if err != nil {
		return o, fmt.Errorf("%w: configuration of %s: %w", ErrLoad, name, err)
	}
	o.Config = body
	return o, nil
}

func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s: not a file of at most %d bytes", path, limit)
	}
	return os.ReadFile(path)
}
