// Package confine starts a program under resource limits that the kernel keeps,
// and behind a fence around folders that it must not open or change.
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
	"path/filepath"
	"strconv"
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

// Job is how a command is started.
type Job struct {
	Limits Limits
	Fence  Fence
	// Program is what is executed, whatever has the name cmd.Path by then; a
	// native executable, for a script would be read by its name. Nil goes by name.
	Program *os.File
}

// Start starts a command and returns when its program runs. After an error
// nothing runs. patience bounds the wait.
func Start(cmd *exec.Cmd, j Job, patience time.Duration) error {
	if !j.Fence.empty() && !Fences() {
		return fmt.Errorf("%w: %w", ErrExec, ErrFence)
	}
	if !supported {
		return cmd.Start()
	}
	job, err := j.encode(os.Getpid())
	if err != nil {
		return err
	}
	report, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	cmd.ExtraFiles = []*os.File{theirs}
	if j.Program != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, j.Program)
		cmd.Path = programFD
	}
	cmd.Args = append([]string{childName, job, cmd.Path}, cmd.Args...)
	cmd.Path = self
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

// encode writes a job as lines: numbers first, then the fence, quoted.
func (j Job) encode(parent int) (string, error) {
	l := j.Limits.withDefaults()
	var b strings.Builder
	fmt.Fprintf(&b, "%d %d %d %d %d %d\n", parent, l.MemoryBytes, l.AddressBytes, l.CPU, l.Files, l.Processes)
	for what, paths := range map[string][]string{wordClosed: j.Fence.Closed, wordReadable: j.Fence.Readable} {
		for _, p := range paths {
			real, err := filepath.EvalSymlinks(p)
			if err != nil {
				return "", fmt.Errorf("%w: %w", ErrExec, err)
			}
			if real, err = filepath.Abs(real); err != nil {
				return "", fmt.Errorf("%w: %w", ErrExec, err)
			}
			fmt.Fprintf(&b, "%s %q\n", what, real)
		}
	}
	return b.String(), nil
}

const (
	wordClosed   = "closed"
	wordReadable = "readable"
)

func decode(job string) (j Job, parent int, err error) {
	numbers, rest, _ := strings.Cut(job, "\n")
	l := &j.Limits
	if _, err = fmt.Sscanf(numbers, "%d %d %d %d %d %d", &parent, &l.MemoryBytes, &l.AddressBytes, &l.CPU, &l.Files, &l.Processes); err != nil {
		return j, parent, err
	}
	for line := range strings.Lines(rest) {
		what, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		path, err := strconv.Unquote(quoted)
		switch {
		case err != nil:
			return j, parent, err
		case what == wordClosed:
			j.Fence.Closed = append(j.Fence.Closed, path)
		case what == wordReadable:
			j.Fence.Readable = append(j.Fence.Readable, path)
		default:
			return j, parent, fmt.Errorf("unknown line")
		}
	}
	return j, parent, nil
}
