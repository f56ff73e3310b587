package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/benchtime"
)

// warmPublications go first and are not counted: the first makes what a process
// makes once.
const warmPublications = 3

// What is timed of every publication.
const (
	stored = iota
	billed
	published
)

// publications are nanoseconds, three for each.
type publications [][3]float64

func (p publications) of(what int) []float64 {
	out := make([]float64, len(p))
	for i := range p {
		out[i] = p[i][what]
	}
	return out
}

func (p publications) median(what int) float64 { return benchtime.Median(p.of(what)) }

// quantile of the publications' own times.
func (p publications) quantile(q float64) float64 {
	return benchtime.Percentile(slices.Sorted(slices.Values(p.of(published))), q)
}

// ratio is how much longer publishing takes, publication by publication.
func (p publications) ratio(than int) float64 {
	out := make([]float64, len(p))
	for i := range p {
		out[i] = p[i][published] / p[i][than]
	}
	return benchtime.Median(out)
}

// series publishes n versions, after those that warm the process.
func (h *house) series(ctx context.Context, dir, format string, licence []byte, n int, store func([]byte) error) (publications, error) {
	file := filepath.Join(dir, "published.tgz")
	var out publications
	var last *admission.Version
	for i := range warmPublications + n {
		version := fmt.Sprintf(format, i)
		folder, err := files(version, licence)
		if err != nil {
			return nil, err
		}
		artifact, err := packed(folder)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, artifact, 0o600); err != nil {
			return nil, err
		}
		var times [3]float64
		for what, run := range []func() error{
			stored:    func() error { return store(artifact) },
			billed:    func() error { _, err := ourSBOM(ctx, file); return err },
			published: func() error { last, err = h.publish(ctx, version, artifact); return err },
		} {
			began := time.Now()
			if err := run(); err != nil {
				return nil, err
			}
			times[what] = float64(time.Since(began))
		}
		if i >= warmPublications {
			out = append(out, times)
		}
	}
	return out, h.complete(ctx, last)
}
