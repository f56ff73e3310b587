package scanners

import (
	"context"
	"fmt"

	"github.com/bartizan-mcp/bartizan/engine"
)

// Embedded loads a scanner of this binary once more, as it was built: what the
// operator sets for traffic changes nothing in it. It is closed with the engine.
func (l *Loaded) Embedded(ctx context.Context, name string) (*engine.Scanner, error) {
	wasm, ok := l.embedded[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s is not in this binary", ErrLoad, name)
	}
	s, err := l.engine.Load(ctx, wasm, engine.Options{})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLoad, name, err)
	}
	return s, nil
}
