package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestDamagedCode holds that native code which was damaged on disk is noticed,
// not executed, and made anew.
func TestDamagedCode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	r, err := New(Config{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	files := func() []string {
		names, err := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		return names
	}
	damage := map[string]func(code []byte) []byte{
		"a bit":   func(code []byte) []byte { code[len(code)/2] ^= 1; return code },
		"the end": func(code []byte) []byte { return code[:len(code)/2] },
		"all":     func([]byte) []byte { return nil },
		"nothing": func(code []byte) []byte { return code },
	}
	for _, name := range []string{"a bit", "the end", "all", "nothing"} {
		m := load(t, r, echo, Options{})
		file := files()[0]
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, damage[name](code), 0o600); err != nil {
			t.Fatal(err)
		}
		again := load(t, r, echo, Options{})
		if got, _ := answer(t, again, "text"); got != "text" || again.hit != (name == "nothing") {
			t.Errorf("%s: %q, hit %t", name, got, again.hit)
		}
		_ = m.Close(t.Context())
		_ = again.Close(t.Context())
	}
}
