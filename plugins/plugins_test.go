package plugins

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/fstest"
)

func TestModules(t *testing.T) {
	if _, err := modules(fstest.MapFS{"dist/.gitignore": {}}); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("fresh checkout: %v", err)
	}
	got, err := modules(fstest.MapFS{"dist/.gitignore": {}, "dist/a.wasm": {Data: []byte("A")}, "dist/b.wasm": {Data: []byte("B")}})
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, []string{"a", "b"}) || string(got["b"]) != "B" {
		t.Errorf("got %q", got)
	}
}
