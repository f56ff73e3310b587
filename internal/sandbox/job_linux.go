//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// Ids inside. The program is never root, not even of its own namespace.
const (
	insideUID = 1000
	insideGID = 1000
)

// job is what the first stage is told, over a socket: its command line would be
// the program's to read.
type job struct {
	Spec      jobSpec  `json:"spec"`
	Path      string   `json:"path"`
	Args      []string `json:"args"`
	Dir       string   `json:"dir"`
	Env       []string `json:"env"`
	SwitchID  bool     `json:"switchId"`  // the program gets ids of its own
	OnlyCheck bool     `json:"onlyCheck"` // everything but the program
}

type jobSpec struct {
	Binds    []Bind `json:"binds"`
	Files    []File `json:"files"`
	Home     string `json:"home"`
	Hostname string `json:"hostname"`
	Scratch  string `json:"scratch"`

	ScratchBytes int64    `json:"scratchBytes"`
	FileBytes    int64    `json:"fileBytes"`
	Process      [5]int64 `json:"process"`
}

func (s *Spec) job() jobSpec {
	p := s.Limits.Process
	return jobSpec{
		s.Binds, s.Files, s.Home, s.Hostname, s.Scratch, s.Limits.ScratchBytes, s.Limits.FileBytes,
		[5]int64{p.MemoryBytes, p.AddressBytes, int64(p.CPU), int64(p.Files), int64(p.Processes)},
	}
}

func (s *jobSpec) process() confine.Limits {
	p := s.Process
	return confine.Limits{MemoryBytes: p[0], AddressBytes: p[1], CPU: time.Duration(p[2]), Files: int(p[3]), Processes: int(p[4])}
}

// reserved are folders that the sandbox makes itself.
var reserved = []string{"/proc", "/dev", "/sys", "/etc", "/tmp"}

func (s *Spec) check() error {
	if !clean(s.Home) || s.Home == "/" || s.Scratch == "" || s.Hostname == "" {
		return fmt.Errorf("%w: home, scratch folder and host name are needed", ErrSpec)
	}
	for i, b := range s.Binds {
		if !clean(b.To) || b.To == "/" || !clean(b.From) {
			return fmt.Errorf("%w: %q is no clean absolute path", ErrSpec, b.To)
		}
		for _, r := range reserved {
			if within(b.To, r) && !(r == "/etc" && b.To != r) && !(r == "/tmp" && b.To != r) {
				return fmt.Errorf("%w: nothing can be put at %s", ErrSpec, b.To)
			}
		}
		if b.To == s.Home || within(s.Home, b.To) {
			return fmt.Errorf("%w: %s is the home folder or above it", ErrSpec, b.To)
		}
		// What stands inside another bind would need a mount point in the host's
		// own folder, and could lead through its links.
		for j, other := range s.Binds {
			if i != j && within(b.To, other.To) {
				return fmt.Errorf("%w: %s is inside %s", ErrSpec, b.To, other.To)
			}
		}
	}
	for _, f := range s.Files {
		if !clean(f.Path) || !within(f.Path, s.Home) && !within(f.Path, "/etc") {
			return fmt.Errorf("%w: the file %q is neither under the home folder nor under /etc", ErrSpec, f.Path)
		}
	}
	return nil
}

func clean(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && !strings.ContainsRune(p, 0)
}

// within reports that p is dir or lies under it.
func within(p, dir string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}
