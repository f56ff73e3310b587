//go:build sdk

package examples

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// probes are programs for this machine, each of which says what an SDK makes of
// inputs. Memory that they must not touch is watched by what their language has
// for that.
var probes = []struct {
	lang  string
	build func(t *testing.T, out string)
}{
	{"c", func(t *testing.T, out string) {
		compiler := first(t, "gcc", "clang")
		run(t, "../c/testdata", compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O1",
			"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", out, "probe.c")
	}},
	{"rust", func(t *testing.T, out string) {
		cargo, target := first(t, "cargo"), t.TempDir()
		run(t, "../rust", cargo, "test", "--quiet", "--offline", "--target-dir", target)
		run(t, "../rust", cargo, "build", "--quiet", "--offline", "--example", "probe", "--target-dir", target)
		if err := os.Rename(filepath.Join(target, "debug/examples/probe"), out); err != nil {
			t.Fatal(err)
		}
	}},
	{"zig", func(t *testing.T, out string) {
		zig := first(t, "zig")
		run(t, "../zig", zig, "test", "src/tests.zig")
		run(t, "../zig", zig, "build-exe", "--dep", "bartizan", "-Mroot=testdata/probe.zig", "-Mbartizan=src/bartizan.zig", "-femit-bin="+out)
	}},
}

// first finds a program.
func first(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if required {
		t.Fatalf("required, and absent: %v", names)
	}
	t.Skipf("none of %v here", names)
	return ""
}

// TestSDKsAgree holds what each SDK reads of an input, and how it writes an
// answer, to the SDK in Go, over inputs of which most are malformed.
func TestSDKsAgree(t *testing.T) {
	all := inputs(t)
	var frames bytes.Buffer
	for _, in := range all {
		putText(&frames, string(in))
	}
	want := make([]reading, len(all))
	for i, in := range all {
		want[i] = readByGo(in)
	}
	for _, p := range probes {
		t.Run(p.lang, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "probe")
			p.build(t, program)
			var out, said bytes.Buffer
			cmd := exec.CommandContext(t.Context(), program)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(frames.Bytes()), &out, &said
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %s", err, said.Bytes())
			}
			compared := 0
			for i := range all {
				seen, answer := takeText(t, &out), takeText(t, &out)
				w := want[i]
				if w.foreign {
					continue
				}
				if seen != w.seen {
					t.Fatalf("input %d: %x\nread as %x\n in Go   %x", i, all[i], seen, w.seen)
				}
				if !w.special && answer != w.answer {
					t.Fatalf("input %d: %x\nanswered %x\n   in Go %x", i, all[i], answer, w.answer)
				}
				compared++
			}
			if out.Len() > 0 || compared < 1000 {
				t.Errorf("%d compared, %d bytes too many", compared, out.Len())
			}
		})
	}
}

// reading is what the SDK in Go makes of an input.
type reading struct {
	seen, answer string // empty for a fault
	foreign      bool   // a text is not UTF-8: not to be had from an engine, and each SDK may do as it likes
	special      bool   // an SDK may word the answer in another way: what does not fit, and NUL where texts end with one
}

func readByGo(b []byte) (r reading) {
	in, err := scanner.DecodeInput(b)
	if err != nil || !bytes.HasPrefix(b, []byte("BTZI")) {
		return r
	}
	var d bytes.Buffer
	number := func(all ...int) {
		for _, n := range all {
			_ = binary.Write(&d, binary.LittleEndian, uint32(n))
		}
	}
	text := func(all ...string) {
		for _, s := range all {
			r.foreign = r.foreign || !utf8.ValidString(s)
			r.special = r.special || strings.Contains(s, "\x00")
			putText(&d, s)
		}
	}
	number(index(phases, in.Phase), index(callers, in.Caller))
	text(in.Server, in.Entry)
	number(in.Limits.Findings, in.Limits.OutputBytes)
	number(len(in.Segments))
	for _, s := range in.Segments {
		number(index(kinds, s.Kind), s.Item)
		text(s.Pointer, s.Text, s.Provenance)
	}
	number(len(in.Hits))
	for _, h := range in.Hits {
		number(h.Pattern, h.Segment, h.Start, h.End)
	}
	number(len(in.Flow))
	for _, f := range in.Flow {
		number(f.Segment, f.Start, f.End, f.Age)
		text(f.Mark, f.Origin.Server, f.Origin.Entry)
	}
	number(len(in.Context))
	for _, c := range in.Context {
		text(c.Server, c.Kind, c.Name, c.Title, c.Description)
		number(len(c.Parameters))
		text(c.Parameters...)
	}
	r.seen = d.String()
	found := 0
	scanner.Handle(nil, func(in *scanner.Input) *scanner.Output {
		out := answerTo(in)
		found = len(out.Findings)
		return out
	})
	answer, err := scanner.Exec(b)
	if err != nil {
		return r
	}
	r.answer = string(answer)
	// 256 findings and 64 KiB are what an engine takes at most, and all that the
	// other SDKs have room for.
	l := in.Limits
	r.special = r.special || found > 256 && (l.Findings == 0 || l.Findings > 256) || l.OutputBytes > 0 && l.OutputBytes < 64<<10 || len(answer) > 60<<10
	return r
}

// answerTo skips and finds what an input asks for by its kinds, as every probe
// does.
func answerTo(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	for i, s := range in.Segments {
		if index(kinds, s.Kind)%3 == 1 {
			out.Skip(i, s.Item, len(s.Text))
		}
	}
	for i, s := range in.Segments {
		if index(kinds, s.Kind)%3 != 0 {
			continue
		}
		f := scanner.Finding{
			Rule: in.Server, Severity: severities[s.Item%6], Confidence: float64(s.Item) / 4,
			Segment: i, Start: s.Item, End: len(s.Text), Message: s.Text, Mark: in.Entry,
		}
		if s.Item%2 == 1 {
			f.Replacement = &s.Provenance
		}
		out.Add(f)
	}
	return out
}

// The numbers of the flat encoding.
var (
	phases     = []string{"", "listing", "request", "result", "prompt", "resource"}
	callers    = []string{"", "user", "agent", "service"}
	severities = []string{"", "info", "low", "medium", "high", "critical"}
	kinds      = []string{"other", "name", "title", "description", "instructions", "parameter", "schema-title", "schema-description",
		"schema-value", "annotation", "meta", "uri", "argument", "argument-name", "text", "structured", "error", "mime", "server-info"}
)

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return math.MaxUint32
}

func putText(b *bytes.Buffer, s string) {
	_ = binary.Write(b, binary.LittleEndian, uint32(len(s)))
	b.WriteString(s)
}

func takeText(t *testing.T, b *bytes.Buffer) string {
	t.Helper()
	var n uint32
	if err := binary.Read(b, binary.LittleEndian, &n); err != nil || int(n) > b.Len() {
		t.Fatalf("the program stopped: %v", err)
	}
	return string(b.Next(int(n)))
}
