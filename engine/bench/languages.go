package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// languagesMark names the place of the table of languages in a document.
const languagesMark = "table of make bench-scanners"

// languageSizes are the texts that every language scans, one ticket number in
// the middle of each.
var languageSizes = []struct {
	name  string
	bytes int
}{{"0.5 KB", 512}, {"4 KB", 4 << 10}, {"64 KB", 60 << 10}}

// printLanguages measures the example scanner of every language, whose modules
// `make sdk` leaves in a folder, beside the same in Go without a sandbox and in
// another host.
func printLanguages(ctx context.Context, dir, into string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no modules in %s: make sdk builds them (%v)", dir, err)
	}
	native, err := nativeLanguage()
	if err != nil {
		return err
	}
	others, note, err := elsewhere(ctx)
	if err != nil {
		return err
	}
	lines := [][]string{{"language", "module", "compiled in", "loaded again in", "0.5 KB", "4 KB", "64 KB", "reset", "memory"}, native}
	for _, file := range files {
		fmt.Fprintln(os.Stderr, file)
		cells, err := language(ctx, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		lines = append(append(lines, cells), others[strings.TrimSuffix(filepath.Base(file), ".wasm")]...)
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%s. Medians of warm calls: the input copied in, the scan, the answer checked out.\n\n", benchtable.Machine())
	benchtable.Grid(&report, lines)
	fmt.Fprintf(&report, "\n%s\n", note)
	fmt.Print(report.String())
	if into == "" {
		return nil
	}
	return benchtable.Insert(into, languagesMark, report.String())
}

// languageNames are titles of modules by the names of their files.
var languageNames = map[string]string{
	"assemblyscript": "AssemblyScript", "c": "C", "c by zig cc": "C, by Zig's compiler", "go": "Go", "javascript": "JavaScript", "nim": "Nim",
	"python": "Python", "rulepack": "rule pack", "rust": "Rust", "zig": "Zig",
}

func language(ctx context.Context, file string) ([]string, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sections, err := wasmsection.Custom(wasm, engine.ManifestSection)
	if err != nil || len(sections) != 1 {
		return nil, fmt.Errorf("%d manifests: %w", len(sections), err)
	}
	manifest, err := engine.ParseManifest(sections[0])
	if err != nil {
		return nil, err
	}
	cache, err := os.MkdirTemp("", "bartizan-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(cache)
	options := sandbox.Options{}
	if manifest.Form == engine.FormCommand {
		options.Form = sandbox.Command
	}
	_, compiled, err := load(ctx, cache, wasm, options, nil)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(filepath.Base(file), ".wasm")
	name, ok := languageNames[base]
	if !ok {
		name = base
	}
	var calls []string
	var reset, memory string
	_, again, err := load(ctx, cache, wasm, options, func(m *sandbox.Module) error {
		for _, size := range languageSizes {
			in := languageInput(manifest, ticketText(size.bytes))
			var times, resets []float64
			for start := time.Now(); moreCalls(len(times), start); {
				cost, err := m.Measure(ctx, in, func([]byte) error { return nil })
				if err != nil {
					return err
				}
				times, resets = append(times, float64(cost.Call)), append(resets, float64(cost.Reset))
				memory = fmt.Sprintf("%.1f MB", float64(cost.Memory)/(1<<20))
			}
			calls = append(calls, duration(median(times)))
			reset = duration(median(resets))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(manifest.Patterns) > 0 { // the engine's own pass finds them, and hands over no more than hits
		calls = []string{"its phrases are found", "in the engine's", "one pass"}
	}
	return append(append([]string{name, bytesOf(len(wasm)), duration(float64(compiled)), duration(float64(again))}, calls...), reset, memory), nil
}

// load takes a module into a runtime of its own, as a gateway that starts, and
// says how long that takes.
func load(ctx context.Context, cache string, wasm []byte, o sandbox.Options, use func(*sandbox.Module) error) (_ *sandbox.Module, took time.Duration, err error) {
	r, err := sandbox.New(sandbox.Config{CacheDir: cache})
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	began := time.Now()
	m, err := r.Load(ctx, wasm, o)
	took = time.Since(began)
	if err == nil && use != nil {
		err = use(m)
	}
	return m, took, err
}

func bytesOf(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

func languageInput(m engine.Manifest, text string) []byte {
	if m.Encoding == engine.EncodingFlat {
		return flatInput(text)
	}
	none := []string{}
	b, err := json.Marshal(map[string]any{
		"phase": "result", "server": "bench", "entry": "tool", "caller": "user", "hits": none, "flow": none, "context": none,
		"segments": []map[string]any{{"kind": "text", "item": 0, "pointer": "/result/content/0/text", "text": text, "provenance": ""}},
		"limits":   map[string]int{"findings": 256, "outputBytes": 64 << 10},
	})
	if err != nil {
		panic(err) // a map of strings and numbers
	}
	return b
}

// nativeLanguage is the scan alone, as a function of this program.
func nativeLanguage() ([]string, error) {
	cells := []string{"Go, native, without a sandbox", "", "", ""}
	for _, size := range languageSizes {
		text := ticketText(size.bytes)
		var found []ticket
		var times []float64
		for start := time.Now(); moreCalls(len(times), start); {
			began := time.Now()
			found = appendTickets(found[:0], text)
			times = append(times, float64(time.Since(began)))
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%d tickets in %s", len(found), size.name)
		}
		cells = append(cells, duration(median(times)))
	}
	return append(cells, "", ""), nil
}

// moreCalls says whether a median is to have more calls than those made since a time.
func moreCalls(made int, start time.Time) bool {
	return made < 30 || made < 3000 && time.Since(start) < 500*time.Millisecond
}
