package gateway

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// nameEntry notes which listed entry a request is about.
func nameEntry(x *exchange, params []jsonrpc.Member) *refusal {
	if x.method.Name == protocol.MethodCompletionComplete {
		return nameReference(x)
	}
	if x.method.Entry == "" {
		return nil
	}
	key, err := unquote(memberOf(params, x.method.Entry))
	if err != nil {
		return refuse(ReasonInvalidParams)
	}
	x.ref = inventory.Ref{Kind: kindOf[x.method.Name], Key: key}
	return nil
}

// kindOf is what each method's entry member names. A resource may turn out to
// be an expansion of a template.
var kindOf = map[string]fingerprint.Kind{
	protocol.MethodToolsCall:            fingerprint.KindTool,
	protocol.MethodPromptsGet:           fingerprint.KindPrompt,
	protocol.MethodResourcesRead:        fingerprint.KindResource,
	protocol.MethodResourcesSubscribe:   fingerprint.KindResource,
	protocol.MethodResourcesUnsubscribe: fingerprint.KindResource,
}

// nameReference reads params.ref of completion/complete.
func nameReference(x *exchange) *refusal {
	if x.msg.Params == nil {
		return refuse(ReasonInvalidParams)
	}
	ref, _, _, err := jsonrpc.Get(x.msg.Params, "/ref")
	if err != nil || ref.Kind() != '{' {
		return refuse(ReasonInvalidParams)
	}
	if err := jsonrpc.CheckNames(ref, "type", "name", "uri"); err != nil {
		return refuse(ReasonAmbiguous).because(err)
	}
	var kind fingerprint.Kind
	var key string
	var ok bool
	switch jsonrpc.Text(ref, "/type") {
	case "ref/prompt":
		kind = fingerprint.KindPrompt
		key, ok = stringMember(ref, "name")
	case "ref/resource":
		kind = fingerprint.KindTemplate
		key, ok = stringMember(ref, "uri")
	}
	if !ok {
		return refuse(ReasonInvalidParams)
	}
	x.ref = inventory.Ref{Kind: kind, Key: key}
	return nil
}

// stringMember returns a string member of an object.
func stringMember(obj jsontext.Value, name string) (string, bool) {
	if obj == nil {
		return "", false
	}
	val, _, _, err := jsonrpc.Get(obj, jsontext.Pointer("").AppendToken(name))
	if err != nil || val.Kind() != '"' {
		return "", false
	}
	decoded, err := jsontext.AppendUnquote(nil, val)
	return string(decoded), err == nil
}

// subscribed lists the resources that subscriptions/listen asks to watch.
func subscribed(params jsontext.Value) ([]string, bool) {
	return textsAt(params, "/notifications/resourceSubscriptions")
}
