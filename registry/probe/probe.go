// Package probe starts a stdio server in a sandbox, more than once and under
// different circumstances, reads its listing in every era, and writes down what
// it tried meanwhile: declared against observed.
//
// It must not know publications, storage or what an observation leads to. It
// never starts a server outside a sandbox.
package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

var (
	// ErrSilent is a server that gave no listing in any run.
	ErrSilent = errors.New("the server did not list anything in the probe")
	// ErrLaunch is a launch that the probe has no place or runtime for.
	ErrLaunch = errors.New("the launch cannot be started in the probe")
)

// Config of a Prober; zero fields mean the defaults.
type Config struct {
	// Scratch is an existing folder, owner-only, for artifacts while they run.
	Scratch string
	// Runtimes are folders of this machine with interpreters, beside DefaultRuntimes.
	Runtimes []string
	Limits   sandbox.Limits
	// Timeout of one answer, and of a start; 20 s. A whole run has three.
	Timeout time.Duration
	// OutputBytes that a server may write in one run; 64 MiB.
	OutputBytes int64
	// Linger is how long a server is watched after it listed; 500 ms.
	Linger time.Duration
	// AtOnce is how many probes run beside each other; 2.
	AtOnce int
	Logger *slog.Logger
}

// Job is a server to be probed.
type Job struct {
	Artifact string // file
	// Tree is the folder that the artifact becomes, if somebody has made it
	// already, with its digest.
	Tree, TreeDigest string

	Command  []string // argv; tree.Root stands for the folder of the artifact
	Dir      string
	EnvNames []string          // names of variables that it reads
	Env      map[string]string // values that are no secrets
	Secrets  []string          // those of EnvNames that are said to be secret
	Scopes   []string          // declared; nil: nothing was declared
}

// Prober probes. It is safe for concurrent use.
type Prober struct {
	Config
	slots chan struct{}
}

// New checks that servers can be contained on this machine; the error wraps
// sandbox.ErrUnavailable if not.
func New(c Config) (*Prober, error) {
	if c.Timeout <= 0 {
		c.Timeout = 20 * time.Second
	}
	if c.OutputBytes <= 0 {
		c.OutputBytes = 64 << 20
	}
	if c.Linger <= 0 {
		c.Linger = 500 * time.Millisecond
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 2
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	root, err := os.MkdirTemp(c.Scratch, "probe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	if err := sandbox.Check(root); err != nil {
		return nil, err
	}
	return &Prober{Config: c, slots: make(chan struct{}, c.AtOnce)}, nil
}

// Probe unpacks the artifact, runs the server under every circumstance and in
// every era, and returns the listings of the first with the report on all. With
// ErrSilent the report says what was seen all the same.
func (p *Prober) Probe(ctx context.Context, j Job) (*listing.Capture, *Report, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	work, err := os.MkdirTemp(p.Scratch, "probe-")
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(work, "tree")
	defer func() {
		_ = tree.Remove(work)
	}()
	digest := j.TreeDigest
	if j.Tree != "" {
		dir = j.Tree
	} else if digest, err = tree.Materialise(ctx, j.Artifact, dir, archive.DefaultLimits); err != nil {
		return nil, nil, err
	}
	// The program inside has an id of its own; the folder above is ours alone.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, nil, err
	}
	placed, err := p.place(dir, j)
	if err != nil {
		return nil, nil, err
	}
	r := newReport(j, placed, digest)
	listed, err := p.runs(ctx, work, placed, j, r)
	if err != nil {
		return nil, nil, err
	}
	r.conclude(listed)
	if len(listed) == 0 {
		return nil, r, fmt.Errorf("%w: %s", ErrSilent, r.Runs[0].Outcome)
	}
	first := listed[0].circumstances
	c := &listing.Capture{Source: listing.SourceProbe, CapturedAt: time.Now().UTC()}
	for _, l := range listed {
		if l.circumstances == first {
			c.Listings = append(c.Listings, *l.listing)
		}
	}
	return c, r, nil
}
