package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{},"sampling":{}},"clientInfo":{"name":"t","version":"1"}}}`

// modern is a request of 2026-07-28 and its headers. id and params are JSON.
func modern(id, method, params string) (body string, header []string) {
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	if params == "" {
		params = "{" + meta + "}"
	} else {
		params = strings.TrimSuffix(params, "}") + "," + meta + "}"
	}
	body = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`, id, method, params)
	header = []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + method}
	for _, member := range []jsontext.Pointer{"/name", "/uri"} {
		if v := jsonrpc.Text(jsontext.Value(params), member); v != "" {
			header = append(header, "Mcp-Name: "+protocol.EncodeHeader(v))
		}
	}
	return body, header
}

// act are the params that have a tool of the actor follow a cue.
func (a *actor) act(cue string) string {
	return fmt.Sprintf(`{"name":"%s_act","arguments":{"cue":%q}}`, a.name, cue)
}

// visitor is a legacy client with a session.
type visitor struct {
	d      *door
	alias  string
	token  string
	header []string // names the session
}

// visit opens a legacy session by hand.
func (d *door) visit(t testing.TB, alias, token string) *visitor {
	t.Helper()
	r := do(t, newRequest(t, http.MethodPost, strings.TrimSuffix(d.url+"/mcp/"+alias, "/"), token, initialize))
	if r.status != http.StatusOK {
		t.Fatalf("initialize: %d %s", r.status, r.body)
	}
	v := &visitor{d: d, alias: alias, token: token, header: []string{
		"Mcp-Session-Id: " + r.header.Get(protocol.HeaderSessionID), "MCP-Protocol-Version: 2025-11-25",
	}}
	if r := v.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); r.status != http.StatusAccepted {
		t.Fatalf("initialized: %d %s", r.status, r.body)
	}
	return v
}

func (v *visitor) request(t testing.TB, method, body string, extra ...string) *http.Request {
	t.Helper()
	return newRequest(t, method, strings.TrimSuffix(v.d.url+"/mcp/"+v.alias, "/"), v.token, body, append(v.header, extra...)...)
}

func (v *visitor) post(t testing.TB, body string, extra ...string) reply {
	t.Helper()
	return do(t, v.request(t, http.MethodPost, body, extra...))
}

// call sends a request of the legacy era.
func (v *visitor) call(t testing.TB, id int, method, params string) reply {
	t.Helper()
	return v.post(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params))
}
