package engine

import (
	"context"
	"errors"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/compile"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// Sentinels of this package. Errors of Load wrap one of them and say which
// export, import or manifest member is at fault.
var (
	ErrModule   = errors.New("not a scanner module")
	ErrManifest = errors.New("scanner manifest")
	ErrExports  = sandbox.ErrExports
	ErrImports  = sandbox.ErrImports
	ErrLimits   = sandbox.ErrLimits
	ErrOptions  = errors.New("scanner options")
	ErrCache    = compile.ErrCache
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
	// CompileTime bounds the processor time that compiling one module takes; 0
	// means 30 seconds. The wall clock may show four times as much.
	CompileTime time.Duration
}

// Version changes whenever the same scanner may give another verdict on the
// same message. The version of package normalise is apart.
const Version = "3"

// Engine compiles scanners and owns what they share. It is safe for concurrent use.
type Engine struct{ runtime *sandbox.Runtime }

// New returns an engine.
func New(_ context.Context, cfg Config) (*Engine, error) {
	r, err := sandbox.New(sandbox.Config(cfg))
	if err != nil {
		return nil, err
	}
	return &Engine{r}, nil
}

// Close frees every scanner of the engine. No scan may be running.
func (e *Engine) Close(ctx context.Context) error { return e.runtime.Close(ctx) }
