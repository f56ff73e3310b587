package bridge

import (
	"bytes"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// kept demands that every member of before stands in after with the same bytes,
// but for those named.
func kept(t *testing.T, before, after jsontext.Value, but ...string) {
	t.Helper()
	if before == nil {
		return
	}
	want, err := jsonrpc.Members(before)
	if err != nil {
		return
	}
	got, err := jsonrpc.Members(after)
	if err != nil {
		t.Fatalf("%s became %s: %v", before, after, err)
	}
	for _, w := range want {
		if slices.Contains(but, w.Name) {
			continue
		}
		i := slices.IndexFunc(got, func(g jsonrpc.Member) bool { return g.Name == w.Name })
		if i < 0 || !bytes.Equal(got[i].Value, w.Value) {
			t.Fatalf("%s of %s is not in %s", w.Name, before, after)
		}
	}
}

func again(t *testing.T, raw []byte) *jsonrpc.Message {
	t.Helper()
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		t.Fatalf("made %s: %v", raw, err)
	}
	return m
}

var modernMembers = []string{protocol.MetaProtocolVersion, protocol.MetaClientCapabilities, protocol.MetaClientInfo, protocol.MetaLogLevel}

// FuzzRequests takes requests of either era to the other: what comes out is one
// well-formed message that has lost nothing but what only its era has.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","inputResponses":{},"requestState":"s","_meta":{"progressToken":"p","io.modelcontextprotocol/logLevel":"info","io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":"\u0061","method":"vendor/x","params":{"requestState":7,"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}}}`))
	f.Add([]byte(` {"method":"prompts/get","jsonrpc":"2.0","id":1 , "params":{ "_meta":[] } }`))
	f.Add([]byte(`{"jsonrpc":"2.0","method":"notifications/x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil || m.Kind == jsonrpc.Response {
			return
		}
		if params, wanted, err := legacyParams(m.Method, m.Params); err == nil && m.Params != nil {
			but := []string{"_meta"}
			if slices.Contains(asksInput, m.Method) {
				but = append(but, "inputResponses", "requestState", "task")
			}
			kept(t, m.Params, params, but...)
			kept(t, at(m.Params, "_meta"), orEmpty(at(params, "_meta")), modernMembers...)
			for _, gone := range modernMembers {
				if at(params, "_meta", gone) != nil {
					t.Errorf("%s is left in %s", gone, params)
				}
			}
			if wanted.level < -1 || wanted.level >= len(levels) {
				t.Errorf("level %d", wanted.level)
			}
			sent, err := replaced(m, map[string]jsontext.Value{"params": params})
			if err != nil {
				t.Fatal(err)
			}
			if other := again(t, sent); requestDigest(other.Params) != requestDigest(params) {
				t.Error("the same request has two digests")
			}
		}
		if hello, err := helloOf(m); err == nil {
			if !hello.IsValid() {
				t.Errorf("hello %s", hello)
			}
		}
		c := NewClient()
		if params, err := c.params(m.Params); err == nil {
			kept(t, m.Params, params, "_meta")
			kept(t, at(m.Params, "_meta"), at(params, "_meta"), modernMembers...)
			sent, err := replaced(m, map[string]jsontext.Value{"params": params})
			if err != nil {
				t.Fatal(err)
			}
			again(t, sent)
		}
		if raw, err := subscribed(m, jsontext.Value(`"s"`)); err == nil {
			tagged := again(t, raw)
			kept(t, m.Params, tagged.Params, "_meta")
			if back, err := unsubscribed(tagged); err == nil {
				kept(t, m.Params, again(t, back).Params, "_meta")
			}
		}
	})
}

// FuzzResponses is that of responses.
func FuzzResponses(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"x","_meta":{}}}`), protocol.MethodToolsCall)
	f.Add([]byte(`{"id":1 ,"jsonrpc":"2.0","result": { } }`), protocol.MethodToolsList)
	f.Add([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32002,"message":"m","data":{"uri":"a"}}}`), protocol.MethodResourcesRead)
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","url":"x"}]}}}`), protocol.MethodToolsCall)
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"n"},"_meta":7}}`), protocol.MethodDiscover)
	f.Fuzz(func(t *testing.T, raw []byte, method string) {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil || m.Kind != jsonrpc.Response {
			return
		}
		request := &jsonrpc.Message{Kind: jsonrpc.Request, ID: jsontext.Value(`"mine"`), Method: method,
			Params: jsontext.Value(`{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}}`)}
		if raw, err := response(m, request); err == nil {
			told := again(t, raw)
			if string(told.ID) != `"mine"` || told.Kind != jsonrpc.Response {
				t.Fatalf("told %s", raw)
			}
			if m.Result != nil {
				kept(t, m.Result, told.Result, "resultType")
				if jsonrpc.Text(told.Result, "/resultType") != "complete" {
					t.Errorf("told %s", raw)
				}
			} else if told.Error != nil {
				kept(t, m.Error, told.Error, "code")
			}
		}
		if m.Result == nil {
			return
		}
		if raw, err := discovery(m.Result, request.ID); err == nil {
			kept(t, m.Result, again(t, raw).Result, "resultType", "protocolVersion", "serverInfo", "supportedVersions", "_meta")
		}
		if raw, err := introduction(m.Result, request); err == nil {
			kept(t, m.Result, again(t, raw).Result, "resultType", "supportedVersions", "ttlMs", "cacheScope", "serverInfo", "protocolVersion")
		}
	})
}
