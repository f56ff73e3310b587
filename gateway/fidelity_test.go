package gateway

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// odd is JSON that a decoder and an encoder would not give back: big and exact
// numbers, escapes, order, white space, unknown members.
const odd = `{ "z":1, "a":12345678901234567890.000 ,"e":1E+2,"u":"\u00e9é\/","n":null,"nested":[ {"b":1,"a":-0.0} ] }`

// TestBytesPassThrough: params arrive and results return byte for byte.
func TestBytesPassThrough(t *testing.T) {
	result := `{"resultType":"complete", "content":[{"type":"text","text":"\u00e9\/" , "future":` + odd + `}],"structuredContent":` + odd + `,"extra":` + odd + `}`
	s := newScript(t)
	s.set("tools/call", result)
	h := open(t, auto)
	h.serve("srv", s.start())
	body, header := modern(7, "tools/call", `{"arguments":`+odd+`,"name":"one"}`)
	body = " \n" + body + "\n"
	r := h.raw("srv", body, header...)
	if got := s.sent("tools/call"); string(got[len(got)-1].Raw) != strings.TrimSpace(body) {
		t.Errorf("the upstream got\n%s, sent was\n%s", got[len(got)-1].Raw, body)
	}
	if want := `{"jsonrpc":"2.0","id":7,"result":` + result + `}`; string(r.body) != want {
		t.Errorf("the client got\n%s, want\n%s", r.body, want)
	}

	message := `{"jsonrpc":"2.0", "method":"notifications/message","params":{"level":"info","data":` + odd + `}}`
	s.on("tools/call", events(message, "{\"jsonrpc\":\"2.0\",\n\"id\":%s,\"result\":{\"content\":[]}}"))
	r = h.raw("srv", body, header...)
	if !bytes.Contains(r.body, []byte("data: "+message+"\n\n")) {
		t.Errorf("the event went out as\n%s", r.body)
	}
}

// TestListsAreCutNotRewritten: what stays of a filtered list stays as it was.
func TestListsAreCutNotRewritten(t *testing.T) {
	one := `{"name":"one", "inputSchema":{"type":"object","x":` + odd + `}}`
	three := `{"inputSchema":{"type":"object"},"name":"three","_meta":{"k":1.50}}`
	s := newScript(t)
	s.set("tools/list", `{"resultType":"complete","tools":[`+one+` , `+three+`],"extra":`+odd+`}`)
	h := open(t, auto)
	h.serve("srv", s.start())
	s.set("tools/list", `{"resultType":"complete","tools":[`+one+` , `+tool("new", "x")+", "+three+`],"extra":`+odd+`}`)
	body := string(h.call("srv", 1, "tools/list", "").body)
	for _, want := range []string{one, three, `"extra":` + odd} {
		if !strings.Contains(body, want) {
			t.Errorf("%s\n lacks %s", body, want)
		}
	}
	if strings.Contains(body, `"new"`) {
		t.Errorf("the new tool is in %s", body)
	}
}

// TestSameAsDirect compares what a client gets through the gateway with a
// direct conversation, over the whole of the conformance server's read-only
// offer, in both eras.
func TestSameAsDirect(t *testing.T) {
	target := upstream.Target{Command: []string{everything}}
	for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
		t.Run(string(era), func(t *testing.T) {
			h := open(t, auto)
			h.serve("every", target)
			direct, err := upstream.Dial(context.Background(), target, era, upstream.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer direct.Close()
			through, err := upstream.Dial(context.Background(), upstream.Target{
				URL: h.url + "/mcp/every", Header: http.Header{"Authorization": {"Bearer " + h.token}},
			}, era, upstream.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer through.Close()
			for _, call := range []struct{ method, params string }{
				{"tools/list", `{}`}, {"prompts/list", `{}`}, {"resources/list", `{}`}, {"resources/templates/list", `{}`},
				{"tools/call", `{"name":"test_simple_text","arguments":{}}`},
				{"tools/call", `{"name":"test_image_content","arguments":{}}`},
				{"tools/call", `{"name":"test_audio_content","arguments":{}}`},
				{"tools/call", `{"name":"test_embedded_resource","arguments":{}}`},
				{"tools/call", `{"name":"test_multiple_content_types","arguments":{}}`},
				{"tools/call", `{"name":"test_error_handling","arguments":{}}`},
				{"tools/call", `{"name":"test_simple_text","arguments":` + odd + `}`},
				{"prompts/get", `{"name":"test_simple_prompt"}`},
				{"prompts/get", `{"name":"test_prompt_with_arguments","arguments":{"arg1":"a","arg2":"\u00e9"}}`},
				{"resources/read", `{"uri":"test://static-text"}`},
				{"resources/read", `{"uri":"test://static-binary"}`},
				{"resources/read", `{"uri":"test://template/123/data"}`},
				{"completion/complete", `{"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg1","value":"x"}}`},
			} {
				want, errWant := direct.Call(t.Context(), call.method, []byte(call.params))
				got, errGot := through.Call(t.Context(), call.method, []byte(call.params))
				if (errWant == nil) != (errGot == nil) {
					t.Errorf("%s %s: %v, direct %v", call.method, call.params, errGot, errWant)
					continue
				}
				if errWant != nil {
					continue
				}
				if g, w := capped(t, got), capped(t, want); g != w {
					t.Errorf("%s %s:\n%s, direct\n%s", call.method, call.params, g, w)
				}
			}
		})
	}
}

// capped is a result or error with the one difference that is meant to be: the
// time for which a list may be kept.
func capped(t *testing.T, m *jsonrpc.Message) string {
	t.Helper()
	in := &inbound{msg: m, method: protocol.MethodToolsList}
	if m.Result != nil {
		if no := capTTL(in); no != nil {
			t.Fatal(no.reason)
		}
	}
	return string(in.msg.Result) + string(in.msg.Error)
}
