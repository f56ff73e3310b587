package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// Scanner is an admitted module. Every call starts from the state after its
// initialisation, so nothing passes from one message to the next. It is safe
// for concurrent use.
type Scanner struct {
	module   *sandbox.Module
	manifest Manifest
	rules    map[string]Rule // nil for a module without a manifest
	digest   string
	opts     Options

	engine *Engine // with wasm, to load it with another configuration
	wasm   []byte
	apart  [sha256.Size]byte // tells the circuits of one module's bindings apart
	shared bool              // the module is another Scanner's
}

// Load admits a module: exactly one valid manifest, the exports and imports of
// the ABI, limits within the options. It does not run it.
func (e *Engine) Load(ctx context.Context, wasm []byte, opts Options) (*Scanner, error) {
	m, err := ReadManifest(wasm)
	if err != nil {
		return nil, err
	}
	s, err := e.admit(ctx, wasm, m, opts)
	if err != nil {
		return nil, err
	}
	s.rules = make(map[string]Rule, len(m.Rules))
	for _, r := range m.Rules {
		s.rules[r.ID] = r
	}
	return s, nil
}

// LoadUnmanifested admits a module that has no manifest, for running it while
// it is being written. It is called in every phase, and any rule may be found.
// A module that has a manifest goes through Load.
func (e *Engine) LoadUnmanifested(ctx context.Context, wasm []byte, name string, opts Options) (*Scanner, error) {
	sections, err := wasmsection.Custom(wasm, ManifestSection)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	if len(sections) != 0 {
		return nil, fmt.Errorf("%w: the module has a section %q", ErrManifest, ManifestSection)
	}
	return e.admit(ctx, wasm, Manifest{
		ABI: ABI, Name: name, Encoding: EncodingJSON, Form: FormReactor, Call: CallAlways,
		Phases: slices.Clone(phases),
	}, opts)
}

func (e *Engine) admit(ctx context.Context, wasm []byte, m Manifest, opts Options) (*Scanner, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if opts.Limits, err = m.Limits.within(opts.Limits); err != nil {
		return nil, err
	}
	module, err := e.runtime.Load(ctx, wasm, sandbox.Options{
		Form: sandbox.Form(m.Form), Config: opts.Config, Limits: opts.Limits.sandbox(), Log: opts.Log,
	})
	if err != nil {
		return nil, refusal(err)
	}
	if len(opts.Config) > 0 && !module.Configurable() {
		err := fmt.Errorf("%w: configuration for a scanner that takes none", ErrOptions)
		return nil, errors.Join(err, module.Close(ctx))
	}
	return &Scanner{module: module, manifest: m, digest: Digest(wasm), opts: opts, engine: e, wasm: wasm}, nil
}

// Warm initialises the scanner, so that its first message does not wait.
func (s *Scanner) Warm(ctx context.Context) error { return s.module.Warm(ctx) }

// Close frees the compiled module, unless it is another Scanner's. No scan may
// be running.
func (s *Scanner) Close(ctx context.Context) error {
	if s.shared {
		return nil
	}
	return s.module.Close(ctx)
}

// Manifest returns the scanner's manifest.
func (s *Scanner) Manifest() Manifest { return s.manifest }

// Digest returns the SHA-256 of the module, manifest included, as sha256:<hex>.
func (s *Scanner) Digest() string { return s.digest }

// Ref names the scanner in a verdict.
func (s *Scanner) Ref() ScannerRef {
	return ScannerRef{Name: s.manifest.Name, Version: s.manifest.Version, Digest: s.digest}
}

func (s *Scanner) examines(p message.Phase) bool { return slices.Contains(s.manifest.Phases, p) }

// Digest returns the digest by which a module is named.
func Digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return "sha256:" + hex.EncodeToString(sum[:])
}
