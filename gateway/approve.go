package gateway

import (
	"context"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// approve (step 4) finds the approval in force for the alias and holds the
// route's launch identity and binding against it.
type approve struct {
	routes     *routes
	unsafeRun  bool
	minBinding approval.Binding
}

func (s approve) do(_ context.Context, x *exchange) *refusal {
	svc, no := s.routes.resolve(x.alias, x.caller.Tenant)
	if no != nil {
		return no
	}
	x.svc = svc
	switch {
	case !svc.asApproved:
		return refuse(ReasonLaunchMismatch)
	case !svc.approval.Satisfies(s.minBinding), !svc.approval.Satisfies(svc.minimum):
		return refuse(ReasonBindingTooWeak)
	case svc.approval.Binding == approval.BindingArtifact && svc.target.Bind == nil:
		return refuse(ReasonArtifactUnavailable) // nothing here makes trees
	case svc.local && !s.unsafeRun && !fenced(svc.target):
		return refuse(ReasonUnsafeRun)
	case x.session != nil && x.session.instance != svc.instance:
		return refuse(ReasonSessionUnknown) // opened towards a server that this alias no longer means
	}
	var ok bool
	if x.spoken, ok = svc.eraFor(x.era); !ok {
		return unsupported(either(x.era == protocol.Modern, protocol.VersionModern, x.version), svc.versions())
	}
	if x.session != nil && x.session.spoken != x.spoken {
		return refuse(ReasonSessionUnknown) // another approval came into force; the client opens a new one
	}
	if (svc.ownsSessions() || x.bridged()) && x.era == protocol.Legacy && x.session == nil && x.msg != nil && x.msg.Method != protocol.MethodInitialize {
		return refuse(ReasonSessionRequired)
	}
	return nil
}
