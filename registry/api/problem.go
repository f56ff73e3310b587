package api

import (
	"context"
	"errors"
	"mime/multipart"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
)

// problem is an error that already is a problem document.
type problem registryapi.Problem

func (p *problem) Error() string { return p.Reason + ": " + p.Detail }

func refusal(status int, reason, detail string) error {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Reason: reason, Detail: detail}
}

// statuses of the domain's classes.
var statuses = []struct {
	class  error
	status int
}{
	{registry.ErrInvalid, http.StatusUnprocessableEntity},
	{registry.ErrForbidden, http.StatusForbidden},
	{registry.ErrNotFound, http.StatusNotFound},
	{registry.ErrConflict, http.StatusConflict},
	{registry.ErrUnavailable, http.StatusServiceUnavailable},
	{registry.ErrFull, http.StatusInsufficientStorage},
	{registry.ErrTooLarge, http.StatusRequestEntityTooLarge},
}

// problemOf translates an error, once. What is no refusal is a fault: its text
// goes to the log, not to the caller.
func (a *api) problemOf(ctx context.Context, err error) *problem {
	var p *problem
	var r *registry.Refusal
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &r):
		for _, s := range statuses {
			if errors.Is(r, s.class) {
				out := &problem{Type: "about:blank", Title: http.StatusText(s.status), Status: s.status, Reason: r.Reason, Detail: r.Detail, Blocking: r.Blocking}
				for _, f := range r.Problems {
					out.Problems = append(out.Problems, registryapi.FieldDetail{Pointer: f.Pointer, Message: f.Message})
				}
				return out
			}
		}
	case errors.As(err, &tooLarge), errors.Is(err, multipart.ErrMessageTooLarge):
		return refusal(http.StatusRequestEntityTooLarge, registry.RefusedTooLarge, "the request is larger than the limits").(*problem)
	case errors.Is(err, context.Canceled):
		return refusal(499, "client_gone", "the client went away").(*problem)
	case errors.Is(err, context.DeadlineExceeded):
		return refusal(http.StatusServiceUnavailable, "timeout", "the registry took too long").(*problem)
	}
	a.Logger.ErrorContext(ctx, "request failed", "error", err)
	return refusal(http.StatusInternalServerError, "internal", "the registry failed; the error is in its log").(*problem)
}

// officialKey marks a request whose errors are those of the official registry.
const officialKey = "official"

// official is the problem with the status that the official registry gives, and
// with the member that its OpenAPI document names.
func (p *problem) official() *problem {
	out := *p
	switch {
	case p.Status == http.StatusConflict, p.Reason == registry.RefusedStatus:
		out.Status, out.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
	}
	out.Message = out.Detail
	return &out
}

// fail writes the problem. Every path ends in an answer.
func (a *api) fail(c *gin.Context, err error) {
	if c.Writer.Written() {
		a.Logger.WarnContext(c.Request.Context(), "answer cut off", "route", c.FullPath(), "error", err)
		panic(http.ErrAbortHandler)
	}
	p := a.problemOf(c.Request.Context(), err)
	if c.GetBool(officialKey) {
		p = p.official()
	}
	b, err := json.Marshal((*registryapi.Problem)(p), json.Deterministic(true))
	if err != nil { // strings with broken UTF-8; never what the domain writes
		b = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"reason":"internal","detail":""}`)
		p.Status = http.StatusInternalServerError
	}
	c.Abort()
	c.Header("Content-Type", registryapi.MediaProblem)
	c.Status(p.Status)
	c.Writer.Write(b)
}
