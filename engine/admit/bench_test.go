package admit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// kernels compiles a file of testdata.
func kernels(t testing.TB, source string) []byte {
	t.Helper()
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("the kernels are compiled by clang: ", err)
	}
	out := filepath.Join(t.TempDir(), "kernels.wasm")
	cmd := exec.CommandContext(t.Context(), clang, "--target=wasm32", "-O2", "-nostdlib", "-mbulk-memory", "-Wl,--no-entry", "-o", out, filepath.Join("testdata", source))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("clang: %v: %s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// BenchmarkMetering runs each kernel as compiled and rewritten, turn by turn,
// and reports how many times longer the rewritten one takes.
func BenchmarkMetering(b *testing.B) {
	wasm := kernels(b, "kernels.c")
	r := newRig(b, wazero.NewRuntimeConfig())
	plain, err := r.InstantiateWithConfig(b.Context(), wasm, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		b.Fatal(err)
	}
	metered, _, err := r.instantiate(b.Context(), wasm, "")
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range []struct {
		name   string
		rounds uint64
	}{
		{"sieve", 10}, {"matrix", 20}, {"mix", 5000}, {"automaton", 10}, {"quicksort", 5},
		{"search", 10}, {"crc", 4}, {"calls", 100}, {"copies", 200}, {"words", 10},
	} {
		b.Run(k.name, func(b *testing.B) {
			call := func(mod api.Module) time.Duration {
				r.enter(metered, deep)
				begin := time.Now()
				if _, err := mod.ExportedFunction(k.name).Call(b.Context(), k.rounds); err != nil {
					b.Fatal(err)
				}
				return time.Since(begin)
			}
			call(plain)
			call(metered)
			fuel := r.spent(metered)
			best := [2]time.Duration{1 << 62, 1 << 62}
			for b.Loop() {
				best[0] = min(best[0], call(plain))
				best[1] = min(best[1], call(metered))
			}
			b.ReportMetric(float64(best[1])/float64(best[0]), "×")
			b.ReportMetric(float64(best[1])/float64(fuel), "ns/unit")
			b.ReportMetric(float64(best[1].Microseconds()), "µs")
		})
	}
}

// BenchmarkWorst runs what takes longest for its fuel. The fuel between two
// yields times the ns/unit here is how long a guest may keep its thread.
func BenchmarkWorst(b *testing.B) {
	wasm := kernels(b, "worst.c")
	for _, k := range []struct {
		name   string
		rounds uint64
	}{
		{"misses", 20_000}, {"pages", 8000}, {"divisions", 20_000}, {"roots", 20_000}, {"indirect", 20_000}, {"branches", 20_000},
	} {
		b.Run(k.name, func(b *testing.B) {
			r := newRig(b, wazero.NewRuntimeConfig())
			r.quantum = 100_000
			var worst float64
			for b.Loop() {
				mod, _, err := r.instantiate(b.Context(), wasm, "")
				if err != nil {
					b.Fatal(err)
				}
				call := func(name string) time.Duration {
					r.enter(mod, deep)
					begin := time.Now()
					if _, err := mod.ExportedFunction(name).Call(b.Context(), k.rounds); err != nil {
						b.Fatal(err)
					}
					return time.Since(begin)
				}
				call("prepare")
				took := call(k.name)
				worst = max(worst, float64(took)/float64(r.spent(mod)))
				mod.Close(b.Context())
			}
			b.ReportMetric(worst, "ns/unit")
		})
	}
}

// BenchmarkRewrite parses and rewrites a scanner as it is shipped.
func BenchmarkRewrite(b *testing.B) {
	modules, err := plugins.Modules()
	if err != nil {
		b.Skip(err)
	}
	wasm := modules["injection"]
	b.SetBytes(int64(len(wasm)))
	for b.Loop() {
		m, err := admit.Parse(wasm, admit.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Instrument(admit.Options{MemoryPages: 1024}); err != nil {
			b.Fatal(err)
		}
	}
}
