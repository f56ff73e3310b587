package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestReadings (row 1): a message that two readers could read differently is
// read by nobody.
func TestReadings(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	call := func(cue, rest string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pier_act","arguments":{"cue":%q}%s,%s}}`, cue, rest, meta)
	}
	for i, tt := range []struct{ name, body string }{
		{"method twice", `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"pier_act","arguments":{"cue":"%s"},` + meta + `}}`},
		{"Method beside method", `{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"tools/list","params":{"name":"pier_act","arguments":{"cue":"%s"},` + meta + `}}`},
		{"METHOD alone", `{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"pier_act","arguments":{"cue":"%s"},` + meta + `}}`},
		{"params twice", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pier_look",` + meta + `},"params":{"name":"pier_act","arguments":{"cue":"%s"},` + meta + `}}`},
		{"id twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"pier_act","arguments":{"cue":"%s"},` + meta + `}}`},
		{"name twice", call("%s", `,"name":"pier_act"`)},
		{"Name beside name", call("%s", `,"Name":"pier_look"`)},
		{"Arguments beside arguments", call("%s", `,"Arguments":{}`)},
		{"_Meta beside _meta", call("%s", `,"_Meta":{}`)},
		{"long s folds to s", call("%s", `,"argumentſ":{}`)},
		{"Kelvin sign folds to k, long s to s", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pier_act","arguments":{"cue":"%s"},"tas\u212a":{},"ta\u017fk":{},` + meta + `}}`},
		{"escaped spelling of a key", call("%s", `,"n\u0061me":"pier_act"`)},
		{"duplicate deep inside", call("%s", `,"x":{"y":[{"z":1,"z":2}]}`)},
		{"duplicate argument", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pier_act","arguments":{"cue":"other","cue":"%%s"},%s}}`, meta)},
		{"jsonrpc folded", `{"jsonrpc":"2.0","JſonRPC":"2.0","id":1,"method":"tools/call","params":{"name":"pier_act","arguments":{"cue":"%s"},` + meta + `}}`},
	} {
		canary := fmt.Sprintf("reading-%d", i)
		body := strings.ReplaceAll(tt.body, "%s", canary)
		t.Run(tt.name, func(t *testing.T) {
			r := w.gate.post(t, "pier", body, "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: pier_act")
			e := r.told(t)
			if r.status != http.StatusBadRequest || e.Data.Reason != "ambiguous" && e.Data.Reason != "malformed" {
				t.Errorf("%d %s", r.status, r.body)
			}
			w.gate.onRecord(t, e.Data.AuditID, e.Data.Reason)
			pier.untouched(t, canary)
		})
	}
	if r := w.gate.call(t, "pier", "tools/call", pier.act("reading-honest")); r.status != http.StatusOK || len(pier.saw("reading-honest")) != 1 {
		t.Errorf("an honest message: %d %s", r.status, r.body)
	}
}

// TestMirrors (row 2): headers of the modern era that do not equal the body are
// refused before anybody asks whether the server is approved.
func TestMirrors(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	for i, tt := range []struct {
		name, alias, method string
		params              string
		header              []string
	}{
		{"method of a harmless one", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Method: tools/list"}},
		{"method in another case", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Method: Tools/Call"}},
		{"no method", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Method:"}},
		{"name of a neighbour", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Name: pier_look"}},
		{"name encoded otherwise", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Name: =?base64?cGllcl9sb29r?="}},
		{"name in bad Base64", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Name: =?base64?cGllcl9hY3Q?="}},
		{"no name", "pier", "tools/call", pier.act("%s"), []string{"Mcp-Name:"}},
		{"version of the other era", "pier", "tools/call", pier.act("%s"), []string{"MCP-Protocol-Version: 2025-11-25"}},
		{"no version", "pier", "tools/call", pier.act("%s"), []string{"MCP-Protocol-Version:"}},
		{"a server that nobody approved", "nowhere", "tools/call", pier.act("%s"), []string{"Mcp-Name: pier_look"}},
		{"a parameter", "pier", "tools/call", `{"name":"pier_steer","arguments":{"region":"eu","cue":"%s"}}`, []string{"Mcp-Param-Region: us"}},
		{"no parameter", "pier", "tools/call", `{"name":"pier_steer","arguments":{"region":"eu","cue":"%s"}}`, nil},
		{"a parameter of nothing", "pier", "tools/call", `{"name":"pier_steer","arguments":{"cue":"%s"}}`, []string{"Mcp-Param-Region: eu"}},
		{"a parameter in other bytes", "pier", "tools/call", `{"name":"pier_steer","arguments":{"region":"eu","cue":"%s"}}`, []string{"Mcp-Param-Region: =?base64?ZXUK?="}},
		{"what scanners block, and a parameter", "pier", "tools/call",
			`{"name":"pier_steer","arguments":{"region":"eu","cue":"%s","text":"token ghp_zQ8mW2xKcV5nT7rJ4hLsD9fYbG3aP20RkQ2P"}}`, []string{"Mcp-Param-Region: us"}},
	} {
		canary := fmt.Sprintf("mirror-%d", i)
		t.Run(tt.name, func(t *testing.T) {
			r := w.gate.call(t, tt.alias, tt.method, strings.ReplaceAll(tt.params, "%s", canary), tt.header...)
			w.gate.refused(t, r, http.StatusBadRequest, protocol.CodeHeaderMismatch, "header_mismatch")
			pier.untouched(t, canary)
		})
	}
	// The same header twice: which of the two counts depends on the reader.
	body, header := modern("1", "tools/call", pier.act("mirror-twice"))
	req := newRequest(t, http.MethodPost, w.gate.url+"/mcp/pier", w.alice, body, header...)
	req.Header.Add("Mcp-Name", "pier_look")
	w.gate.refused(t, do(t, req), http.StatusBadRequest, protocol.CodeInvalidRequest, "header_ambiguous")
	pier.untouched(t, "mirror-twice")
	if r := w.gate.call(t, "pier", "tools/call", `{"name":"pier_steer","arguments":{"region":"eu","cue":"mirror-true"}}`, "Mcp-Param-Region: eu"); r.status != http.StatusOK {
		t.Errorf("a true mirror: %d %s", r.status, r.body)
	}
	if seen := pier.saw("mirror-true"); len(seen) != 1 || seen[0].header.Get("Mcp-Param-Region") != "eu" {
		t.Errorf("the server saw %d", len(seen))
	}
}

// TestMonsters (row 3): what is no text, too deep or too large is refused, and
// costs no memory.
func TestMonsters(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	_, before := memory(t, w.gate.Process)
	deep := func(open, shut string, n int) string {
		return strings.Repeat(open, n) + `"%s"` + strings.Repeat(shut, n)
	}
	for i, tt := range []struct {
		name, value string
		status      int
	}{
		{"lone high surrogate", `"%s \ud800"`, 400},
		{"lone low surrogate", `"%s \udc00 x"`, 400},
		{"surrogates in the wrong order", `"%s \udc00\ud800"`, 400},
		{"lone surrogate in a key", `{"\ud800":"%s"}`, 400},
		{"NUL byte", "\"%s \x00\"", 400},
		{"escape byte", "\"%s \x1b[2J\"", 400},
		{"overlong UTF-8", "\"%s \xc0\xaf\"", 400},
		{"surrogate in UTF-8", "\"%s \xed\xa0\x80\"", 400},
		{"beyond Unicode", "\"%s \xf4\x90\x80\x80\"", 400},
		{"truncated UTF-8", "\"%s \xe2\x82\"", 400},
		{"arrays 100 000 deep", deep("[", "]", 100_000), 400},
		{"objects 100 000 deep", deep(`{"a":`, "}", 100_000), 400},
		{"deep and never closed", deep("[", "", 100_000), 400},
		{"a number of a million digits", `["%s",` + strings.Repeat("9", 1_000_000) + `]`, 0},
		{"an exponent of a million", `["%s",1e1000000]`, 0},
		{"not a number", `["%s",NaN]`, 400},
		{"hexadecimal", `["%s",0x10]`, 400},
		{"leading zero", `["%s",010]`, 400},
		{"larger than a message may be", `"%s` + strings.Repeat("x", 5<<20) + `"`, 413},
		{"a million keys", `{` + strings.Repeat(`"k":1,`, 600_000) + `"c":"%s"}`, 400},
	} {
		canary := fmt.Sprintf("monster-%d", i)
		t.Run(tt.name, func(t *testing.T) {
			body, header := modern("1", "tools/call", `{"name":"pier_act","arguments":{"cue":"monster","x":`+strings.ReplaceAll(tt.value, "%s", canary)+`}}`)
			r := w.gate.post(t, "pier", body, header...)
			if tt.status == 0 && r.status == http.StatusOK {
				return // an exact number of any size is JSON, and passes as it came
			}
			if tt.status != 0 && r.status != tt.status {
				t.Errorf("%d %.500s", r.status, r.body)
			}
			e := r.told(t)
			w.gate.onRecord(t, e.Data.AuditID, e.Data.Reason)
			pier.untouched(t, canary)
		})
	}
	// Huge ids and methods are held by tables and logs for longer than a call.
	for name, body := range map[string]string{
		"id":     `{"jsonrpc":"2.0","id":"` + strings.Repeat("i", 1<<20) + `","method":"ping"}`,
		"number": `{"jsonrpc":"2.0","id":` + strings.Repeat("9", 400) + `,"method":"ping"}`,
		"method": `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("m", 1<<20) + `"}`,
	} {
		w.gate.refused(t, w.gate.post(t, "pier", body), http.StatusBadRequest, protocol.CodeParseError, "malformed")
		_ = name
	}
	if _, after := memory(t, w.gate.Process); after > before+512<<20 {
		t.Errorf("the gateway grew from %d MiB to %d MiB", before>>20, after>>20)
	}
}

// TestOneMessage (row 4): one body is one message.
func TestOneMessage(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	one, header := modern("1", "tools/call", pier.act("%s"))
	for i, tt := range []struct{ name, body, reason string }{
		{"a batch of two", "[" + one + "," + one + "]", "batch"},
		{"a batch of one", "[" + one + "]", "batch"},
		{"an empty batch", "[]", "batch"},
		{"a second message", one + one, "malformed"},
		{"a second message on a line of its own", one + "\n" + one, "malformed"},
		{"a batch behind", one + "[" + one + "]", "malformed"},
		{"trailing text", one + "x", "malformed"},
		{"a byte order mark", "\ufeff" + one, "malformed"},
		{"a record separator", "\x1e" + one, "malformed"},
		{"an event", "data: " + one + "\n\n", "malformed"},
		{"nothing", "", "malformed"},
	} {
		canary := fmt.Sprintf("message-%d", i)
		t.Run(tt.name, func(t *testing.T) {
			r := w.gate.post(t, "pier", strings.ReplaceAll(tt.body, "%s", canary), header...)
			e := r.told(t)
			if r.status != http.StatusBadRequest || e.Data.Reason != tt.reason {
				t.Errorf("%d %s", r.status, r.body)
			}
			w.gate.onRecord(t, e.Data.AuditID, tt.reason)
			pier.untouched(t, canary)
		})
	}
}
