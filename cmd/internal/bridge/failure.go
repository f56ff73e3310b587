package bridge

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

var (
	errUnreachable = errors.New("the gateway cannot be reached")
	errGone        = errors.New("the connection to the gateway ended before the answer; the request may have been carried out")
	errBroken      = errors.New("the gateway's answer breaks the protocol")
	errVersion     = errors.New("the gateway's server has changed its protocol version; start the client anew")
)

// answeredError is an error answer to a request of the bridge's own, which is
// passed on to the client.
type answeredError struct{ m *jsonrpc.Message }

func (answeredError) Error() string { return "the gateway refused to go on" }

// failure is the error response for a request without an answer. It holds
// words of the bridge only.
func failure(id jsontext.Value, err error) []byte {
	var data struct {
		Status int `json:"status,omitzero"`
	}
	var refused answeredError
	if errors.As(err, &refused) {
		if m, err := withID(refused.m, id); err == nil {
			return m.Raw
		}
	}
	message := "the request to the gateway failed"
	var status upstream.StatusError
	switch {
	case errors.As(err, &status):
		data.Status = int(status)
		message = "the gateway answered with HTTP status " + statusText(int(status))
	default:
		for _, known := range []error{errUnreachable, errGone, errBroken, errVersion, upstream.ErrTooLarge, upstream.ErrRedirect, upstream.ErrProtocol} {
			if errors.Is(err, known) {
				message = known.Error()
				break
			}
		}
	}
	if data.Status == 0 {
		return jsonrpc.NewError(id, codeInternalError, message, nil)
	}
	return jsonrpc.NewError(id, codeInternalError, message, data)
}

func statusText(status int) string {
	known := http.StatusText(status)
	if known == "" {
		known = "unknown"
	}
	return known
}

// post sends a message. A gateway that does not accept the connection has not
// seen the message: it is tried again while patience lasts, so that a restart
// is not noticed.
func (b *bridge) post(ctx context.Context, raw []byte, h http.Header, timeout time.Duration) (*upstream.Stream, error) {
	var wait backoff
	for began := time.Now(); ; {
		stream, err := upstream.Post(ctx, b.target, raw, h, b.limits(timeout))
		switch {
		case err == nil:
			return stream, nil
		case ctx.Err() != nil || toldWhy(err):
			return nil, err
		case !undialled(err):
			return nil, errors.Join(errGone, err)
		}
		if time.Since(began) >= b.Patience {
			return nil, errors.Join(errUnreachable, err)
		}
		if wait.next == 0 {
			b.Log.Warn("the gateway cannot be reached; trying again", "cause", err)
		}
		if err := wait.sleep(ctx, 0); err != nil {
			return nil, err
		}
	}
}

// toldWhy reports an error that says more than that the connection failed.
func toldWhy(err error) bool {
	for _, known := range []error{upstream.ErrRedirect, upstream.ErrTooLarge, upstream.ErrProtocol, upstream.ErrTarget} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

func undialled(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// backoff doubles the time between attempts.
type backoff struct{ next time.Duration }

// sleep waits, at least for what the server asked for.
func (w *backoff) sleep(ctx context.Context, atLeast time.Duration) error {
	if w.next == 0 {
		w.next = firstRetry
	}
	timer := time.NewTimer(max(w.next, min(atLeast, time.Minute)))
	defer timer.Stop()
	w.next = min(2*w.next, maxRetry)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
