package tck

import (
	"os"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

// manifestOf is the manifest of a guest of testdata. A replacement of its parts
// makes another.
func manifestOf(guest string, replace ...string) string {
	encoding, form := "json", "reactor"
	switch guest {
	case "flat":
		encoding = "flat"
	case "command":
		form = "command"
	}
	m := `{"abi":1,"name":"ticket","version":"1.0.0","phases":["listing","request","result","prompt","resource"],"encoding":"` + encoding +
		`","form":"` + form + `","call":"always","rules":[{"id":"t.ticket","family":"exfil","severity":"medium","taxonomy":[],"description":"A ticket."}]}`
	return strings.NewReplacer(replace...).Replace(m)
}

// guest assembles a file of testdata with one thing replaced in it.
func guest(t testing.TB, name, old, with string) []byte {
	t.Helper()
	src, err := os.ReadFile("testdata/" + name + ".wat")
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	if old != "" {
		if !strings.Contains(text, old) {
			t.Fatalf("%s.wat has no %s", name, old)
		}
		text = strings.Replace(text, old, with, 1)
	}
	wasm, err := wat.Assemble(text)
	if err != nil {
		t.Fatalf("%s.wat: %v", name, err)
	}
	return wasm
}

func attach(t testing.TB, wasm []byte, manifest string) []byte {
	t.Helper()
	wasm, err := wasmsection.Attach(wasm, engine.ManifestSection, []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// TestConformingGuests holds that guests which keep the ABI pass, and that
// together they touch every point but those that a test of its own is for.
func TestConformingGuests(t *testing.T) {
	touched := make(map[string]bool)
	for _, name := range []string{"flat", "json", "command"} {
		manifest := manifestOf(name)
		if name == "json" {
			manifest = manifestOf(name, `"call":"always"`, `"call":"triggered","patterns":[{"id":"ticket","shape":"TCK-<d4>"}]`)
		}
		r, err := Run(t.Context(), attach(t, guest(t, name, "", ""), manifest))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Points {
			switch p.Outcome {
			case Fail:
				t.Errorf("%s: %s: %s", name, p.ID, p.Detail)
			case Pass:
				touched[p.ID] = true
			}
		}
	}
	for _, p := range points {
		if !touched[p.ID] {
			t.Errorf("%s: no guest of the tests touches it", p.ID)
		}
	}
}
