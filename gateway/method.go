package gateway

import (
	"context"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// admitMethod denies what the protocol does not define for this era and
// direction, unless the approval names it as an extension.
type admitMethod struct{}

func (admitMethod) do(_ context.Context, x *exchange) *refusal {
	if x.msg.Kind == jsonrpc.Response || admitted(x, x.msg, protocol.ClientToServer) {
		return nil
	}
	return refuse(ReasonMethodDenied)
}

// admitted reports whether a request or notification may travel this way. What
// of tasks may is settled further by ownTask and foreignTask, and what those do
// not know here (another era's methods, a bridge) no approval lets pass: nobody
// would hold it against the owner of the task.
func admitted(x *exchange, m *jsonrpc.Message, way protocol.Direction) bool {
	switch {
	case isTask(m.Method) && way == protocol.ClientToServer:
		_, ok := taskMethodOf(x, m)
		return ok
	case isTask(m.Method):
		return tellsTask(x, m)
	}
	return x.svc.extensions[m.Method] || defined(x.era, m, way)
}

// defined reports whether the protocol has such a message, but for those of
// tasks.
func defined(era protocol.Era, m *jsonrpc.Message, way protocol.Direction) bool {
	method, ok := protocol.Lookup(m.Method)
	kind := protocol.Request
	if m.Kind == jsonrpc.Notification {
		kind = protocol.Notification
	}
	return ok && method.Kind == kind && method.In(era) &&
		(method.Direction == way || method.Direction == protocol.Both) && !isTask(m.Method)
}

func isTask(method string) bool {
	return strings.HasPrefix(method, "tasks/") || method == protocol.NotificationTasks || strings.HasPrefix(method, "notifications/tasks/")
}

// admitReply lets a reply pass only to a server request that this session is
// waiting to see answered.
type admitReply struct{}

func (admitReply) do(_ context.Context, x *exchange) *refusal {
	if x.msg.Kind != jsonrpc.Response {
		return nil
	}
	if x.replies = x.session.takeAsked(x.msg.ID); !x.replies {
		return refuse(ReasonReplyUnexpected)
	}
	return nil
}
