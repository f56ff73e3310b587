package sandbox

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// emptyGuest answers every input at once, with forty bytes of its own.
const emptyGuest = `(module
	(memory (export "memory") 2)
	(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))
	(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x1000000028)))`

// benchModule loads a module under limits that a benchmark chooses.
func benchModule(b *testing.B, wasm []byte, l Limits) *Module {
	b.Helper()
	m, err := loadFor(b, wasm, l)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// loadFor loads a module for as long as a benchmark runs.
func loadFor(b *testing.B, wasm []byte, l Limits) (*Module, error) {
	return newRuntime(b).Load(b.Context(), wasm, Options{Limits: l})
}

// built returns a file that another step of make builds, or skips.
func built(b *testing.B, path string) []byte {
	b.Helper()
	wasm, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		b.Skipf("%s is not built", filepath.Base(path))
	}
	return wasm
}

func ignore([]byte) error { return nil }

// BenchmarkEmptyCall measures what a call costs before the guest does anything,
// with half a kilobyte copied in: entering an instance at hand, and the same
// with room taken, limits set, and memory and globals put back.
func BenchmarkEmptyCall(b *testing.B) {
	m := benchModule(b, assemble(b, emptyGuest), Limits{})
	input := make([]byte, 512)
	b.Run("enter", func(b *testing.B) {
		i, err := m.acquire(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer m.release(i)
		i.run.begin(b.Context(), m.opts.Limits, 1<<50, nil)
		typical(b, func() error { _, err := i.scan(input); return err })
	})
	b.Run("call", func(b *testing.B) {
		typical(b, func() error { _, err := m.Call(b.Context(), input, ignore); return err })
	})
}

// typical reports the median of batches that are too short for the kernel to
// interrupt most of them.
func typical(b *testing.B, call func() error) {
	const batch = 256
	var batches []time.Duration
	for b.Loop() {
		began := time.Now()
		for range batch {
			if err := call(); err != nil {
				b.Fatal(err)
			}
		}
		batches = append(batches, time.Since(began))
	}
	b.ReportMetric(medianOf(batches)/batch, "ns/call")
}

// BenchmarkReset measures what starting every call from the photograph costs on
// top of using an instance again: the reset itself and the pages that the next
// call has to copy again. The state is compared with the photograph in the run.
func BenchmarkReset(b *testing.B) {
	text := strings.Repeat("an ordinary line of text, as tools send them. ", 4<<10/46)
	for name, path := range map[string]string{
		"c":  "../bench/guest/build/c-scanner.wasm",
		"go": "../bench/guest/build/go-scanner.wasm",
	} {
		b.Run(name, func(b *testing.B) {
			m := benchModule(b, built(b, path), Limits{})
			input := flatText(text)
			if _, err := m.Call(b.Context(), input, ignore); err != nil {
				b.Fatal(err)
			}
			var news []time.Duration
			for range 5 {
				began := time.Now()
				i, err := m.initialised(b.Context())
				news = append(news, time.Since(began))
				if err != nil {
					b.Fatal(err)
				}
				i.close(b.Context())
			}
			i, err := m.acquire(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer m.release(i)
			view, _ := i.module.Memory().Read(0, uint32(i.memory.size))
			photographed := bytes.Clone(view)
			var reused, fresh, resets []time.Duration
			comparisons, pages := 0, 0
			runtime.LockOSThread() // as a call does
			defer runtime.UnlockOSThread()
			for b.Loop() {
				i.memory.watch()
				fresh = append(fresh, scanTime(b, i, input)) // on the photograph
				if len(fresh)%64 == 1 {
					pages = pagesWritten(b, i, photographed, m.photo.globals)
				}
				i.memory.settle()
				reused = append(reused, scanTime(b, i, input)) // on what it left behind
				began := time.Now()
				if err := i.reset(m.photo); err != nil {
					b.Fatal(err)
				}
				resets = append(resets, time.Since(began))
				if len(resets)%64 == 1 {
					comparisons++
					if pagesWritten(b, i, photographed, m.photo.globals) != 0 {
						b.Fatal("the state differs from the photograph after a reset")
					}
					if err := i.reset(m.photo); err != nil { // the comparison has mapped every page
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(medianOf(resets)+max(0, medianOf(fresh)-medianOf(reused)), "ns/reset")
			b.ReportMetric(medianOf(resets), "ns/restore")
			b.ReportMetric(medianOf(news), "ns/instance")
			b.ReportMetric(float64(pages), "pages/call")
			b.ReportMetric(float64(comparisons), "comparisons")
			b.ReportMetric(float64(i.memory.size>>10), "KB")
		})
	}
}

func scanTime(b *testing.B, i *instance, input []byte) time.Duration {
	i.run.begin(b.Context(), DefaultLimits, 1<<50, nil)
	began := time.Now()
	if _, err := i.scan(input); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// pagesWritten counts the pages that differ from the photograph; a global that
// differs counts as one.
func pagesWritten(b *testing.B, i *instance, memory []byte, globals []uint64) (n int) {
	b.Helper()
	now, _ := i.module.Memory().Read(0, uint32(i.memory.size))
	if len(memory) != len(now) {
		b.Fatalf("memory of %d bytes, photographed %d", len(now), len(memory))
	}
	const page = 4 << 10
	for at := 0; at < len(now); at += page {
		if !bytes.Equal(now[at:at+page], memory[at:at+page]) {
			n++
		}
	}
	for k, g := range i.globals {
		if g.Get() != globals[k] {
			n++
		}
	}
	return n
}

// flatText encodes one text as a result of one segment (sdk/abi/ABI.md).
func flatText(text string) []byte {
	const header, segment = 88, 32
	b := make([]byte, header+segment, header+segment+len(text))
	put := func(at int, values ...uint32) {
		for k, v := range values {
			binary.LittleEndian.PutUint32(b[at+4*k:], v)
		}
	}
	put(0, 0x495a5442, header, uint32(header+segment+len(text)), 3)
	put(32, 256, 64<<10)
	put(40, header, 1, segment, header, 0, 16, header, 0, 40, header, 0, 48)
	put(16, header+segment, 0, header+segment, 0)                                               // server, entry
	put(header, 14, 0, header+segment, 0, header+segment, uint32(len(text)), header+segment, 0) // text
	return append(b, text...)
}

func medianOf(d []time.Duration) float64 {
	if len(d) == 0 {
		return 0
	}
	return float64(slices.Sorted(slices.Values(d))[len(d)/2])
}
