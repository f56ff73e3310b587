package house

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSourceOnly holds that no build product is under version control: every
// file is small, and none is an executable of any system or a Wasm module.
func TestSourceOnly(t *testing.T) {
	top := root(t)
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("not a checkout: %v", err)
	}
	const largest = 512 << 10
	magics := []string{"\x7fELF", "MZ\x90", "\xcf\xfa\xed\xfe", "\x00asm", "!<arch>"}
	for name := range bytes.SplitSeq(bytes.TrimRight(out, "\x00"), []byte{0}) {
		b, err := os.ReadFile(filepath.Join(top, string(name)))
		if err != nil {
			continue // removed and not committed yet
		}
		if len(b) > largest {
			t.Errorf("%s has %d bytes", name, len(b))
		}
		for _, magic := range magics {
			if bytes.HasPrefix(b, []byte(magic)) {
				t.Errorf("%s is a build product", name)
			}
		}
	}
}
