//go:build e2e

package accuracy

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

var update = flag.Bool("update", false, "ask the other tools as well, and write the table of docs/sbom.md")

const (
	document = "../../../docs/sbom.md"
	mark     = "accuracy"
)

// packages are what a tool or the truth names, each as name@version.
type packages map[string]bool

// truth is what an ecosystem's own tool says: what is installed here, and what
// belongs to the resolved tree although this platform does not install it.
type truth struct{ installed, resolved packages }

// server is one row: a real server, and how its ecosystem is asked about it.
type server struct {
	name, version string
	prepare       func(t *testing.T, s server, dir string) // dir is empty; what is catalogued lies in dir/artifact afterwards
	truth         func(t *testing.T, dir string) truth
	ours          func(t *testing.T, dir string) packages
	others        []tool
}

// tool is something else that lists packages; its name is a column.
type tool struct {
	name string
	list func(t *testing.T, dir string) packages
}

// columns of other tools, in order; a row leaves empty what it has not.
var columns = []string{"syft, as published", "syft, installed", "npm sbom", "cyclonedx-npm"}

// score is recall against what is installed and precision against what is resolved.
type score struct{ recall, precision float64 }

func rate(got packages, want truth) score {
	found, right := 0, 0
	for p := range want.installed {
		if got[p] {
			found++
		}
	}
	for p := range got {
		if want.resolved[p] {
			right++
		}
	}
	s := score{recall: float64(found) / float64(len(want.installed))}
	if len(got) > 0 {
		s.precision = float64(right) / float64(len(got))
	}
	return s
}

func (s score) String() string { return fmt.Sprintf("%.3f / %.3f", s.recall, s.precision) }

func TestAccuracy(t *testing.T) {
	servers := slices.Concat(npmServers)
	rows := make([][]string, len(servers))
	t.Run("servers", func(t *testing.T) {
		for i, s := range servers {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				rows[i] = s.row(t)
			})
		}
	})
	if t.Failed() {
		return
	}
	head := []string{"server", "packages", "Bartizan"}
	if *update {
		head = append(head, columns...)
	}
	var out bytes.Buffer
	benchtable.Grid(&out, slices.Concat([][]string{head}, rows))
	t.Logf("recall / precision\n%s", &out)
	if *update {
		if err := benchtable.Insert(document, mark, out.String()); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if !bytes.Contains(text, []byte("| "+s.name+"@"+s.version+" ")) {
			t.Errorf("docs/sbom.md has no row for %s@%s: make accuracy", s.name, s.version)
		}
	}
}

func (s server) row(t *testing.T) []string {
	dir := t.TempDir()
	s.prepare(t, s, dir)
	want := s.truth(t, dir)
	if len(want.installed) < 2 {
		t.Fatalf("the truth is %v", want.installed)
	}
	got := s.ours(t, dir)
	mine := rate(got, want)
	if mine.recall < .99 || mine.precision < .99 {
		t.Errorf("recall and precision %s; missing %q, too many %q", mine, less(want.installed, got), less(got, want.resolved))
	}
	line := []string{s.name + "@" + s.version, fmt.Sprint(len(want.installed)), mine.String()}
	if !*update {
		return line
	}
	for _, column := range columns {
		cell := ""
		if i := slices.IndexFunc(s.others, func(o tool) bool { return o.name == column }); i >= 0 {
			cell = rate(s.others[i].list(t, dir), want).String()
		}
		line = append(line, cell)
	}
	return line
}

func less(a, b packages) []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(a)) {
		if !b[p] {
			out = append(out, p)
		}
	}
	return out[:min(len(out), 10)]
}

// bartizan lists what `bartizan sbom generate` says of an artifact, without what
// it says is for development alone.
func bartizan(t *testing.T, args ...string) packages {
	t.Helper()
	dir := os.Getenv("BARTIZAN_BIN")
	if dir == "" {
		t.Fatal("BARTIZAN_BIN is not set; run make e2e")
	}
	return cycloneDX(t, command(t, ".", filepath.Join(dir, "bartizan"), append([]string{"sbom", "generate"}, args...)...))
}

// cycloneDX reads the components of anybody's document.
func cycloneDX(t *testing.T, body []byte) packages {
	t.Helper()
	type component struct {
		Group, Name, Version, Scope, Type string
		Components                        []component
	}
	var bom struct{ Components []component }
	if err := json.Unmarshal(body, &bom, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	out := packages{}
	var add func([]component)
	add = func(list []component) {
		for _, c := range list {
			if c.Scope != "excluded" && c.Type != "file" {
				out[strings.TrimPrefix(c.Group+"/"+c.Name, "/")+"@"+c.Version] = true
			}
			add(c.Components)
		}
	}
	add(bom.Components)
	return out
}

// command runs a program and returns what it printed.
func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), cmp.Or(ctx.Err(), err), said.Bytes())
	}
	return out
}
