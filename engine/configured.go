package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// maxConfigured bounds how many configurations of demands one set has loaded.
const maxConfigured = 64

// configured holds the scanners that demands have run with configurations of
// their own. They are loaded when they are first needed and live as long as
// their set.
type configured struct {
	mu     sync.Mutex
	loaded map[configKey]configuredScanner
}

type configKey struct {
	wide   *Scanner
	config [sha256.Size]byte
}

type configuredScanner struct {
	scanner *Scanner
	err     error
}

// get returns the scanner of a module with another configuration. One that
// cannot be loaded stays so: it denies, at no cost.
func (c *configured) get(ctx context.Context, wide *Scanner, config []byte) (*Scanner, error) {
	key := configKey{wide, sha256.Sum256(config)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if have, ok := c.loaded[key]; ok {
		return have.scanner, have.err
	}
	if len(c.loaded) >= maxConfigured {
		return nil, fmt.Errorf("%w: more than %d configurations by approvals", ErrOptions, maxConfigured)
	}
	opts := wide.opts
	opts.Config = bytes.Clone(config)
	s, err := wide.engine.Load(context.WithoutCancel(ctx), wide.wasm, opts)
	if s != nil {
		s.apart = key.config
	}
	if c.loaded == nil {
		c.loaded = map[configKey]configuredScanner{}
	}
	c.loaded[key] = configuredScanner{s, err}
	return s, err
}

func (c *configured) close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, have := range c.loaded {
		if have.scanner != nil {
			errs = append(errs, have.scanner.Close(ctx))
		}
	}
	c.loaded = nil
	return errors.Join(errs...)
}

// onceMore has a module examine a message with the configuration of a demand.
func (s *Set) onceMore(ctx context.Context, wide *Scanner, b binding, d *Demand, p *prepared, calls []summons, opts ScanOptions) report {
	scanner, err := s.demanded.get(ctx, wide, d.Config)
	if err != nil {
		return report{failures: []Failure{{Scanner: wide.manifest.Name, Kind: FailureRefused, Detail: "it does not load with the configuration that the server's approval demands"}}}
	}
	b.scanner = scanner
	return s.consult(ctx, s.counts[wide], &b, p, calls, opts)
}

// beside leaves out the findings that others have already.
func (r report) beside(have []Finding) report {
	r.findings = slices.DeleteFunc(r.findings, func(f Finding) bool {
		return slices.ContainsFunc(have, func(g Finding) bool {
			return f.Rule == g.Rule && f.Pointer == g.Pointer && f.Start == g.Start && f.End == g.End &&
				f.Provenance == g.Provenance && f.Action == g.Action && f.Severity == g.Severity
		})
	})
	return r
}

// ErrShared refuses to share a module between bindings of another configuration
// or other limits.
var ErrShared = fmt.Errorf("%w: another configuration or other limits than the module was loaded with", ErrOptions)

// Rebound returns a scanner of the same module that is bound otherwise. It
// shares the compiled module, which stays s's: o must have the configuration and
// the limits of s.
func (s *Scanner) Rebound(o Options) (*Scanner, error) {
	o, err := o.withDefaults()
	if err == nil {
		o.Limits, err = s.manifest.Limits.within(o.Limits)
	}
	if err != nil {
		return nil, err
	}
	if o.Limits != s.opts.Limits || !bytes.Equal(o.Config, s.opts.Config) {
		return nil, ErrShared
	}
	other := *s
	other.opts, other.shared = o, true
	other.apart = sha256.Sum256([]byte(o.Scope.Server + "\x00" + o.Scope.Entry))
	return &other, nil
}
