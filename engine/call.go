package engine

import (
	"context"
	"errors"

	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// errGuest is an answer that breaks the ABI. Its text is the host's.
var errGuest = errors.New("broken ABI")

// call runs one encoded input and returns a copy of the encoded answer and the
// fuel that it took. When the caller's own context ends the failure is nil and
// the error is its cause: nothing is known about the scanner then.
func (s *Scanner) call(ctx context.Context, input []byte) (out []byte, fuel int64, failure *Failure, err error) {
	used, err := s.module.Call(ctx, input, func(answer []byte) error {
		out = append([]byte(nil), answer...)
		return nil
	})
	var fault *sandbox.Fault
	switch {
	case err == nil:
		return out, used.Fuel, nil, nil
	case errors.As(err, &fault):
		return nil, used.Fuel, &Failure{Scanner: s.manifest.Name, Kind: FailureKind(fault.Kind), Detail: fault.Detail}, nil
	case ctx.Err() != nil:
		return nil, used.Fuel, nil, err
	}
	// The host could not provide what a call needs: nothing was examined.
	return nil, used.Fuel, &Failure{Scanner: s.manifest.Name, Kind: FailureMemory, Detail: "no room on this machine for another instance"}, nil
}
