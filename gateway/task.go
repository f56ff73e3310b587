package gateway

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/tasks"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Tasks (2025-11-25, basic/utilities/tasks; since 2026-07-28 the extension
// io.modelcontextprotocol/tasks) are calls whose results are fetched later. The
// gateway remembers to whom a server gave a task, and for which tool: whoever
// asks for it is held to that, and what comes of it is examined as the answer of
// that tool. Tasks that a server would have a client keep are not carried.

// taskMethod is what one era says of a method of tasks.
type taskMethod struct {
	offered jsontext.Pointer // in the approved capabilities of a server
	all     bool             // about all tasks of a caller, not about one
	acts    bool             // has an effect
}

const tasksExtension = jsontext.Pointer("/extensions/io.modelcontextprotocol~1tasks")

var taskMethods = map[protocol.Era]map[string]taskMethod{
	protocol.Legacy: {
		protocol.MethodTasksGet:    {offered: "/tasks"},
		protocol.MethodTasksResult: {offered: "/tasks"},
		protocol.MethodTasksList:   {offered: "/tasks/list", all: true},
		protocol.MethodTasksCancel: {offered: "/tasks/cancel", acts: true},
	},
	protocol.Modern: {
		protocol.MethodTasksGet:    {offered: tasksExtension},
		protocol.MethodTasksUpdate: {offered: tasksExtension, acts: true},
		protocol.MethodTasksCancel: {offered: tasksExtension, acts: true},
	},
}

// taskStatus is the notification about a task in each era.
var taskStatus = map[protocol.Era]string{
	protocol.Legacy: protocol.NotificationTasksStatus,
	protocol.Modern: protocol.NotificationTasks,
}

const relatedTask = jsontext.Pointer("/_meta/io.modelcontextprotocol~1related-task/taskId")

// relatedTo is the task that a message says it belongs to, "" where none.
func relatedTo(m *jsonrpc.Message) string {
	if !bytes.Contains(m.Raw, []byte("related-task")) && !bytes.Contains(m.Raw, []byte(`\u`)) { // letters may be escaped
		return ""
	}
	for _, part := range []jsontext.Pointer{"/params", "/result"} {
		if id := jsonrpc.Text(m.Raw, part+relatedTask); id != "" {
			return id
		}
	}
	return ""
}

// taskMethodOf finds what a client's request asks of tasks. No bridge carries them.
func taskMethodOf(x *exchange, m *jsonrpc.Message) (taskMethod, bool) {
	method, ok := taskMethods[x.era][m.Method]
	return method, ok && m.Kind == jsonrpc.Request && !x.bridged()
}

// tellsTask reports a server's notification about a task.
func tellsTask(x *exchange, m *jsonrpc.Message) bool {
	return m.Kind == jsonrpc.Notification && m.Method == taskStatus[x.era] && !x.bridged()
}

// ownTask lets a request pass only if the server was approved with tasks, and
// only about a task that was given to this caller. From there on the request is
// about the tool whose call the task is.
type ownTask struct {
	ledger  *tasks.Ledger
	entries fingerprintEntry
}

func (s ownTask) do(ctx context.Context, x *exchange) *refusal {
	if id := relatedTo(x.msg); id != "" && !x.bridged() && !s.owns(x, id) {
		return refuse(ReasonTaskUnknown)
	}
	if x.era == protocol.Modern && x.msg.Method == protocol.MethodSubscriptionsListen {
		return s.watched(x)
	}
	method, ok := taskMethodOf(x, x.msg)
	if !ok {
		return nil
	}
	if no := s.offered(ctx, x, method); no != nil || method.all {
		return no
	}
	if x.msg.Params == nil {
		return refuse(ReasonInvalidParams)
	}
	if err := jsonrpc.CheckNames(x.msg.Params, "taskId", "inputResponses", "_meta"); err != nil {
		return refuse(ReasonAmbiguous).because(err)
	}
	id, ok := stringMember(x.msg.Params, "taskId")
	if !ok {
		return refuse(ReasonInvalidParams)
	}
	if x.era == protocol.Modern {
		if name, ok := protocol.DecodeHeader(x.header.Get(protocol.HeaderName)); !ok || name != id {
			return refuse(ReasonHeaderMismatch)
		}
	}
	task, ok := s.ledger.Find(taskSpace(x), id, taskOwner(x))
	if !ok {
		return refuse(ReasonTaskUnknown)
	}
	x.task, x.ref = id, inventory.Ref{Kind: fingerprint.KindTool, Key: task.Tool}
	return nil
}

// offered holds the method against the approval: it names the method, or the
// capabilities that it names hold tasks.
func (s ownTask) offered(ctx context.Context, x *exchange, method taskMethod) *refusal {
	if x.svc.extensions[x.msg.Method] {
		return nil
	}
	if no := s.entries.list(ctx, x); no != nil {
		return no
	}
	o, ok := x.listed.Lookup(inventory.Ref{Kind: fingerprint.KindCapabilities})
	if !ok || o.State != inventory.Same {
		return refuse(ReasonMethodDenied)
	}
	if _, _, _, err := jsonrpc.Get(o.Raw, method.offered); err != nil {
		return refuse(ReasonMethodDenied)
	}
	return nil
}

// watched checks the tasks that a subscription asks about.
func (s ownTask) watched(x *exchange) *refusal {
	ids, ok := textsAt(x.msg.Params, "/notifications/taskIds")
	if !ok {
		return refuse(ReasonInvalidParams)
	}
	for _, id := range ids {
		if !s.owns(x, id) {
			return refuse(ReasonTaskUnknown)
		}
	}
	return nil
}

func (s ownTask) owns(x *exchange, id string) bool {
	_, ok := s.ledger.Find(taskSpace(x), id, taskOwner(x))
	return ok
}

// foreignTask keeps what a server says of tasks from everybody but their owner,
// before anything of it is examined.
type foreignTask struct {
	ledger  *tasks.Ledger
	entries fingerprintEntry
}

func (s foreignTask) do(ctx context.Context, x *exchange, in *inbound) *refusal {
	switch {
	case in.msg.Kind != jsonrpc.Response && in.msg.Params == nil:
		return nil
	case tellsTask(x, in.msg):
		return s.told(ctx, x, in)
	case in.msg.Kind != jsonrpc.Response:
		return s.related(x, in.msg)
	case in.msg.Result == nil || x.bridged():
		return nil
	case in.method == protocol.MethodTasksList:
		return s.filter(x, in)
	case x.task != "":
		return s.answered(x, in)
	}
	return nil
}

// told lets a notification about a task pass to its owner, as long as the tool
// is what was approved: the notification may hold its result.
func (s foreignTask) told(ctx context.Context, x *exchange, in *inbound) *refusal {
	if err := jsonrpc.CheckNames(in.msg.Params, "taskId", "status", "result", "error", "inputRequests", "_meta"); err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	id := jsonrpc.Text(in.msg.Params, "/taskId")
	task, ok := s.ledger.Find(taskSpace(x), id, taskOwner(x))
	if !ok {
		return refuse(ReasonTaskUnknown)
	}
	in.entry = task.Tool
	y := *x // of which the tool is not the entry that the exchange is about
	y.ref = inventory.Ref{Kind: fingerprint.KindTool, Key: task.Tool}
	if no := s.entries.list(ctx, &y); no != nil {
		return no
	}
	o, listed := y.listed.Lookup(y.ref)
	if no := s.entries.judge(&y, o, listed); no != nil {
		return no
	}
	s.renew(x, id, in.msg.Params)
	return nil
}

// related checks the task that a request or notification of a server belongs to.
func (s foreignTask) related(x *exchange, m *jsonrpc.Message) *refusal {
	id := relatedTo(m)
	if _, ok := s.ledger.Find(taskSpace(x), id, taskOwner(x)); id != "" && !ok && !x.bridged() {
		return refuse(ReasonTaskUnknown)
	}
	return nil
}

// filter cuts the tasks of others out of a list.
func (s foreignTask) filter(x *exchange, in *inbound) *refusal {
	array, start, end, err := jsonrpc.Get(in.msg.Raw, "/result/tasks")
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	elements, err := jsonrpc.Elements(array)
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	hide := map[int]bool{}
	for i, e := range elements {
		_, ok := s.ledger.Find(taskSpace(x), jsonrpc.Text(e.Value, "/taskId"), taskOwner(x))
		hide[i] = !ok
	}
	kept, err := jsonrpc.RemoveElements(array, func(i int) bool { return hide[i] })
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	return in.splice(jsonrpc.Edit{Start: start, End: end, New: kept})
}

// answered holds the answer to a request about a task to that task.
func (s foreignTask) answered(x *exchange, in *inbound) *refusal {
	about := jsontext.Pointer("/taskId")
	if in.method == protocol.MethodTasksResult {
		about = relatedTask
	}
	if id := jsonrpc.Text(in.msg.Result, about); id != "" && id != x.task {
		return refuse(ReasonUpstreamProtocol)
	}
	s.renew(x, x.task, in.msg.Result)
	return nil
}

// renew takes over how long the server keeps a task.
func (s foreignTask) renew(x *exchange, id string, state jsontext.Value) {
	if life, ok := lifeOf(x.era, state); ok {
		s.ledger.Renew(taskSpace(x), id, taskOwner(x), life)
	}
}

// noteTask remembers a task that a call has become.
type noteTask struct{ ledger *tasks.Ledger }

func (s noteTask) do(_ context.Context, x *exchange, in *inbound) *refusal {
	if in.msg.Kind != jsonrpc.Response || in.msg.Result == nil || in.method != protocol.MethodToolsCall ||
		x.bridged() || !bytes.Contains(in.msg.Result, []byte("taskId")) {
		return nil
	}
	state := in.msg.Result
	if x.era == protocol.Legacy {
		var err error
		if state, _, _, err = jsonrpc.Get(state, "/task"); err != nil {
			return nil
		}
	} else if jsonrpc.Text(state, "/resultType") != "task" {
		return nil
	}
	id := jsonrpc.Text(state, "/taskId")
	life, ok := lifeOf(x.era, state)
	switch {
	case id == "" || len(id) > maxTaskID:
		return refuse(ReasonUpstreamProtocol)
	case !ok:
		life = -1
	}
	if err := s.ledger.Note(taskSpace(x), id, taskOwner(x), tasks.Task{Tool: in.entry}, life); err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	return nil
}

// maxTaskID bounds what is remembered of a server's text.
const maxTaskID = 1 << 10

// lifeOf reads how long a task is kept; negative is for ever.
func lifeOf(era protocol.Era, state jsontext.Value) (time.Duration, bool) {
	member := jsontext.Pointer("/ttl")
	if era == protocol.Modern {
		member = "/ttlMs"
	}
	value, _, _, err := jsonrpc.Get(state, member)
	if err != nil {
		return 0, false
	}
	ms, err := strconv.ParseFloat(string(value), 64)
	switch {
	case value.Kind() == 'n':
		return -1, true
	case value.Kind() != '0' || err != nil || ms < 0:
		return 0, false
	case ms > float64(tasks.MaxLife/time.Millisecond):
		return tasks.MaxLife, true
	}
	return time.Duration(ms) * time.Millisecond, true
}

// taskSpace is where the ids of tasks are unique: a process or a stream that
// belongs to one session or one caller numbers its own.
func taskSpace(x *exchange) string {
	space := x.caller.Tenant + "\x00" + x.svc.instance
	switch {
	case x.svc.ownsSessions() && x.session != nil:
		space += "\x00" + x.session.id
	case x.svc.local:
		space += "\x00" + x.caller.Principal
	}
	return space
}

func taskOwner(x *exchange) tasks.Owner {
	return tasks.Owner{Tenant: x.caller.Tenant, Principal: x.caller.Principal}
}

// textsAt returns the strings of an array; none where it is absent.
func textsAt(obj jsontext.Value, ptr jsontext.Pointer) ([]string, bool) {
	if obj == nil {
		return nil, true
	}
	list, _, _, err := jsonrpc.Get(obj, ptr)
	if err != nil {
		return nil, true
	}
	elements, err := jsonrpc.Elements(list)
	if err != nil {
		return nil, false
	}
	var texts []string
	for _, e := range elements {
		text, err := unquote(e.Value)
		if err != nil {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}
