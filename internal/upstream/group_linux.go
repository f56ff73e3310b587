package upstream

import (
	"os/exec"
	"syscall"
)

func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the process and calls kill between its exit and its reaping,
// while the group id cannot be anyone else's.
func reap(cmd *exec.Cmd, kill func()) {
	const idIsPID, exited, noWait = 1, 0x4, 0x01000000 // P_PID, WEXITED, WNOWAIT
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idIsPID, uintptr(cmd.Process.Pid), 0, exited|noWait, 0, 0)
		if errno != syscall.EINTR {
			break
		}
	}
	kill()
	_ = cmd.Wait() // the verdict is in ProcessState
}
