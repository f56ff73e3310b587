package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/internal/scorecard"
	"github.com/bartizan-mcp/bartizan/plugins/train"
)

// leftOut measures every row with weights that were trained without its source.
// All rows are in memory, as they are for training; its limit holds.
func (e *evaluation) leftOut(ctx context.Context, files []string) error {
	e.withoutSource = true
	weights, err := train.LeaveOut(files)
	if err != nil {
		return err
	}
	parts, err := e.parts(ctx, files)
	if err != nil {
		return err
	}
	return e.measureParts(ctx, weights, parts)
}

// measureParts scans the rows of every part with weights that know nothing of it.
func (e *evaluation) measureParts(ctx context.Context, weights *train.LeftOut, parts map[string][][]byte) error {
	if e.cache == "" { // the same modules start again for every part
		dir, err := os.MkdirTemp("", "bartizan-eval-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		e.cache = dir
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	names := slices.Sorted(maps.Keys(parts))
	errs := make([]error, len(names))
	room := make(chan struct{}, runtime.GOMAXPROCS(0)) // training takes one processor
	var work sync.WaitGroup
	for i, name := range names {
		work.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			if errs[i] = e.part(ctx, name, weights, parts[name]); errs[i] != nil {
				cancel()
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

// parts are the rows by what is left out with them.
func (e *evaluation) parts(ctx context.Context, files []string) (map[string][][]byte, error) {
	parts := map[string][][]byte{}
	for _, name := range files {
		file, err := eachLine(ctx, name, func(line []byte, err error) error {
			row, unlabelled := scorecard.ReadRow(line)
			if err != nil || unlabelled != nil {
				e.card.Unreadable()
				return nil
			}
			part := train.Part(row.ID, row.Group)
			parts[part] = append(parts[part], line)
			return nil
		})
		if err != nil {
			return nil, err
		}
		e.files = append(e.files, file)
	}
	return parts, nil
}

// part scans the rows of one part.
func (e *evaluation) part(ctx context.Context, name string, weights *train.LeftOut, rows [][]byte) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bartizan-weights-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var c config.Scanners
	for scanner, w := range weights.Without(name) {
		file := filepath.Join(dir, scanner+".bin")
		if err := os.WriteFile(file, w, 0o600); err != nil {
			return err
		}
		c.Bindings = append(c.Bindings, config.Binding{Scanner: scanner, Config: file})
	}
	loaded, err := scanners.Load(ctx, e.cache, c, scanners.Unverified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loaded.Close(ctx)) }()
	for _, line := range rows {
		if err := errors.Join(ctx.Err(), e.row(ctx, loaded.Live, line)); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.progress, "without %s: %d rows\n", name, len(rows))
	return nil
}
