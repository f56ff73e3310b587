package gatewayrun

import (
	"context"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

// patience bounds one question to the registry. One that accepts connections
// and says nothing must not keep a gateway from starting with what it has on
// disk, nor from asking again.
const patience = 10 * time.Second

// patient is a Source whose every answer comes in time or not at all.
type patient struct {
	approval.Source
	wait time.Duration
}

// Snapshot implements approval.Source.
func (p patient) Snapshot(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	return p.Source.Snapshot(ctx)
}

// Approval implements approval.Source.
func (p patient) Approval(ctx context.Context, digest string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	return p.Source.Approval(ctx, digest)
}
