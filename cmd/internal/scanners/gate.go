package scanners

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// Gate decides which modules that are not of this binary are let in. The zero
// Gate demands what the configuration says of their names, and remembers
// nothing from one process to the next.
type Gate struct {
	ledger     *release.Ledger
	unverified bool
}

// Unverified lets in every module. It is for commands that stand in no traffic
// and were told by hand which module to run.
var Unverified = Gate{unverified: true}

// Remembering is a Gate that also refuses what is older than what was in force
// before.
func Remembering(l *release.Ledger) Gate { return Gate{ledger: l} }

// BuiltIn is the signer of the modules in this binary: its digest is theirs.
const BuiltIn = "built in"

// admit says who vouches for a module, or refuses it.
func (g Gate) admit(c config.Scanners, b *Bound) error {
	if g.unverified {
		return nil
	}
	m := b.release()
	trust, said := c.TrustOf(m.Name)
	if !said {
		return fmt.Errorf("%w: %s: %w", ErrLoad, b.Origin, release.Refuse(m.Name, release.Unknown, "scanners.trust says nothing about this name"))
	}
	policy, err := Policy(c, trust)
	if err != nil {
		return fmt.Errorf("%w: trust in %s: %w", ErrLoad, m.Name, err)
	}
	bundle, err := readBundle(trust, b.Origin)
	if err != nil {
		return fmt.Errorf("%w: bundle of %s: %w", ErrLoad, m.Name, err)
	}
	var before *release.Module
	if g.ledger != nil {
		before = g.ledger.Before(m.Name)
	}
	signer, err := policy.Admit(m, bundle, before)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrLoad, b.Origin, err)
	}
	b.Signer = signer.String()
	return nil
}

// remember notes what comes into force, durably.
func (g Gate) remember(all []Bound) error {
	if g.ledger == nil {
		return nil
	}
	var modules []release.Module
	for _, b := range all {
		if b.Signer != BuiltIn {
			modules = append(modules, b.release())
		}
	}
	return g.ledger.Record(modules)
}

func (b *Bound) release() release.Module {
	return release.Module{Name: b.Manifest.Name, Version: b.Manifest.Version, Digest: engine.Digest(b.Wasm)}
}

// Policy reads the keys and the trusted root that a Trust names.
func Policy(c config.Scanners, t config.Trust) (release.Policy, error) {
	p := release.Policy{
		Scanner: t.Scanner, Digest: t.Digest, MinVersion: t.MinVersion,
		UnsafeUnsigned: t.UnsafeUnsigned, UnsafeRollback: t.UnsafeRollback,
	}
	for _, file := range t.Keys {
		key, err := attest.LoadPublicKey(file)
		if err != nil {
			return p, err
		}
		p.Signers.Keys = append(p.Signers.Keys, key)
	}
	if len(t.Identities) > 0 {
		root, err := attest.LoadTrustedRoot(c.TrustedRoot)
		if err != nil {
			return p, err
		}
		p.Signers.Root, p.Signers.Identities = root, t.Identities
	}
	return p, nil
}

// readBundle returns the bundle of a module, nil where there is none.
func readBundle(t config.Trust, module string) ([]byte, error) {
	if t.UnsafeUnsigned {
		return nil, nil
	}
	path := t.Bundle
	if path == "" {
		path = module + release.BundleSuffix
	}
	body, err := readFile(path, release.MaxBundle)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return body, err
}
