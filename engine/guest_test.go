package engine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// goModule compiles a program as plugins/internal/build does.
func goModule(t testing.TB, path, mode string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", mode, "-ldflags=-s -w -buildid=", "-o", out, path)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile the guest: %v\n%s", err, said)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// guestWasm is testdata/guest, compiled once.
var guestWasm struct {
	sync.Once
	bytes []byte
}

var guestEngine = sync.OnceValues(func() (*Engine, error) { return New(context.Background(), Config{}) })

func guestScanner(t testing.TB, opts Options) *Scanner {
	t.Helper()
	guestWasm.Do(func() {
		var err error
		if guestWasm.bytes, err = wasmsection.Attach(goModule(t, "./testdata/guest", "-buildmode=c-shared"), ManifestSection, []byte(testManifest)); err != nil {
			t.Fatal(err)
		}
	})
	e, err := guestEngine()
	if err != nil {
		t.Fatal(err)
	}
	return load(t, e, guestWasm.bytes, opts)
}

func TestGoGuest(t *testing.T) {
	set := NewSet(guestScanner(t, Options{}))
	if v := set.Scan(t.Context(), result("an ordinary text")); v.Action != ActionAllow || len(v.Failures) != 0 {
		t.Errorf("clean: %+v", v)
	}
	v := set.Scan(t.Context(), result("quiet", `an "attack" \ 😀 attack`))
	if v.Action != ActionRedact || len(v.Findings) != 2 || v.Findings[1].Start != 19 || v.Findings[1].End != 25 {
		t.Errorf("attack: %+v", v)
	}
	for text, want := range map[string]FailureKind{"panic": FailureOutput, "nil": FailureOutput, "eat": FailureMemory} {
		v := set.Scan(t.Context(), result(text))
		if v.Action != ActionBlock || len(v.Failures) != 1 || v.Failures[0].Kind != want {
			t.Errorf("%s: %+v", text, v)
		}
	}
	if v := set.Scan(t.Context(), result("skip")); v.Action != ActionBlock || !v.Unexamined || len(v.Failures) != 0 {
		t.Errorf("skip: %+v", v)
	}
	loop := NewSet(guestScanner(t, Options{Limits: Limits{Deadline: 300 * time.Millisecond, Fuel: 1 << 60}}))
	if v := loop.Scan(t.Context(), result("loop")); len(v.Failures) != 1 || v.Failures[0].Kind != FailureDeadline {
		t.Errorf("loop: %+v", v)
	}
}

func TestGoGuestConfiguration(t *testing.T) {
	if v := NewSet(guestScanner(t, Options{Config: []byte("ordinary")})).Scan(t.Context(), result("ordinary")); len(v.Findings) != 1 {
		t.Errorf("configured: %+v", v)
	}
	var log strings.Builder
	v := NewSet(guestScanner(t, Options{Config: []byte("refuse"), Log: &log})).Scan(t.Context(), result("x"))
	if len(v.Failures) != 1 || v.Failures[0].Kind != FailureOutput || log.String() != "refused\n" {
		t.Errorf("refused: %+v, log %q", v, log.String())
	}
}

// TestGuestSeesNoWorld holds that a verdict is a function of the input: the
// same time, the same random numbers, no arguments and no environment, and no
// memory of an earlier call.
func TestGuestSeesNoWorld(t *testing.T) {
	t.Setenv("BARTIZAN_TEST_SECRET", "1")
	set := NewSet(guestScanner(t, Options{}))
	first := set.Scan(t.Context(), result("world"))
	second := set.Scan(t.Context(), result("world"))
	if len(first.Findings) != 1 || len(second.Findings) != 1 {
		t.Fatalf("%+v", first)
	}
	got := first.Findings[0].Message
	if got != second.Findings[0].Message {
		t.Errorf("%s, then %s", got, second.Findings[0].Message)
	}
	if !strings.HasPrefix(got, "calls 1 args 0 env 0 time 0 ") || !strings.HasSuffix(got, "limits {256 65536}") {
		t.Error(got)
	}
}

// TestLongMessagesAreExaminedWhole hides an attack at every kind of border that
// cutting into windows and batches makes.
func TestLongMessagesAreExaminedWhole(t *testing.T) {
	set := NewSet(guestScanner(t, Options{}))
	const total = 1 << 20
	for _, at := range []int{0, windowBytes - 3, windowBytes, batchBytes - 1, 5*batchBytes + 12345, total - 6} {
		text := []byte(strings.Repeat("é", total/2))
		at = runeStart(string(text), at)
		copy(text[at:], "attack")
		v := set.Scan(t.Context(), result("first", string(text)))
		if len(v.Failures) != 0 || v.Unexamined || len(v.Findings) != 1 {
			t.Errorf("at %d: %d findings, failures %v, unexamined %v", at, len(v.Findings), v.Failures, v.Unexamined)
			continue
		}
		if f := v.Findings[0]; f.Start != at || f.End != at+6 {
			t.Errorf("at %d: found %d to %d", at, f.Start, f.End)
		}
	}
}

func TestManySegmentsAreExaminedAll(t *testing.T) {
	m := result()
	for i := range 30_000 {
		m.Segments = append(m.Segments, message.Segment{Kind: message.KindText, Pointer: "/result/structuredContent/rows/name", Text: "value", Source: i})
	}
	m.Segments[29_999].Text = "attack"
	v := NewSet(guestScanner(t, Options{})).Scan(t.Context(), m)
	if len(v.Findings) != 1 || len(v.Failures) != 0 {
		t.Errorf("%+v", v)
	}
}

func BenchmarkGoGuest(b *testing.B) {
	set := NewSet(guestScanner(b, Options{}))
	for name, size := range map[string]int{"0.5KB": 512, "4KB": 4 << 10, "64KB": 64 << 10, "1MB": 1 << 20} {
		m := result(strings.Repeat("a line of text\n", size/15))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if v := set.Scan(b.Context(), m); v.Action != ActionAllow {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
