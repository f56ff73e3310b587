// Package scanners loads the scanners that both doors and the command line
// run, those embedded in the binary and those that the operator added, binds
// them as configured, and loads them anew while they are in use. It knows where
// modules come from, and nothing of what they look for.
package scanners

import (
	"context"
	"errors"
	"fmt"
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
	Live     *engine.Live
	engine   *engine.Engine
	embedded map[string][]byte // modules in this binary, by name
	gate     Gate
}

// Load compiles every scanner that gate lets in. One that does not load is an
// error, not a gap. cacheDir keeps compiled modules between starts; "" compiles
// each time.
func Load(ctx context.Context, cacheDir string, c config.Scanners, gate Gate) (*Loaded, error) {
	embedded, err := plugins.Modules()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoad, err)
	}
	return start(ctx, cacheDir, c, embedded, gate)
}

func start(ctx context.Context, cacheDir string, c config.Scanners, embedded map[string][]byte, gate Gate) (*Loaded, error) {
	e, err := engine.New(ctx, engine.Config{CacheDir: cacheDir})
	if err != nil {
		return nil, err
	}
	l := &Loaded{engine: e, embedded: embedded, gate: gate}
	set, found, err := l.load(ctx, c)
	if err == nil {
		err = gate.remember(found)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	l.Live = engine.NewLive(set)
	return l, nil
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

// load makes the set that c describes, and says of which modules.
func (l *Loaded) load(ctx context.Context, c config.Scanners) (*engine.Set, []Bound, error) {
	found, err := configure(c, l.embedded, l.gate)
	if err != nil {
		return nil, nil, err
	}
	// Side by side: reading and compiling a module takes one processor.
	all, errs := make([][]*engine.Scanner, len(found)), make([]error, len(found))
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	var loading sync.WaitGroup
	for i, b := range found {
		loading.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			all[i], errs[i] = bind(ctx, l.engine, b)
		})
	}
	loading.Wait()
	scanners := slices.Concat(all...)
	if err := errors.Join(errs...); err != nil {
		for _, s := range scanners {
			err = errors.Join(err, s.Close(ctx))
		}
		return nil, nil, err
	}
	return engine.NewSet(scanners...), found, nil
}

// bind loads one module and makes it ready, once for each configuration and
// limits that it has. One that cannot be initialised loads all the same: its
// self-test says so, and what it should have examined is denied. What it returns
// is to be closed on an error too.
func bind(ctx context.Context, e *engine.Engine, b Bound) (all []*engine.Scanner, err error) {
	for _, o := range append([]engine.Options{b.Options}, b.Narrower...) {
		s, err := share(all, o)
		if s == nil && err == nil {
			if s, err = e.Load(ctx, b.Wasm, o); err == nil {
				_ = s.Warm(ctx)
			}
		}
		if err != nil {
			return all, fmt.Errorf("%w: %s: %w", ErrLoad, b.Origin, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// share returns a scanner on a module that is loaded already, nil if none has
// the configuration and limits of o.
func share(loaded []*engine.Scanner, o engine.Options) (*engine.Scanner, error) {
	for _, s := range loaded {
		other, err := s.Rebound(o)
		if errors.Is(err, engine.ErrShared) {
			continue
		}
		return other, err
	}
	return nil, nil
}
