package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/registry"
)

// boundPublish is in nanoseconds.
const boundPublish = 3e9

// publishRows publish version after version of one server, each signed by its
// publisher; in turns with that the same artifact is only stored, and only its
// SBOM is made.
func publishRows(ctx context.Context, dir string, o options) (rows []benchtable.Row, err error) {
	h, err := openHouse(ctx, filepath.Join(dir, "registry"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	elsewhere, err := blob.Open(filepath.Join(dir, "stored"))
	if err != nil {
		return nil, err
	}
	defer elsewhere.Close()
	store := func(artifact []byte) error {
		_, _, err := elsewhere.Put(ctx, bytes.NewReader(artifact), registry.MaxArtifact)
		return err
	}
	plain, err := h.series(ctx, dir, "1.%d.0", nil, o.publications, store)
	if err != nil {
		return nil, err
	}
	licence, err := os.ReadFile(o.licence)
	if err != nil {
		return nil, err
	}
	whole, err := h.series(ctx, dir, "2.%d.0", licence, max(20, o.publications/2), store)
	if err != nil {
		return nil, err
	}
	p95 := plain.quantile(0.95)
	return []benchtable.Row{
		{What: "publish a server of 110 packages, warm", Figure: benchtable.Duration(p95) + " p95", Target: "≤ 3 s", Met: benchtable.AtMost(p95, boundPublish),
			Note: fmt.Sprintf("p50 %s; %d versions, each to a review without reasons against it; %d scanners, %d components in the SBOM", benchtable.Duration(plain.quantile(0.5)), len(plain), h.scanners, packages)},
		{What: "  its SBOM alone", Figure: benchtable.Duration(plain.median(billed)), Note: fmt.Sprintf("%.0f %% of it, publication by publication", 100/plain.ratio(billed))},
		{What: "  storing the artifact alone instead", Figure: benchtable.Duration(plain.median(stored)), Note: fmt.Sprintf("digested, written and synced; publishing takes %.0f× as long", plain.ratio(stored))},
		{What: "  with its node_modules in it", Figure: benchtable.Duration(whole.quantile(0.95)) + " p95",
			Note: fmt.Sprintf("p50 %s; %d versions; its SBOM alone %s, storing it alone %s", benchtable.Duration(whole.quantile(0.5)), len(whole), benchtable.Duration(whole.median(billed)), benchtable.Duration(whole.median(stored)))},
	}, nil
}
