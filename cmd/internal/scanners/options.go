package scanners

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// Bound is one module and how it is run. Nothing of it was compiled yet.
type Bound struct {
	Origin   string // a file, or the name of one embedded
	Wasm     []byte
	Manifest engine.Manifest
	Signer   string // who vouches for it; "" where nobody was asked
	Options  engine.Options
	Narrower []engine.Options // for single servers, or entries of them
}

// maxModuleFile is more than the engine takes.
const maxModuleFile = 64 << 20

// Configured reads every module that c names and gate lets in, in the order in
// which they run.
func Configured(c config.Scanners, gate Gate) ([]Bound, error) {
	embedded, err := plugins.Modules()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLoad, err)
	}
	return configure(c, embedded, gate)
}

// configure binds every module. A name stands for one scanner only: findings,
// failures and counters go by it.
func configure(c config.Scanners, embedded map[string][]byte, gate Gate) ([]Bound, error) {
	var all []Bound
	for _, name := range slices.Sorted(maps.Keys(embedded)) {
		all = append(all, Bound{Origin: name, Wasm: embedded[name], Signer: BuiltIn})
	}
	for _, path := range c.Extra {
		wasm, err := readFile(path, maxModuleFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLoad, err)
		}
		all = append(all, Bound{Origin: path, Wasm: wasm})
	}
	names := map[string]bool{}
	for i := range all {
		b := &all[i]
		var err error
		if b.Manifest, err = engine.ReadManifest(b.Wasm); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrLoad, b.Origin, err)
		}
		name := b.Manifest.Name
		if names[name] {
			return nil, fmt.Errorf("%w: %s: a second scanner of the name %s", ErrLoad, b.Origin, name)
		}
		names[name] = true
		if b.Signer != BuiltIn {
			if err := gate.admit(c, b); err != nil {
				return nil, err
			}
		}
		for _, scope := range c.Scopes(name) {
			o, err := options(c, name, scope)
			if err != nil {
				return nil, err
			}
			o.Signer = b.Signer
			if o.Scope == (engine.Scope{}) {
				b.Options = o
			} else {
				b.Narrower = append(b.Narrower, o)
			}
		}
	}
	for _, t := range c.Trust {
		if !slices.ContainsFunc(all, func(b Bound) bool { return b.Manifest.Name == t.Scanner && b.Signer != BuiltIn }) {
			return nil, fmt.Errorf("%w: trust in %s, which is not among those of scanners.extra", ErrLoad, t.Scanner)
		}
	}
	for _, b := range c.Bindings {
		if !names[b.Scanner] {
			return nil, fmt.Errorf("%w: a binding for %s, which is not among them", ErrLoad, b.Scanner)
		}
	}
	return all, nil
}

// maxConfigFile bounds what is handed to a scanner when it starts.
const maxConfigFile = 1 << 20

// options are how the named scanner is run for a scope.
func options(c config.Scanners, name string, scope config.Scope) (engine.Options, error) {
	b := c.Binding(name, scope)
	o := engine.Options{
		Scope: engine.Scope(scope),
		Mode:  engine.ModeEnforce, OnFailure: engine.OnFailureDeny, Tiers: engine.Tiers{},
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

// readFile reads a file that may change meanwhile, and no more than limit of it.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	wrong := fmt.Errorf("%s: not a file of at most %d bytes", path, limit)
	if !info.Mode().IsRegular() {
		return nil, wrong
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, wrong
	}
	return body, err
}
