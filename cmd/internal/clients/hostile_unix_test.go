//go:build unix

package clients

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestHostileFiles (attack row 53): what lies where a client's configuration is
// expected may be anything. It is refused with a reason, at once and unread, and
// stays as it was.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(at("fifo"), 0o600))
	must(os.Symlink(at("fifo"), at("link-to-fifo")))
	must(os.Symlink(at("b"), at("a")))
	must(os.Symlink(at("a"), at("b")))
	must(os.Symlink(at("self"), at("self")))
	must(os.Symlink(at("nowhere"), at("dangling")))
	must(os.Symlink("/dev/zero", at("endless")))
	huge, err := os.Create(at("huge"))
	must(err)
	must(huge.Truncate(1 << 30))
	must(huge.Close())
	must(os.WriteFile(at("file"), []byte("{}"), 0o600))
	for _, name := range []string{"fifo", "link-to-fifo", "a", "self", "self/config.json", "dangling", "endless", "huge", "file/config.json"} {
		if p, err := find(t, "cursor").Plan(Request{File: at(name), Name: "bartizan", Gateway: gateway}); err == nil {
			t.Errorf("%s: %d bytes were read", name, len(p.Before))
		}
	}
	if b := read(t, at("file")); !bytes.Equal(b, []byte("{}")) {
		t.Errorf("%q", b)
	}
}
