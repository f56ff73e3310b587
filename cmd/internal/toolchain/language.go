package toolchain

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// language is how a language is compiled where its author says nothing else.
type language struct {
	programs []string // any of them will do, the first is the usual name
	override string   // environment variable that names another
	ask      []string // arguments that make it print its version
	least    string   // oldest version that will do
	install  string   // how to get it
	recipe   func(j Job, program, tmp string) step
	// explained are failures whose cause is the installation, by what is printed.
	explained []explanation
}

type explanation struct{ sign, cure string }

var languages = map[string]language{
	"go": {
		programs: []string{"go"}, override: "GO", ask: []string{"version"}, least: "1.24",
		install: "install Go 1.24 or later (Debian: apt install golang)",
		recipe:  goModule,
	},
}

// Languages are those that have a command of their own.
func Languages() []string { return slices.Sorted(maps.Keys(languages)) }

// goModule compiles with every input fixed that would otherwise leak into the
// module: paths, version control, link ids, the caller's flags.
func goModule(_ Job, program, tmp string) step {
	out := filepath.Join(tmp, "scanner.wasm")
	return step{
		words: []string{program, "build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w -buildid=", "-o", out, "."},
		env:   []string{"GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "CGO_ENABLED=0"}, module: out,
	}
}

// step finds the language's program and returns its command.
func (l language) step(ctx context.Context, j Job, tmp string) (step, error) {
	program, err := l.find()
	if err != nil {
		return step{}, err
	}
	if err := l.recent(ctx, program); err != nil {
		return step{}, err
	}
	return l.recipe(j, program, tmp), nil
}

func (l language) find() (string, error) {
	names := l.programs
	if named := os.Getenv(l.override); l.override != "" && named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", l.missing(names[0])
}

func (l language) missing(program string) error {
	return fmt.Errorf("%w: there is no %s here: %s", ErrMissing, program, l.install)
}

func (l language) has(program string) bool {
	return slices.Contains(l.programs, filepath.Base(program))
}

var versionForm = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// recent refuses a program that says it is too old. One that says nothing that
// can be read may try.
func (l language) recent(ctx context.Context, program string) error {
	out, err := exec.CommandContext(ctx, program, l.ask...).Output()
	if err != nil {
		return fmt.Errorf("%w: %s %s: %w", ErrMissing, program, strings.Join(l.ask, " "), err)
	}
	if has := versionForm.FindString(string(out)); has != "" && older(has, l.least) {
		return fmt.Errorf("%w: %s is version %s: %s", ErrMissing, program, has, l.install)
	}
	return nil
}

// older compares versions number by number.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i]) // digits, or too many of them
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return false
}
