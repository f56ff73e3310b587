package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// errBlocked means that an ordinary listing would be refused.
var errBlocked = errors.New("an ordinary listing raises a finding of severity high or above")

// outcome is what the scanners of one family said about one row.
type outcome struct {
	row     *row
	flagged bool
	blocked bool
	failed  bool
}

// bench runs scanners on the production engine.
type bench struct {
	engine  *engine.Engine
	modules map[string][]byte
}

func newBench(ctx context.Context) (*bench, error) {
	modules, err := plugins.Modules()
	if err != nil {
		return nil, err
	}
	e, err := engine.New(ctx, engine.Config{})
	if err != nil {
		return nil, err
	}
	return &bench{e, modules}, nil
}

// scanner loads a first-party scanner, with other weights where given.
func (b *bench) scanner(ctx context.Context, name string, weights []byte) (*engine.Set, error) {
	for file, wasm := range b.modules {
		if strings.TrimSuffix(filepath.Base(file), ".wasm") != name {
			continue
		}
		s, err := b.engine.Load(ctx, wasm, engine.Options{Mode: engine.ModeEnforce, Config: weights})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return engine.NewSet(s), nil
	}
	return nil, fmt.Errorf("%s: %w", name, plugins.ErrNotBuilt)
}

// measure scans rows. Detected means an action of flag or above by a finding; a
// failure is counted apart, never as a detection.
func measure(ctx context.Context, set *engine.Set, rows []*row) ([]outcome, error) {
	out := make([]outcome, 0, len(rows))
	for _, r := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := messageOf(r)
		if err != nil {
			return nil, err
		}
		o := outcome{row: r}
		v := set.Scan(ctx, m)
		o.failed = len(v.Failures) > 0 || v.Unexamined
		for _, f := range v.Findings {
			o.flagged = o.flagged || !f.Action.Less(engine.ActionFlag)
			o.blocked = o.blocked || f.Severity.AtLeast(engine.SeverityHigh)
		}
		out = append(out, o)
	}
	return out, nil
}

// leftOut measures a learned scanner on every row of its family, each row under
// weights that were trained and whose thresholds were chosen without its source.
func leftOut(ctx context.Context, b *bench, c *corpora, t *task) ([]outcome, error) {
	m, err := t.material(c)
	if err != nil {
		return nil, err
	}
	parts := map[string][]*row{}
	for _, r := range c.rows {
		if measured(t.name, r) {
			parts[partOf(r)] = append(parts[partOf(r)], r)
		}
	}
	var out []outcome
	for _, part := range sortedKeys(parts) {
		weights := m.weights(m.without(func(r *row) bool { return partOf(r) == part }))
		set, err := b.scanner(ctx, t.name, weights)
		if err != nil {
			return nil, err
		}
		scanned, err := measure(ctx, set, parts[part])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "%s without %s: %d rows\n", t.name, part, len(scanned))
		out = append(out, scanned...)
	}
	return out, nil
}

// partOf is what is left out together with a row: its source; of the two large
// collections of ordinary servers, which are all there is of their kind, a
// third of the servers or sessions.
func partOf(r *row) string {
	if g := r.group(); g == "live" || g == "listing" {
		return fmt.Sprintf("%s %d", g, foldOf(r))
	}
	return r.origin()
}

// measured tells which rows a scanner is measured on: the attacks of its
// family, and every ordinary row that reaches it.
func measured(scanner string, r *row) bool {
	if r.attack() {
		return r.Family == scanner
	}
	switch scanner {
	case "injection":
		return r.Kind == "result"
	case "exfil":
		return r.Kind == "call" || r.Kind == "result"
	}
	return r.Kind == "listing"
}

// byRule measures a scanner without weights.
func byRule(ctx context.Context, b *bench, c *corpora, name string) ([]outcome, error) {
	set, err := b.scanner(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	var rows []*row
	for _, r := range c.rows {
		if measured(name, r) {
			rows = append(rows, r)
		}
	}
	return measure(ctx, set, rows)
}

// evaluate measures everything and writes the table.
func evaluate(ctx context.Context, c *corpora, listings, root string) (err error) {
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.engine.Close(ctx)) }()
	results := map[string][]outcome{}
	for _, name := range []string{"exfil", "shadowing"} {
		if results[name], err = byRule(ctx, b, c, name); err != nil {
			return err
		}
	}
	for _, t := range tasks {
		if results[t.name], err = leftOut(ctx, b, c, t); err != nil {
			return err
		}
	}
	real, err := scanListings(ctx, b, listings)
	if err != nil {
		return err
	}
	return writeReport(filepath.Join(root, "docs", "detection.md"), render(results, real))
}

// scanListings scans whole listings of real servers with all four scanners and
// returns the findings of each as counts by action.
func scanListings(ctx context.Context, b *bench, dir string) (map[string]map[string]int, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]int{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		capture, err := listing.ParseCapture(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		counts := map[string]int{}
		for i := range capture.Listings {
			m, err := message.FromListing(capture.Server, &capture.Listings[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			for _, name := range []string{"injection", "exfil", "poisoning", "shadowing"} {
				set, err := b.scanner(ctx, name, nil)
				if err != nil {
					return nil, err
				}
				for _, f := range set.Scan(ctx, m).Findings {
					counts[string(f.Action)]++
					if f.Severity.AtLeast(engine.SeverityHigh) {
						return nil, fmt.Errorf("%w: %s: %s at %s", errBlocked, filepath.Base(file), f.Rule, f.Pointer)
					}
				}
			}
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = counts
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
