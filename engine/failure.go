package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"
)

// failure names what went wrong in a call. Every text is the host's own: an
// error of the runtime carries function names that the guest chose.
func (s *Scanner) failure(ctx context.Context, memory *memoryCap, err error) *Failure {
	f := &Failure{Scanner: s.manifest.Name}
	var exit *sys.ExitError
	trap := trapText(err)
	switch {
	case errors.Is(context.Cause(ctx), errDeadline):
		f.Kind, f.Detail = FailureDeadline, fmt.Sprintf("no answer within %s", s.opts.Limits.Deadline)
	case memory.refused && !errors.Is(err, errGuest):
		f.Kind, f.Detail = FailureMemory, fmt.Sprintf("wanted more than %d bytes of memory", memory.cap)
	case trap == "stack overflow":
		f.Kind, f.Detail = FailureDepth, trap
	case errors.Is(err, errGuest):
		f.Kind, f.Detail = FailureOutput, err.Error()
	case errors.As(err, &exit):
		f.Kind, f.Detail = FailureTrap, fmt.Sprintf("exited with status %d", exit.ExitCode())
	default:
		f.Kind, f.Detail = FailureTrap, trap
	}
	return f
}

// traps are the texts of wazero's runtime errors, which it does not export.
var traps = []string{
	"stack overflow", "unreachable", "out of bounds memory access", "invalid table access",
	"indirect call type mismatch", "integer divide by zero", "integer overflow",
	"invalid conversion to integer", "unaligned atomic", "expected shared memory", "too many waiters",
	errPanic.Error(),
}

// trapText returns the runtime error inside err, of a closed list.
func trapText(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	text := strings.TrimPrefix(err.Error(), "wasm error: ")
	for _, known := range traps {
		if text == known {
			return known
		}
	}
	return "trap"
}
