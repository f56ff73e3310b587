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
