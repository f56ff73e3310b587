package engine

import (
	"context"
	"errors"

	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// errGuest is an answer that breaks the ABI. Its text is the host's.
var errGuest = errors.New("broken ABI")

// call runs one encoded input and reads the answer, of which nothing is kept
// that is not copied. When the caller's own context ends the failure is nil and
// the error is its cause: nothing is known about the scanner then.
func (s *Scanner) call(ctx context.Context, input []byte, batch []window) (a answer, fuel int64, failure *Failure, err error) {
	used, err := s.module.Call(ctx, input, func(b []byte) (err error) {
		a, err = s.parseAnswer(b, batch)
		return err
	})
	var fault *sandbox.Fault
	switch {
	case err == nil:
		return a, used.Fuel, nil, nil
	case errors.Is(err, errGuest):
		failure = &Failure{Scanner: s.manifest.Name, Kind: FailureOutput, Detail: err.Error()}
	case errors.As(err, &fault):
		failure = &Failure{Scanner: s.manifest.Name, Kind: FailureKind(fault.Kind), Detail: fault.Detail}
	case ctx.Err() != nil:
		return answer{}, used.Fuel, nil, err
	default: // nothing was examined
		failure = &Failure{Scanner: s.manifest.Name, Kind: FailureMemory, Detail: "this machine has no room for another instance"}
	}
	return answer{}, used.Fuel, failure, nil
}
