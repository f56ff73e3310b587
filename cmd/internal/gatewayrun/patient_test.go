package gatewayrun

import (
	"context"
	"errors"
	"testing"
	"time"
)

// hanging is a registry that takes questions and answers none.
type hanging struct{}

func (hanging) Snapshot(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hanging) Approval(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestPatience(t *testing.T) {
	p := patient{hanging{}, time.Millisecond}
	if _, err := p.Snapshot(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Snapshot: %v", err)
	}
	if _, err := p.Approval(t.Context(), "sha256:00"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Approval: %v", err)
	}
}

// TestNoGraceIsNone holds that an operator who allows no grace gets none, not
// the keeper's default.
func TestNoGraceIsNone(t *testing.T) {
	if got := keeperGrace(0); got >= 0 {
		t.Errorf("a grace of 0 becomes %v", got)
	}
	if got := keeperGrace(time.Minute); got != time.Minute {
		t.Errorf("a grace of 1m becomes %v", got)
	}
}
