package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// module is a scanner module as it was read. Of one over the engine's limit
// only the beginning is kept, which the engine refuses for its length, and the
// digest of all of it.
type module struct {
	name, digest string
	wasm         []byte
	size         int64
}

// maxModuleFile bounds what is read of a module only to name its digest.
const maxModuleFile = 1 << 30

// readModule reads a file, or standard input for "-".
func readModule(cmd *cobra.Command, name string) (module, error) {
	m := module{name: name}
	r := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return m, err
		}
		defer f.Close()
		r = f
	}
	sum := sha256.New()
	r = io.TeeReader(io.LimitReader(r, maxModuleFile+1), counter{sum, &m.size})
	var err error
	if m.wasm, err = io.ReadAll(io.LimitReader(r, int64(engine.DefaultLimits.ModuleBytes)+1)); err != nil {
		return m, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return m, err
	}
	if m.size > maxModuleFile {
		return m, fmt.Errorf("%s: more than %d bytes", name, maxModuleFile)
	}
	m.digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return m, nil
}

// counter hashes and counts.
type counter struct {
	hash.Hash
	n *int64
}

func (c counter) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	return c.Hash.Write(p)
}

// load admits a module with or without a manifest.
func (m module) load(ctx context.Context, e *engine.Engine, o engine.Options) (*engine.Scanner, error) {
	if m.size > int64(len(m.wasm)) {
		return nil, m.tooLong()
	}
	sections, err := wasmsection.Custom(m.wasm, engine.ManifestSection)
	if err == nil && len(sections) == 0 {
		return e.LoadUnmanifested(ctx, m.wasm, m.name, o)
	}
	return e.Load(ctx, m.wasm, o)
}

func (m module) inspect() engine.Inspection {
	seen := engine.Inspect(m.wasm)
	seen.Digest, seen.Bytes = m.digest, int(m.size)
	if m.size > int64(len(m.wasm)) {
		seen.Problems = []string{m.tooLong().Error()}
	}
	return seen
}

func (m module) tooLong() error {
	return fmt.Errorf("%w: module of %d bytes, at most %d", engine.ErrLimits, m.size, engine.DefaultLimits.ModuleBytes)
}
