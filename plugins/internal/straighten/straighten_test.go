package straighten_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/plugins/internal/straighten"
)

const manifest = `{"abi":1,"name":"jumps","version":"0.1.0","phases":["result"],"encoding":"flat","form":"reactor","call":"always",
	"rules":[{"id":"jumps.all","family":"integrity","severity":"low","description":"what came of it"}]}`

const sectionCode = 10

// compile is the module of a folder as the toolchain makes it.
func compile(t *testing.T, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "a.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-w -buildid=", "-o", out, dir)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// TestSameAnswers holds a module that goes every way to its straight form, and
// that to less fuel.
func TestSameAnswers(t *testing.T) {
	plain := compile(t, "./testdata/jumps")
	for name, accept := range map[string]func(string) bool{
		"own code":      func(name string) bool { return strings.HasPrefix(name, "main.") },
		"and libraries": func(name string) bool { return !strings.Contains(name, "runtime") },
	} {
		t.Run(name, func(t *testing.T) {
			straight, err := straighten.Module(plain, accept)
			if err != nil {
				t.Fatal(err)
			}
			before, after := load(t, plain), load(t, straight)
			random := rand.New(rand.NewPCG(1, 2))
			for range 15 {
				text := make([]byte, random.IntN(200))
				for i := range text {
					text[i] = " aabcdeeioqxyz"[random.IntN(14)]
				}
				m := &message.Message{Phase: message.PhaseResult, Segments: []message.Segment{{Kind: message.KindText, Pointer: "/text", Text: string(text)}}}
				want, got := before.Scan(t.Context(), m), after.Scan(t.Context(), m)
				if len(want.Findings) != 1 || len(want.Failures) > 0 {
					t.Fatalf("%q: %+v", text, want)
				}
				if got.Fuel >= want.Fuel {
					t.Errorf("%q: fuel %d, %d before", text, got.Fuel, want.Fuel)
				}
				want.Fuel, want.Elapsed, want.Scanners = got.Fuel, got.Elapsed, got.Scanners
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%q (-before +after)\n%s", text, diff)
				}
			}
		})
	}
}

func load(t *testing.T, wasm []byte) *engine.Set {
	t.Helper()
	wasm, err := wasmsection.Attach(wasm, engine.ManifestSection, []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(t.Context()) })
	s, err := e.Load(t.Context(), wasm, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine.NewSet(s)
}

// TestNamesGo holds that what is there for debuggers is left out, and that of
// the rest only the code is written anew.
func TestNamesGo(t *testing.T) {
	plain := compile(t, "./testdata/jumps")
	straight, err := straighten.Module(plain, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	sections, err := wasmsection.Parse(straight)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sections {
		if s.Name == "name" {
			t.Error("the names are there")
		}
		if s.ID != sectionCode && !bytes.Contains(plain, straight[s.Start:s.End]) {
			t.Errorf("section %d %q differs", s.ID, s.Name)
		}
	}
	if _, err := straighten.Module(straight, func(string) bool { return true }); !errors.Is(err, straighten.ErrMalformed) {
		t.Errorf("a module without names: %v", err)
	}
}

// FuzzModule holds that no module makes it fail in another way than by an error.
func FuzzModule(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x0a\x13\x01\x11\x00\x03\x40\x02\x40\x02\x40\x20\x00\x0e\x01\x00\x01\x0b\x0b\x0b\x0b\x00\x07\x04name\x01\x00"))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if out, err := straighten.Module(wasm, func(string) bool { return true }); err == nil {
			if _, err := wasmsection.Parse(out); err != nil {
				t.Fatal(err)
			}
		}
	})
}
