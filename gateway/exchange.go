package gateway

import (
	"net/http"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/trace"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// exchange is one client message on its way, and what each step learned about
// it. It is owned by one goroutine.
type exchange struct {
	// From the connection.
	began   time.Time
	arrived time.Time // by the clock that durations are measured with; zero on behalf of another exchange
	id      string    // audit id that all events of this exchange share
	source  string    // remote address
	header  http.Header
	alias   string
	body    []byte

	payload audit.Payload // of body, once a record needed it

	caller identity.Caller // authenticate
	known  bool            // the caller was found a moment ago, for the request that this is made of
	joined bool            // the session was found a moment ago, too; another can be opened
	lost   bool            // pass: it has ended since, and nothing was forwarded or answered
	leaks  bool            // authenticate: the caller's key is in what could travel

	msg     *jsonrpc.Message // parse; nil for a GET stream
	method  protocol.Method  // parse; zero Name for an unknown method
	era     protocol.Era     // parse
	version string           // parse; "" where the client names none
	replies bool             // admitReply: the upstream waits for this reply
	task    string           // ownTask: id of the task that the request is about
	session *session         // parse; nil outside legacy sessions
	client  *policy.Client   // of the message that this one is made for; see claimed

	svc    *service     // approve
	spoken protocol.Era // approve: the era in which the gateway talks to the server

	ref      inventory.Ref         // what params name; fingerprint settles the kind
	entry    inventory.Observed    // fingerprint; zero where no entry is named
	listed   *inventory.Comparison // fingerprint; nil where none was needed
	readOnly bool                  // fingerprint, from the approval's annotations
	intended bool                  // recordIntent wrote an intent
	verdict  *audit.Verdict        // last verdict above allow
	asked    []message.Segment     // scanRequest: what the client wrote

	answer  trace.Result  // what the upstream answered
	ended   Reason        // why it was not answered, "" if it was
	told    int           // code of the refusal
	through *exchange     // with the one server that a message to all went to
	span    *trace.Server // nil where it is not traced
	call    *trace.Client // of the conversation with the upstream
}

// methodName is the method as the client wrote it, or what a GET stream is
// called in the log.
func (x *exchange) methodName() string {
	if x.msg == nil {
		return "GET"
	}
	if x.msg.Kind == jsonrpc.Response {
		return "response"
	}
	return x.msg.Method
}

// endless reports whether the answer is a stream that ends only when somebody
// ends it.
func (x *exchange) endless() bool { return x.method.Name == protocol.MethodSubscriptionsListen }

// bridged reports whether client and server speak different eras.
func (x *exchange) bridged() bool { return x.spoken != x.era }

// listingKey names the gateway's own listing that this exchange is held against.
func (x *exchange) listingKey() inventory.Key {
	return inventory.Key{Tenant: x.caller.Tenant, Server: x.svc.approval.Server, Instance: x.svc.instance, Era: x.spoken}
}
