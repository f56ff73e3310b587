//go:build !portable

package sandbox

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestWhatTheKernelTells holds that a kernel which offers the calls and does not
// keep the accounts is not believed: gVisor counts no faults, and an account of
// zeros would say that nothing was ever written.
func TestWhatTheKernelTells(t *testing.T) {
	for name, count := range map[string]func() int64{
		"always 0":   func() int64 { return 0 },
		"no call":    func() int64 { return -1 },
		"backwards":  func() func() int64 { n := int64(9); return func() int64 { n--; return n } }(),
		"once alone": func() func() int64 { n := int64(0); return func() int64 { n++; return min(n, 2) } }(),
	} {
		if counting(count) {
			t.Errorf("%s: taken for a count of faults", name)
		}
	}
	for _, file := range []string{"/dev/zero", "/dev/null", "/proc/self/maps"} {
		fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Skip(err)
		}
		if telling(fd) {
			t.Errorf("%s: taken for an account of pages", file)
		}
		_ = unix.Close(fd)
	}
	t.Logf("faults counted: %t, pages told: %t", countsFaults(), pagemap() >= 0)
}
