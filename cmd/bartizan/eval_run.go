package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/scorecard"
)

// evaluation is the scanners of this binary measured on labelled rows.
type evaluation struct {
	cache         string
	progress      io.Writer
	bound         []scanners.Bound
	withoutSource bool // weights are of other sources than the rows

	mu       sync.Mutex // rows of different sources may be scanned side by side
	card     *scorecard.Card
	files    []scorecard.File
	listings []scorecard.Listing
}

func newEvaluation(cache string, progress io.Writer) (*evaluation, error) {
	bound, err := scanners.Configured(config.Scanners{}, scanners.Unverified)
	if err != nil {
		return nil, err
	}
	return &evaluation{cache: cache, progress: progress, bound: bound, card: scorecard.New(reachOf(bound))}, nil
}

// reachOf tells, for each family, the kinds of rows of which a scanner with a
// rule of that family sees the texts.
func reachOf(bound []scanners.Bound) map[string][]string {
	kinds := map[message.Phase]string{message.PhaseListing: "listing", message.PhaseRequest: "call", message.PhaseResult: "result"}
	reach := map[string][]string{}
	for _, b := range bound {
		for _, rule := range b.Manifest.Rules {
			for _, phase := range b.Manifest.Phases {
				if kind := kinds[phase]; kind != "" && !slices.Contains(reach[rule.Family], kind) {
					reach[rule.Family] = append(reach[rule.Family], kind)
				}
			}
		}
	}
	return reach
}

// asShipped measures the scanners as they are. One row is in memory at a time.
func (e *evaluation) asShipped(ctx context.Context, files []string) error {
	loaded, err := scanners.Load(ctx, e.cache, config.Scanners{}, scanners.Unverified)
	if err != nil {
		return err
	}
	defer loaded.Close(ctx)
	for _, name := range files {
		file, err := eachLine(ctx, name, func(line []byte, err error) error {
			if err != nil {
				e.card.Unreadable()
				return nil
			}
			return e.row(ctx, loaded.Live, line)
		})
		if err != nil {
			return err
		}
		e.files = append(e.files, file)
	}
	return nil
}

// row scans a row as `scan --jsonl` does, and counts what came of it.
func (e *evaluation) row(ctx context.Context, set *engine.Live, line []byte) error {
	labels, err := scorecard.ReadRow(line)
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.card.Unreadable()
		return nil
	}
	began := time.Now()
	s := scanRow(ctx, set, line)
	o := outcome(s)
	o.Elapsed, o.Bytes = time.Since(began), len(line)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.card.Add(labels, o)
}

func outcome(s scanned) scorecard.Outcome {
	o := scorecard.Outcome{Found: map[string]scorecard.Tier{}, Failed: len(s.Failures) > 0, Unexamined: s.Unexamined}
	for _, f := range s.Findings {
		o.Found[f.Family] = max(o.Found[f.Family], tierOf(f.Action))
	}
	return o
}

func tierOf(a engine.Action) scorecard.Tier {
	switch {
	case a.Less(engine.ActionFlag):
		return scorecard.Passed
	case a.Less(engine.ActionBlock):
		return scorecard.Flagged
	}
	return scorecard.Blocked
}

// scanListings counts the findings in whole captures of real servers.
func (e *evaluation) scanListings(ctx context.Context, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s: no .json files in this folder", dir)
	}
	loaded, err := scanners.Load(ctx, e.cache, config.Scanners{}, scanners.Unverified)
	if err != nil {
		return err
	}
	defer loaded.Close(ctx)
	for _, name := range files {
		l, err := scanListing(ctx, loaded.Live, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		e.listings = append(e.listings, l)
	}
	return nil
}

func scanListing(ctx context.Context, set *engine.Live, name string) (scorecard.Listing, error) {
	l := scorecard.Listing{Name: strings.TrimSuffix(filepath.Base(name), ".json")}
	raw, err := readScanFile(name)
	if err != nil {
		return l, err
	}
	messages, err := readMessages(message.PhaseListing, "", raw)
	if err != nil {
		return l, err
	}
	counts := map[engine.Action]*int{engine.ActionLog: &l.Log, engine.ActionFlag: &l.Flag, engine.ActionRedact: &l.Redact, engine.ActionBlock: &l.Block}
	for _, m := range messages {
		v := set.Scan(ctx, m)
		l.Failed = l.Failed || len(v.Failures) > 0 || v.Unexamined
		for _, f := range v.Findings {
			if n := counts[f.Action]; n != nil {
				*n++
			}
		}
	}
	return l, nil
}

func (e *evaluation) document() scorecard.Document {
	slices.SortFunc(e.files, func(a, b scorecard.File) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest))
	})
	d := scorecard.Document{Version: version(), LeaveOneOut: e.withoutSource, Files: e.files, Report: e.card.Report(), Listings: e.listings}
	for _, b := range e.bound {
		d.Scanners = append(d.Scanners, scorecard.Scanner{Name: b.Manifest.Name, Version: b.Manifest.Version, Digest: engine.Digest(b.Wasm)})
	}
	return d
}
