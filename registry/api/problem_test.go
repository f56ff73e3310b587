package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/registry"
)

func TestProblems(t *testing.T) {
	a := &api{Config: Config{Logger: slog.New(slog.DiscardHandler)}}
	for _, tc := range []struct {
		err    error
		status int
		reason string
	}{
		{&registry.Refusal{Class: registry.ErrInvalid, Reason: registry.RefusedListing}, 422, "invalid_listing"},
		{&registry.Refusal{Class: registry.ErrForbidden, Reason: registry.RefusedSelf}, 403, "self_approval"},
		{&registry.Refusal{Class: registry.ErrNotFound, Reason: registry.RefusedUnknown}, 404, "not_found"},
		{&registry.Refusal{Class: registry.ErrConflict, Reason: registry.RefusedStale}, 409, "stale_subject"},
		{&registry.Refusal{Class: registry.ErrUnavailable, Reason: registry.RefusedAudit}, 503, "audit_unavailable"},
		{&registry.Refusal{Class: registry.ErrFull, Reason: registry.RefusedFull}, 507, "storage_full"},
		{&registry.Refusal{Class: registry.ErrTooLarge, Reason: registry.RefusedTooLarge}, 413, "too_large"},
		{fmt.Errorf("wrapped: %w", &registry.Refusal{Class: registry.ErrFull, Reason: registry.RefusedFull}), 507, "storage_full"},
		{&http.MaxBytesError{Limit: 1}, 413, "too_large"},
		{errors.New("/var/lib/secret: permission denied"), 500, "internal"},
	} {
		p := a.problemOf(t.Context(), tc.err)
		if p.Status != tc.status || p.Reason != tc.reason {
			t.Errorf("%v: %d %s", tc.err, p.Status, p.Reason)
		}
		if strings.Contains(p.Detail, "secret") {
			t.Errorf("a fault's text reaches the caller: %s", p.Detail)
		}
	}
}
