package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Sentinels of this package. Errors of Load wrap one of them and say which
// export, import or manifest member is at fault.
var (
	ErrModule   = errors.New("not a scanner module")
	ErrManifest = errors.New("scanner manifest")
	ErrExports  = errors.New("scanner exports")
	ErrImports  = errors.New("scanner imports")
	ErrLimits   = errors.New("scanner limits")
	ErrOptions  = errors.New("scanner options")
	ErrCache    = errors.New("compilation cache")
)

// Config configures an engine.
type Config struct {
	// CacheDir keeps compiled modules between processes; "" compiles anew.
	// What is in it is executed as native code, so it is made owner-only, and
	// refused when anybody else could have written to it.
	CacheDir string
	// Instances bounds how many guests run at a time; 0 means four for each
	// processor. A scan that finds no room waits as long as its caller does.
	Instances int
	// CompileDeadline bounds the compilation of one module; 0 means 30 seconds.
	CompileDeadline time.Duration
}

// Version changes whenever the same scanner may give another verdict on the
// same message. The version of package normalise is apart.
const Version = "1"

// Engine compiles scanners and owns what they share. It is safe for concurrent use.
type Engine struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache // nil without a directory
	slots   chan struct{}           // one for each running guest

	compileDeadline time.Duration
}

// New returns an engine.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	// Every loop of a guest looks at the deadline. This costs speed and is the
	// only interruption that wazero offers.
	rc := wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithDebugInfoEnabled(false)
	if cfg.Instances <= 0 {
		cfg.Instances = 4 * runtime.GOMAXPROCS(0)
	}
	if cfg.CompileDeadline <= 0 {
		cfg.CompileDeadline = compileDeadline
	}
	e := &Engine{slots: make(chan struct{}, cfg.Instances), compileDeadline: cfg.CompileDeadline}
	if cfg.CacheDir != "" {
		cache, err := openCache(cfg.CacheDir)
		if err != nil {
			return nil, err
		}
		e.cache = cache
		rc = rc.WithCompilationCache(cache)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if err := instantiateImports(ctx, e.runtime); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

// instantiateImports provides everything that a module may import.
func instantiateImports(ctx context.Context, r wazero.Runtime) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return fmt.Errorf("engine: WASI: %w", err)
	}
	if err := instantiateHost(ctx, r); err != nil {
		return fmt.Errorf("engine: host module: %w", err)
	}
	return nil
}

// Close frees every scanner of the engine.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx))
	}
	return err
}
