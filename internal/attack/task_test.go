package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestForeignTasks: the id of a task opens it for the principal that it was
// given to, at the alias it was given at; nothing of an attempt reaches the
// server, and none tells whether the task exists.
func TestForeignTasks(t *testing.T) {
	w := enter(t)
	const state = `"status":"working","createdAt":"2026-01-02T03:04:05Z","lastUpdatedAt":"2026-01-02T03:04:05Z"`
	dock := w.cast(t, "dock", protocol.Legacy, func(a *actor) {
		a.set(protocol.MethodInitialize, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}},"serverInfo":{"name":"dock","version":"1"}}`)
		a.set(protocol.MethodToolsCall, `{"task":{"taskId":"dock-1",`+state+`,"ttl":600000}}`)
		for _, method := range []string{protocol.MethodTasksGet, protocol.MethodTasksCancel} {
			a.set(method, `{"taskId":"dock-1",`+state+`,"ttl":600000}`)
		}
		a.set(protocol.MethodTasksResult, `{"content":[{"type":"text","text":"of alice"}]}`)
		a.set(protocol.MethodTasksList, `{"tasks":[{"taskId":"dock-1",`+state+`,"ttl":600000}]}`)
	})
	crane := w.cast(t, "crane", protocol.Modern, func(a *actor) {
		a.set(protocol.MethodDiscover, `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}}`)
		a.set(protocol.MethodToolsCall, `{"resultType":"task","taskId":"crane-1",`+state+`,"ttlMs":600000}`)
		a.set(protocol.MethodTasksGet, `{"resultType":"complete","taskId":"crane-1",`+state+`,"ttlMs":600000}`)
		for _, method := range []string{protocol.MethodTasksUpdate, protocol.MethodTasksCancel} {
			a.set(method, `{"resultType":"complete"}`)
		}
	})
	clients := map[*actor]map[string]*visitor{dock: {w.alice: w.gate.visit(t, "dock", w.alice), w.mallory: w.gate.visit(t, "dock", w.mallory)}}
	ask := func(a *actor, token, alias, method, params string) reply {
		t.Helper()
		if v := clients[a][token]; v != nil && alias == a.name {
			return v.call(t, 1, method, params)
		}
		body, header := modern("1", method, params)
		if _, id, ok := strings.Cut(params, `"taskId":"`); ok {
			id, _, _ = strings.Cut(id, `"`)
			header = append(header, "Mcp-Name: "+protocol.EncodeHeader(id))
		}
		return do(t, newRequest(t, http.MethodPost, strings.TrimSuffix(w.gate.url+"/mcp/"+alias, "/"), token, body, header...))
	}
	for a, methods := range map[*actor][]string{
		dock:  {protocol.MethodTasksGet, protocol.MethodTasksResult, protocol.MethodTasksCancel},
		crane: {protocol.MethodTasksGet, protocol.MethodTasksUpdate, protocol.MethodTasksCancel},
	} {
		own := a.name + "-1"
		if r := ask(a, w.alice, a.name, protocol.MethodToolsCall, fmt.Sprintf(`{"name":"%s_act","arguments":{},"task":{}}`, a.name)); r.status != http.StatusOK || !strings.Contains(string(r.body), own) {
			t.Fatalf("no task: %d %s", r.status, r.body)
		}
		for _, method := range methods {
			for _, id := range []string{own, a.name + "-2", strings.ToUpper(own), "../" + own, ""} {
				r := ask(a, w.mallory, a.name, method, fmt.Sprintf(`{"taskId":%q}`, id))
				w.gate.refused(t, r, http.StatusBadRequest, protocol.CodeInvalidParams, "task_unknown")
			}
			a.untouched(t, `"method":"`+method+`"`)
		}
		if a == dock {
			r := ask(a, w.mallory, a.name, protocol.MethodTasksList, `{}`)
			if r.status != http.StatusOK || strings.Contains(string(r.body), own) {
				t.Errorf("tasks/list: %d %s", r.status, r.body)
			}
		}
		for _, method := range methods {
			if r := ask(a, w.alice, a.name, method, fmt.Sprintf(`{"taskId":%q}`, own)); r.status != http.StatusOK {
				t.Errorf("the owner's %s: %d %s", method, r.status, r.body)
			}
		}
		// The merged endpoint has no tasks, hers or not.
		r := ask(a, w.alice, "", methods[0], fmt.Sprintf(`{"taskId":%q}`, own))
		w.gate.refused(t, r, http.StatusNotFound, protocol.CodeMethodNotFound, "method_denied")
	}
}
