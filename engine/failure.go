package engine

import (
	"errors"
	"fmt"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/engine/compile"
)

// refusal gives an error of admission the sentinel of this package.
func refusal(err error) error {
	switch {
	case errors.Is(err, admit.ErrCost), errors.Is(err, compile.ErrLimits):
		return fmt.Errorf("%w: %w", ErrLimits, err)
	case errors.Is(err, admit.ErrMalformed), errors.Is(err, admit.ErrInvalid), errors.Is(err, admit.ErrUnsupported),
		errors.Is(err, compile.ErrModule):
		return fmt.Errorf("%w: %w", ErrModule, err)
	}
	return err
}
