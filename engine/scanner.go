package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// Scanner is an admitted module. It holds no instance: every call makes its
// own and throws it away, so nothing passes from one message to the next. It
// is safe for concurrent use.
type Scanner struct {
	engine   *Engine
	module   wazero.CompiledModule
	manifest Manifest
	rules    map[string]Rule // nil for a module without a manifest
	digest   string
	opts     Options
	hasInit  bool
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
		Phases: []message.Phase{message.PhaseListing, message.PhaseRequest, message.PhaseResult, message.PhasePrompt, message.PhaseResource},
	}, opts)
}

func (e *Engine) admit(ctx context.Context, wasm []byte, m Manifest, opts Options) (*Scanner, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(wasm) > opts.Limits.ModuleBytes {
		return nil, fmt.Errorf("%w: module of %d bytes, at most %d", ErrLimits, len(wasm), opts.Limits.ModuleBytes)
	}
	if opts.Limits, err = m.Limits.within(opts.Limits); err != nil {
		return nil, err
	}
	if err := checkImports(wasm); err != nil {
		return nil, err
	}
	bare, err := bound(wasm)
	if err != nil {
		return nil, err
	}
	module, err := compile(ctx, e.runtime, bare, e.compileDeadline)
	if err != nil {
		return nil, err
	}
	s := &Scanner{engine: e, module: module, manifest: m, digest: Digest(wasm), opts: opts}
	if err := s.checkModule(); err != nil {
		return nil, errors.Join(err, module.Close(ctx))
	}
	return s, nil
}

func (s *Scanner) checkModule() error {
	if err := checkExports(s.module); err != nil {
		return err
	}
	if err := checkImportTypes(s.engine.runtime, s.module); err != nil {
		return err
	}
	_, s.hasInit = s.module.ExportedFunctions()[exportInit]
	if len(s.opts.Config) > 0 && !s.hasInit {
		return fmt.Errorf("%w: configuration for a scanner that exports no %s", ErrOptions, exportInit)
	}
	return checkMemory(s.module, s.opts.Limits)
}

// checkMemory holds the memory that a module starts with to its limit.
func checkMemory(module wazero.CompiledModule, l Limits) error {
	memory, ok := module.ExportedMemories()[exportMemory]
	if !ok {
		return nil // checkExports says so
	}
	if minimum := uint64(memory.Min()) << 16; minimum > uint64(l.MemoryBytes) {
		return fmt.Errorf("%w: starts with %d bytes of memory, gets %d", ErrLimits, minimum, l.MemoryBytes)
	}
	return nil
}

// Close frees the compiled module. No scan may be running.
func (s *Scanner) Close(ctx context.Context) error { return s.module.Close(ctx) }

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
