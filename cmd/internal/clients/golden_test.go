package clients

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden edits every file of testdata/golden. The comment of an archive is
// the client, the entry's name and options: bridge, token.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) < len(list) {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			args := strings.Fields(string(a.Comment))
			c, err := Find(args[0])
			if err != nil {
				t.Fatal(err)
			}
			seen[c.Name] = true
			before, after := content(a, "before"), content(a, "after")
			path := filepath.Join(t.TempDir(), "config")
			if before != nil {
				write(t, path, before)
			}
			g := Gateway{URL: "http://127.0.0.1:8471/mcp/weather", Command: []string{"/opt/bartizan", "bridge", "--server", "weather"}}
			g.Bridge = slices.Contains(args, "bridge")
			if slices.Contains(args, "token") {
				g.Token = "bz_secret"
			}
			edit(t, c, path, args[1], g)
			got := read(t, path)
			if *update {
				set(a, "after", got)
				write(t, file, txtar.Format(a))
				return
			}
			if diff := cmp.Diff(string(after), string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for _, c := range list {
		if !seen[c.Name] {
			t.Errorf("%s has no golden file", c.Name)
		}
	}
}

func content(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func set(a *txtar.Archive, name string, body []byte) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = body
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: body})
}

func write(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// edit connects, and holds that doing so again changes nothing and that both
// the undone and the edited file are what they should be.
func edit(t *testing.T, c *Client, path, name string, g Gateway) {
	t.Helper()
	before, err := os.ReadFile(path)
	existed := err == nil
	b := Backups{Dir: filepath.Join(t.TempDir(), "undo")}
	connect := func() {
		t.Helper()
		p, err := c.Plan(Request{File: path, Name: name, Gateway: g})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write(b); err != nil {
			t.Fatal(err)
		}
		if again, err := c.Plan(Request{File: path, Name: name, Gateway: g}); err != nil || again.Changed() {
			t.Fatalf("a second time changes the file: %v\n%s", err, again.Diff(""))
		}
	}
	connect()
	if _, whole, err := c.Undo(path, b); err != nil || !whole {
		t.Fatalf("undo: %v, whole %v", err, whole)
	}
	now, err := os.ReadFile(path)
	if existed != (err == nil) || !bytes.Equal(now, before) {
		t.Fatalf("undone is not what was there: %v\n%s", err, cmp.Diff(string(before), string(now)))
	}
	connect()
}
