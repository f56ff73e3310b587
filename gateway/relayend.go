package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/demux"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/gateway/trees"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// passed are statuses of an upstream's error answer that mean the same to the
// client. 401 and 403 would be taken for the gateway's own.
var passed = []int{
	http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
	http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity,
}

// relayRefusal relays an error answer that came with an HTTP error status.
func (r *relay) relayRefusal(ctx context.Context, ans answers, h head) {
	if slices.Contains(passed, h.status) {
		if ev, err := ans.next(ctx); err == nil {
			m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
			if err == nil && m.Kind == jsonrpc.Response && m.Error != nil && (string(m.ID) == "null" || idKey(m.ID) == idKey(r.x.msg.ID)) {
				h.stream = false
				r.finish(ctx, m, upstream.Event{}, h)
				return
			}
		}
	}
	r.end(ctx, r.refusedWith(h.status), true)
}

// refusedWith is what an upstream's bare error status means.
func (r *relay) refusedWith(status int) *refusal {
	if status == http.StatusNotFound && r.x.session != nil && r.x.session.upstream != "" {
		r.g.sessions.remove(r.x.session)
		return refuse(ReasonSessionUnknown)
	}
	return refuse(ReasonUpstreamRefused)
}

// stopped handles the end of an answer without a response.
func (r *relay) stopped(ctx context.Context, err error, h head) {
	switch {
	case errors.Is(err, bridge.ErrCancelled):
		r.left(ctx)
		r.out.begin()
	case errors.Is(err, io.EOF) && (r.resumable || r.announced):
		// The upstream closed the stream and will go on when the client
		// resumes it, or opens the stream of the session where no event has an
		// id (2025-11-25, SSE polling).
		r.g.record.unanswered(ctx, r.x, ReasonUpstreamGone)
		r.out.begin()
	case errors.Is(err, io.EOF):
		if h.stream && r.x.session != nil {
			r.out.begin() // as the upstream did: its status was 200, and the session goes on
		}
		r.end(ctx, refuse(ReasonUpstreamGone), true)
	default:
		if no := r.failure(ctx, err); no != nil {
			r.end(ctx, no, true)
		} else {
			r.left(ctx)
		}
	}
}

// left records that the client went away before the answer.
func (r *relay) left(ctx context.Context) {
	r.g.record.unanswered(ctx, r.x, ReasonClientGone)
}

// failure turns an error of the conversation into a refusal; nil when it was
// the client who left.
func (r *relay) failure(ctx context.Context, err error) *refusal {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errSilent) || errors.Is(cause, errTooLong):
		return refuse(ReasonUpstreamTimeout).because(cause)
	case errors.Is(cause, errKeyRevoked):
		no := refuse(ReasonUnauthenticated).because(cause)
		no.badToken = true
		return no
	case errors.Is(cause, errWithdrawn):
		return refuse(ReasonNotApproved).because(cause)
	case errors.Is(cause, errStopping):
		return refuse(ReasonShuttingDown)
	case cause != nil:
		return nil
	}
	no := refuse(reasonOf(err)).because(err)
	if r.asked && no.reason == ReasonUpstreamDown {
		no.reason = ReasonUpstreamGone
	}
	return no
}

func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, bridge.ErrParams):
		return ReasonInvalidParams
	case errors.Is(err, bridge.ErrState):
		return ReasonStateForeign
	case errors.Is(err, bridge.ErrForgotten):
		return ReasonUpstreamGone
	case errors.Is(err, bridge.ErrSessions):
		return ReasonSessionsExceeded
	case errors.Is(err, bridge.ErrFull):
		return ReasonTooManyRequests
	case errors.Is(err, bridge.ErrIDInUse):
		return ReasonIDInUse
	case errors.Is(err, trees.ErrChanged):
		return ReasonArtifactChanged
	case errors.Is(err, trees.ErrUnavailable):
		return ReasonArtifactUnavailable
	case errors.Is(err, errRuntime):
		return ReasonRuntimeChanged
	case errors.Is(err, upstream.ErrPin):
		return ReasonPinMismatch
	case errors.Is(err, upstream.ErrStatus):
		return ReasonUpstreamRefused
	case errors.Is(err, stdio.ErrBusy):
		return ReasonUpstreamBusy
	case errors.Is(err, demux.ErrIDInUse):
		return ReasonIDInUse
	case errors.Is(err, upstream.ErrTooLarge), errors.Is(err, demux.ErrOverflow):
		return ReasonUpstreamTooLarge
	case errors.Is(err, upstream.ErrProtocol), errors.Is(err, upstream.ErrRedirect):
		return ReasonUpstreamProtocol
	case errors.Is(err, context.DeadlineExceeded):
		return ReasonUpstreamTimeout
	case errors.Is(err, demux.ErrGone), errors.Is(err, upstream.ErrClosed), errors.Is(err, io.ErrUnexpectedEOF), wasReached(err):
		return ReasonUpstreamGone
	case errors.Is(err, audit.ErrUnavailable):
		return ReasonAudit
	}
	return ReasonUpstreamDown
}

// wasReached reports whether a connection broke that had been made: the server
// may have acted on what it was sent.
func wasReached(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.As(err, &op) && op.Op != "dial"
}

// end refuses: on record first, then to the client. forwarded says that the
// message may have reached the upstream.
func (r *relay) end(ctx context.Context, no *refusal, forwarded bool) {
	if no != nil && no.reason == ReasonClientGone {
		no = r.failure(ctx, no.cause)
	}
	if no == nil {
		r.left(ctx)
		return
	}
	if r.x.session != nil && r.x.msg.Method == protocol.MethodInitialize {
		r.g.sessions.remove(r.x.session)
		r.out.naming = false
	}
	r.g.answerRefusal(ctx, r.x, r.out, no, forwarded)
}

// answerRefusal records a refusal and tells the client.
func (g *Gateway) answerRefusal(ctx context.Context, x *exchange, out *responder, no *refusal, forwarded bool) {
	g.logRefusal(ctx, no)
	out.refused = no
	x.ended, x.told = no.reason, no.code(x.era)
	id := g.record.refused(ctx, x, no, forwarded)
	var raw []byte
	if x.msg != nil && x.msg.Kind == jsonrpc.Request {
		raw = no.message(x.msg.ID, x.era, id)
	} else {
		raw = no.message(nil, x.era, id)
	}
	no.challenge(out.w.Header(), g.cfg.ResourceMetadata)
	out.refuse(no.status(x.era, g.cfg.BlockStatus), raw)
}
