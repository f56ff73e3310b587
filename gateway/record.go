package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// recordIntent (step 8) makes it durable that a call is about to go upstream,
// unless the call was approved as read-only: what a crash leaves behind is an
// orphaned intent, never silence.
type recordIntent struct{ record *recorder }

func (s recordIntent) do(ctx context.Context, x *exchange) *refusal {
	acts := x.method.Name == protocol.MethodToolsCall || x.svc.extensions[x.msg.Method] || taskMethods[x.era][x.msg.Method].acts
	if x.msg.Kind != jsonrpc.Request || !acts || x.readOnly {
		return nil
	}
	if no := s.record.append(ctx, audit.CallIntent(callOf(x))); no != nil {
		return no
	}
	x.intended = true
	return nil
}

// recorder writes audit events. What it cannot write must not happen.
type recorder struct {
	log   *audit.Log
	slog  *slog.Logger
	now   func() time.Time
	stats *stats
}

// append makes an event durable, even when the client has already left.
func (r *recorder) append(ctx context.Context, e *audit.Event) *refusal {
	_, no := r.appendID(ctx, e)
	return no
}

func (r *recorder) appendID(ctx context.Context, e *audit.Event) (string, *refusal) {
	began := time.Now()
	id, err := r.log.Append(context.WithoutCancel(ctx), e)
	r.stats.wrote(began, err)
	if err != nil {
		return "", refuse(ReasonAudit).because(err)
	}
	return id, nil
}

// refused records a refusal and returns the audit id that the client is told,
// "" if nothing could be written. Refusals of nobody known go to the capped log.
func (r *recorder) refused(ctx context.Context, x *exchange, no *refusal, forwarded bool) string {
	if x.caller.Principal == "" {
		var denied *identity.DeniedError
		if errors.As(no.cause, &denied) {
			id, failed := r.appendID(ctx, audit.Refused(x.source, no.cause))
			r.complain(ctx, failed)
			return id
		}
		return r.log.Refusal(context.WithoutCancel(ctx), string(no.reason), x.source)
	}
	var e *audit.Event
	if x.intended || forwarded {
		e = audit.CallOutcome(callOf(x), audit.Outcome{
			Result: resultOf(no), Reason: string(no.reason), Rules: no.rules, Pointers: no.pointers,
			Verdict: x.verdict, Code: no.code(x.era), Elapsed: r.now().Sub(x.began),
		})
	} else {
		e = audit.CallRefused(callOf(x), audit.Refusal{
			Reason: string(no.reason), Rules: no.rules, Pointers: no.pointers, Verdict: x.verdict, Code: no.code(x.era),
		})
	}
	id, failed := r.appendID(ctx, e)
	r.complain(ctx, failed)
	return id
}

// complain tells the operator of a refusal that left no record: it stays a refusal.
func (r *recorder) complain(ctx context.Context, failed *refusal) {
	if failed != nil {
		r.slog.ErrorContext(ctx, "refusal could not be recorded", "cause", failed.cause)
	}
}

func resultOf(no *refusal) audit.Result {
	if meanings[no.reason].code == protocol.CodeBlocked {
		return audit.Blocked
	}
	return audit.Failed
}

// answered (step 11) makes the outcome durable before the client gets it.
func (r *recorder) answered(ctx context.Context, x *exchange, in *inbound) *refusal {
	if x.msg != nil && x.msg.Method == protocol.MethodPing {
		return nil
	}
	call := callOf(x)
	call.Method, call.Entry = in.method, in.entry
	if in.counts != nil {
		return r.append(ctx, audit.ListingServed(call, *in.counts))
	}
	outcome := audit.Outcome{
		Result: audit.Answered, Verdict: x.verdict, Code: in.errorCode(),
		Response: payloadOf(in.msg.Raw), Elapsed: r.now().Sub(x.began),
	}
	if in.redacted {
		outcome.Result, outcome.Reason = audit.Redacted, string(ReasonFinding)
		if x.verdict != nil {
			for _, f := range x.verdict.Findings {
				outcome.Rules = appendOnce(outcome.Rules, f.Rule)
				outcome.Pointers = appendOnce(outcome.Pointers, f.Pointer)
			}
		}
	}
	return r.append(ctx, audit.CallOutcome(call, outcome))
}

// unanswered records a call whose answer never came through this exchange.
func (r *recorder) unanswered(ctx context.Context, x *exchange, reason Reason) {
	x.ended = reason
	e := audit.CallOutcome(callOf(x), audit.Outcome{Result: audit.Unknown, Reason: string(reason), Verdict: x.verdict, Elapsed: r.now().Sub(x.began)})
	r.complain(ctx, r.append(ctx, e))
}

func callOf(x *exchange) audit.Call {
	c := audit.Call{
		Origin: audit.Origin{Caller: x.caller, Source: x.source},
		ID:     x.id, Method: x.methodName(), Alias: x.alias, Protocol: x.version, ReadOnly: x.readOnly,
	}
	if x.msg != nil {
		if x.payload.Digest == "" {
			x.payload = payloadOf(x.body)
		}
		c.Request = x.payload
	}
	if x.ref.Kind != 0 {
		c.Kind, c.Entry = x.ref.Kind.String(), x.ref.Key
	}
	if x.entry.State != 0 {
		c.Kind = x.entry.Kind.String()
	}
	if x.svc != nil {
		c.Server, c.Version, c.Approval = x.svc.approval.Server, x.svc.approval.Version, x.svc.approval.Digest
	}
	c.Method, c.Protocol, c.Entry = x.withoutCredential(c.Method, c.Protocol, c.Entry)
	return c
}

func payloadOf(b []byte) audit.Payload {
	sum := sha256.Sum256(b)
	return audit.Payload{Digest: "sha256:" + hex.EncodeToString(sum[:]), Bytes: int64(len(b))}
}
