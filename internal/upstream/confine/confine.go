// Package confine starts a program under resource limits that the kernel keeps.
//
// A limit that is set once the program runs comes too late for what it forked
// before; Go can run nothing between fork and exec. So this program is started
// again in the program's place: it limits itself, tells of a failure through a
// pipe that closes when exec succeeds, and becomes the program. Standard
// streams, working folder and environment are the program's own from the start.
// The package must not know what is started or why.
package confine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrExec is a program that could not be limited or executed.
var ErrExec = errors.New("cannot start the program")

// Limits are what one process may use, and each of its descendants for itself.
// Zero fields mean Default's, negative ones no limit. Core dumps are off always.
type Limits struct {
	MemoryBytes  int64         // private writable memory (RLIMIT_DATA)
	AddressBytes int64         // address space, reserved or used (RLIMIT_AS)
	CPU          time.Duration // processor time of a whole life (RLIMIT_CPU)
	Files        int           // open at once (RLIMIT_NOFILE)
	Processes    int           // threads beside those that the user runs at the start (RLIMIT_NPROC)
}

// Default are limits that interpreters of common servers live well within.
// Address space is generous, since garbage collectors reserve much and use
// little; processor time has no limit, since a server lives long.
var Default = Limits{MemoryBytes: 2 << 30, AddressBytes: 64 << 30, CPU: -1, Files: 1024, Processes: 256}

func (l Limits) withDefaults() Limits {
	orDefault(&l.MemoryBytes, Default.MemoryBytes)
	orDefault(&l.AddressBytes, Default.AddressBytes)
	orDefault(&l.CPU, Default.CPU)
	orDefault(&l.Files, Default.Files)
	orDefault(&l.Processes, Default.Processes)
	return l
}

func orDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Start starts a command under limits and returns when its program runs. After
// an error nothing runs. patience bounds the wait.
func Start(cmd *exec.Cmd, l Limits, patience time.Duration) error {
	if !supported {
		return cmd.Start()
	}
	report, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	cmd.Args = append([]string{childName, l.withDefaults().encode(os.Getpid()), cmd.Path}, cmd.Args...)
	cmd.Path = self
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	_ = report.SetReadDeadline(time.Now().Add(patience))
	said, err := io.ReadAll(io.LimitReader(report, 512))
	switch {
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrExec, err)
	case len(said) > 0:
		err = fmt.Errorf("%w: %s", ErrExec, strings.ToValidUTF8(string(said), ""))
	default:
		return nil
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it said all that it had to say
	return err
}

func (l Limits) encode(parent int) string {
	return fmt.Sprintf("%d %d %d %d %d %d", parent, l.MemoryBytes, l.AddressBytes, l.CPU, l.Files, l.Processes)
}

func decode(job string) (l Limits, parent int, err error) {
	_, err = fmt.Sscanf(job, "%d %d %d %d %d %d", &parent, &l.MemoryBytes, &l.AddressBytes, &l.CPU, &l.Files, &l.Processes)
	return l, parent, err
}
