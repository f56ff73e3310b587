package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/engine/compile"
)

// Config configures a runtime.
type Config struct {
	// CacheDir keeps compiled modules between processes; "" is a directory that
	// lasts as long as the runtime.
	CacheDir string
	// Instances bounds how many guests run at a time; 0 means four for each
	// processor. A call that finds no room waits as long as its caller does.
	Instances int
	// CompileTime bounds the processor time that compiling one module takes; 0
	// takes the default.
	CompileTime time.Duration
}

// Runtime loads modules. It is safe for concurrent use.
type Runtime struct {
	compiler  *compile.Compiler
	temporary string        // directory to remove
	slots     chan struct{} // one for each running guest

	mu      sync.Mutex
	modules map[*Module]struct{} // open ones
}

// New returns a runtime.
func New(cfg Config) (*Runtime, error) {
	if cfg.Instances <= 0 {
		cfg.Instances = 4 * runtime.GOMAXPROCS(0)
	}
	r := &Runtime{slots: make(chan struct{}, cfg.Instances), modules: make(map[*Module]struct{})}
	if cfg.CacheDir == "" {
		dir, err := os.MkdirTemp("", "bartizan-")
		if err != nil {
			return nil, fmt.Errorf("%w: %w", compile.ErrCache, err)
		}
		r.temporary, cfg.CacheDir = dir, dir
	}
	var err error
	if r.compiler, err = compile.New(cfg.CacheDir, compile.Limits{Processor: cfg.CompileTime}); err != nil {
		return nil, errors.Join(err, r.Close(context.Background()))
	}
	return r, nil
}

// Close frees every module and what the runtime keeps on disk. No call may be
// running.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	open := slices.Collect(maps.Keys(r.modules))
	r.mu.Unlock()
	var err error
	for _, m := range open {
		err = errors.Join(err, m.Close(ctx))
	}
	if r.temporary != "" {
		err = errors.Join(err, os.RemoveAll(r.temporary))
	}
	return err
}

// leave gives back the room of one running guest.
func (r *Runtime) leave() { <-r.slots }

// Options are how one module is run.
type Options struct {
	Form   Form // "" is Reactor
	Config []byte
	Limits Limits
	// Log gets what the guest writes, at most 4 KiB a call; nil discards it.
	Log io.Writer
}

// Load admits and compiles a module. It does not run it.
func (r *Runtime) Load(ctx context.Context, wasm []byte, o Options) (*Module, error) {
	o.Limits = o.Limits.WithDefaults()
	if o.Form == "" {
		o.Form = Reactor
	}
	if len(wasm) > o.Limits.ModuleBytes {
		return nil, fmt.Errorf("%w: module of %d bytes, at most %d", ErrLimits, len(wasm), o.Limits.ModuleBytes)
	}
	parsed, err := admit.Parse(wasm, admit.DefaultLimits)
	if err != nil {
		return nil, err
	}
	if err := together(CheckImports(parsed), CheckExports(parsed, o.Form), CheckMemory(parsed, o.Limits.MemoryBytes)); err != nil {
		return nil, err
	}
	program, err := parsed.Instrument(admit.Options{MemoryPages: o.Limits.MemoryBytes >> 16})
	if err != nil {
		return nil, err
	}
	m := &Module{
		runtime: r, opts: o, first: make(chan struct{}, 1),
		globals: program.Globals, start: program.Start,
		initialize: o.Form == Reactor && hasExport(parsed, exportInitialize),
		configured: o.Form == Reactor && hasExport(parsed, exportInit),
	}
	if err := m.compile(ctx, program.Wasm); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.modules[m] = struct{}{}
	r.mu.Unlock()
	return m, nil
}

// compile has a child compile and loads what it left. What was kept from before
// and cannot be loaded is damaged, and made once more.
func (m *Module) compile(ctx context.Context, wasm []byte) error {
	folder, hit, err := m.runtime.compiler.Compile(ctx, wasm)
	if err != nil {
		return err
	}
	m.hit = hit
	if err = m.load(ctx, folder, wasm); err == nil || !hit {
		return err
	}
	if err := m.runtime.compiler.Forget(folder); err != nil {
		return err
	}
	if folder, m.hit, err = m.runtime.compiler.Compile(ctx, wasm); err != nil {
		return err
	}
	return m.load(ctx, folder, wasm)
}

// load loads native code. Each module has a runtime of wazero's of its own, so
// that closing it frees everything.
func (m *Module) load(ctx context.Context, folder string, wasm []byte) (err error) {
	defer contain(&err)
	wz, cache, err := compile.Open(ctx, folder)
	if err != nil {
		return err
	}
	if err = provide(ctx, wz); err == nil {
		m.code, err = wz.CompileModule(ctx, wasm)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w: %w", compile.ErrModule, err), wz.Close(ctx), cache.Close(ctx))
	}
	m.wazero, m.cache = wz, cache
	return nil
}
