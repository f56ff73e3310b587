//go:build unix

package upstream

import (
	"io/fs"
	"os"
	"syscall"
)

func askGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }

func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // gone already is fine
}

func executable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }
