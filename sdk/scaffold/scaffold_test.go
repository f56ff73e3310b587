package scaffold

import (
	"errors"
	"io/fs"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/sdk"
)

// source is a language that does not exist.
var source = fstest.MapFS{
	"examples/cases.jsonl":          {Data: []byte(`{"want":{"rules":["ticket.number"]},"text":"in a ticket"}`)},
	"examples/klingon/scanner.yaml": {Data: []byte("name: ticket\nrules:\n  - id: ticket.number\n    description: hidden in a ticket\nbuild:\n  module: release/ticket.wasm\n")},
	"examples/klingon/ticket.kl":    {Data: []byte("// ticket is a scanner of the ticket.\nuse \"../../klingon/sdk.kl\"; see ticket.kl, 'ticket' and `ticket`: a ticket's\n")},
	"examples/klingon/README.md":    {Data: []byte("# ticket, in Klingon\n\nname = \"ticket\"\n\"name\": \"ticket\", tickets in a ticket\nrun ../cases.jsonl\n")},
	"klingon/sdk.kl":                {Data: []byte("// ticket.kl is not renamed here\n")},
}

func TestFiles(t *testing.T) {
	files, err := Files(source, Options{Language: "klingon", Name: "qapla-1"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, body := range files {
		got[name] = string(body)
	}
	want := map[string]string{
		"cases.jsonl":  `{"want":{"rules":["qapla-1.number"]},"text":"in a ticket"}`,
		"scanner.yaml": "name: qapla-1\nrules:\n  - id: qapla-1.number\n    description: hidden in a ticket\nbuild:\n  module: release/qapla-1.wasm\n",
		"qapla-1.kl":   "// ticket is a scanner of the ticket.\nuse \"sdk/sdk.kl\"; see qapla-1.kl, 'qapla-1' and `qapla-1`: a ticket's\n",
		"README.md":    "# qapla-1, in Klingon\n\nname = \"qapla-1\"\n\"name\": \"qapla-1\", tickets in a ticket\nrun cases.jsonl\n",
		"sdk/sdk.kl":   "// ticket.kl is not renamed here\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for name, want := range map[string]error{
		"": ErrName, "../up": ErrName, "A": ErrName, "a_b": ErrName, "1a": ErrName, "a-": ErrName, "a--b": ErrName,
		"a/b": ErrName, "a b": ErrName, "$1": ErrName, strings.Repeat("a", 41): ErrName,
		strings.Repeat("a", 40): nil,
	} {
		if _, err := Files(source, Options{Language: "klingon", Name: name}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	if _, err := Files(source, Options{Language: "romulan", Name: "a"}); !errors.Is(err, ErrLanguage) || !strings.Contains(err.Error(), "klingon") {
		t.Errorf("%v", err)
	}
}

// TestGo holds that a Go scanner has its SDK beside it and no test of the SDK's.
func TestGo(t *testing.T) {
	files, err := Files(sdk.Files, Options{Language: "go", Name: "mine", Release: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "vendor/modules.txt", "main.go", "vendor/github.com/bartizan-mcp/bartizan/sdk/go/scanner.go"} {
		if len(files[name]) == 0 {
			t.Errorf("no %s in %v", name, slices.Sorted(maps.Keys(files)))
		}
	}
	if want := "require github.com/bartizan-mcp/bartizan v1.2.3\n"; !strings.HasSuffix(string(files["go.mod"]), want) {
		t.Errorf("%s", files["go.mod"])
	}
	for name := range files {
		if strings.HasPrefix(name, "vendor/") && strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s", name)
		}
	}
}

// TestNothingIsForgotten holds that the example of every language is embedded,
// each of its files.
func TestNothingIsForgotten(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "examples/*/*")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("not a checkout: %v", err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if strings.Contains(name, "/testdata/") || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		if _, err := fs.Stat(sdk.Files, name); err != nil {
			t.Errorf("sdk/%s is not embedded: add it in sdk/sdk.go", name)
		}
	}
}

func TestLanguages(t *testing.T) {
	if got := Languages(sdk.Files); !slices.Contains(got, "go") || !slices.IsSorted(got) {
		t.Errorf("%v", got)
	}
}
