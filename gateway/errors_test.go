package gateway

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestErrorsPage holds docs/errors.md and the list of reasons together.
func TestErrorsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(line, "|")
		name := strings.Trim(cells[1], " `")
		m, ok := meanings[Reason(name)]
		if !ok {
			t.Errorf("%s is documented and not in the code", name)
			continue
		}
		documented[name] = true
		want := fmt.Sprintf(" %d | −%d | %s ", m.status, -m.code, m.text)
		if got := strings.Join(cells[2:5], "|"); got != want {
			t.Errorf("%s is documented as %q, want %q", name, got, want)
		}
	}
	for reason := range meanings {
		if !documented[string(reason)] {
			t.Errorf("%s is in the code and not documented", reason)
		}
	}
}

// TestReasonsHaveMeanings finds a constant without a row.
func TestReasonsHaveMeanings(t *testing.T) {
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := 0
	for line := range strings.Lines(string(source)) {
		if _, value, ok := strings.Cut(line, " Reason = \""); ok {
			constants++
			if name := strings.TrimRight(value, "\"\n"); meanings[Reason(name)].text == "" {
				t.Errorf("%s has no meaning", name)
			}
		}
	}
	if constants != len(meanings) {
		t.Errorf("%d constants, %d meanings", constants, len(meanings))
	}
}
