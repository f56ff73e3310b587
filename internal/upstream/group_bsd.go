//go:build unix && !linux

package upstream

import (
	"os/exec"
	"syscall"
)

func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the process, then kills what is left of its group.
func reap(cmd *exec.Cmd, kill func()) {
	_ = cmd.Wait() // the verdict is in ProcessState
	kill()
}
