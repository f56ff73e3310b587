package secrets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// load compiles the scanner once for all tests.
var load = sync.OnceValues(func() (*Finder, error) {
	modules, err := plugins.Modules()
	if err != nil {
		return nil, err
	}
	e, err := engine.New(context.Background(), engine.Config{})
	if err != nil {
		return nil, err
	}
	s, err := e.Load(context.Background(), modules[Scanner], engine.Options{})
	if err != nil {
		return nil, err
	}
	return New(s, []byte("a key of these tests"))
})

func TestReal(t *testing.T) {
	f, err := load()
	if err != nil {
		t.Skip(err)
	}
	for _, dir := range strings.Fields(os.Getenv("REAL")) {
		r, err := f.Artifact(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(dir, r.Files, r.Bytes, r.Unexamined, r.Bounded, len(r.Hits))
		for _, h := range r.Hits {
			fmt.Println("  ", h.Counts, h.Place, h.String(), h.Mark)
		}
	}
}

var _ = filepath.Join
var _ = cmp.Diff
var _ admission.Launch
var _ serverjson.Document
