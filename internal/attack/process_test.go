package attack

import (
	"runtime"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
)

// memory is a program's resident set and its peak so far, in bytes. Where the
// system does not tell, the test is skipped.
func memory(t testing.TB, p *doors.Process) (now, peak int64) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("memory of another process is read from /proc")
	}
	now, peak, err := p.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return now, peak
}
