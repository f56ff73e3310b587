// Package toolchain turns a folder of source into a WebAssembly module with the
// compiler that is installed here, and says in a sentence what to install where
// there is none. It knows languages and their commands; it must not know what a
// scanner is.
package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

var (
	// ErrMissing: a program that is needed is not installed, or too old. The
	// text says which, and how to get it.
	ErrMissing = errors.New("toolchain")
	// ErrFailed: the program ran and said no. It told why in the log.
	ErrFailed = errors.New("build failed")
)

// Job is what to build.
type Job struct {
	Dir      string   // where the command runs
	Name     string   // of the scanner: names the module where a language asks for one
	Language string   // picks the command; "" wants Command
	Command  []string // instead of the language's
	Module   string   // what Command writes, relative to Dir
	Check    []string // fails where the compiler is absent, and says what to install
}

// MaxModule is the largest module that is read.
const MaxModule = 64 << 20

// Build runs the command and returns the module. What the toolchain says goes
// to log.
func Build(ctx context.Context, j Job, log io.Writer) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "bartizan-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	l, known := languages[j.Language]
	switch {
	case j.Language != "" && !known:
		return nil, fmt.Errorf("%w: language %q: one of %s, or a command", ErrMissing, j.Language, strings.Join(Languages(), ", "))
	case j.Language == "" && len(j.Command) == 0:
		return nil, fmt.Errorf("%w: neither a language nor a command", ErrMissing)
	}
	s := step{words: j.Command, module: filepath.Join(j.Dir, filepath.FromSlash(j.Module))}
	if len(s.words) == 0 {
		if s, err = l.step(ctx, j, tmp); err != nil {
			return nil, err
		}
	} else if err := j.check(ctx); err != nil {
		return nil, err
	}
	if err := s.run(ctx, j.Dir, l, log); err != nil {
		return nil, err
	}
	return read(s.module)
}

// step is one command and the file that it writes.
type step struct {
	words  []string
	env    []string
	module string
}

func (s step) run(ctx context.Context, dir string, l language, log io.Writer) error {
	var said tail
	cmd := exec.CommandContext(ctx, s.words[0], s.words[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout = io.MultiWriter(log, &said)
	cmd.Stderr = cmd.Stdout // one pipe: log need not be safe for two
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, e := range l.explained {
		if bytes.Contains(said.b, []byte(e.sign)) {
			return fmt.Errorf("%w: %s", ErrMissing, e.cure)
		}
	}
	return fmt.Errorf("%w: %s: %w", ErrFailed, strings.Join(s.words, " "), err)
}

// check finds out whether the job's own command can do anything here.
func (j Job) check(ctx context.Context) error {
	if err := present(j.Command[0], j.Dir); err != nil || len(j.Check) == 0 {
		return err
	}
	if err := present(j.Check[0], j.Dir); err != nil {
		return err
	}
	var said tail
	cmd := exec.CommandContext(ctx, j.Check[0], j.Check[1:]...)
	cmd.Dir, cmd.Stderr = j.Dir, &said
	err := cmd.Run()
	if err == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if text := advice(string(said.b)); text != "" {
		return fmt.Errorf("%w: %s", ErrMissing, text)
	}
	return fmt.Errorf("%w: %s: %w", ErrMissing, strings.Join(j.Check, " "), err)
}

// advice is what a check says, without what make says of its own failing.
func advice(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "make: ***") })
	return strings.Join(lines, "\n")
}

// present tells whether a program is installed: one of the folder itself, or
// one in PATH.
func present(program, dir string) error {
	name := program
	if filepath.Base(name) != name && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	if _, err := exec.LookPath(name); err == nil {
		return nil
	}
	for _, l := range languages {
		if l.has(program) {
			return l.missing(program)
		}
	}
	return fmt.Errorf("%w: there is no program %q here", ErrMissing, program)
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: the command ended well and wrote no %s", ErrFailed, name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxModule+1))
	if err == nil && len(b) > MaxModule {
		err = fmt.Errorf("%w: %s has more than %d bytes", ErrFailed, name, MaxModule)
	}
	return b, err
}

// tail keeps the end of what a program says.
type tail struct{ b []byte }

const maxTail = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - maxTail; over > 0 {
		t.b = t.b[over:]
	}
	return len(p), nil
}
