package tck

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme holds the published table to the points: their ids are stable.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	abi, err := os.ReadFile("../abi/ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for line := range strings.Lines(string(b)) {
		if cells := strings.Split(line, " | "); len(cells) == 3 && strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSuffix(strings.TrimSpace(line), " |"))
		}
	}
	for _, p := range points {
		want = append(want, "| `"+p.ID+"` | "+p.Title+" | "+p.Section)
		if !strings.Contains(string(abi), "# "+p.Section+"\n") {
			t.Errorf("%s: ABI.md has no section %q", p.ID, p.Section)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
