package bridge

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// helloOf is what initialize says for a modern client.
func helloOf(m *jsonrpc.Message) (jsontext.Value, error) {
	meta := at(m.Params, "_meta")
	capabilities, info := at(meta, protocol.MetaClientCapabilities), at(meta, protocol.MetaClientInfo)
	if info.Kind() != '{' {
		info = jsontext.Value(`{"name":"","version":""}`)
	}
	if capabilities.Kind() != '{' {
		capabilities = jsontext.Value("{}")
	}
	hello, err := with(nil, "clientInfo", info)
	if err == nil {
		hello, err = with(hello, "capabilities", capabilities)
	}
	if err == nil {
		hello, err = with(hello, "protocolVersion", []byte(`"`+protocol.LatestLegacy+`"`))
	}
	return hello, err
}

// discovery turns the result of initialize into that of server/discover.
func discovery(hello, id jsontext.Value) ([]byte, error) {
	info := at(hello, "serverInfo").Clone()
	result, err := without(hello, "protocolVersion", "serverInfo")
	if err == nil && info.Kind() == '{' {
		var meta jsontext.Value
		if meta, err = with(at(result, "_meta"), protocol.MetaServerInfo, info); err == nil {
			result, err = with(result, "_meta", meta)
		}
	}
	if err == nil {
		result, err = with(result, "supportedVersions", []byte(`["`+protocol.VersionModern+`"]`))
	}
	if err == nil {
		result, err = complete(protocol.MethodDiscover, result)
	}
	if err != nil {
		return nil, err
	}
	return jsonrpc.NewResult(id, result), nil
}

// cached are the methods whose results say how long they may be kept.
var cached = []string{
	protocol.MethodDiscover, protocol.MethodToolsList, protocol.MethodPromptsList, protocol.MethodResourcesList,
	protocol.MethodResourcesTemplatesList, protocol.MethodResourcesRead,
}

// complete adds what the modern era demands of every result.
func complete(method string, result jsontext.Value) (jsontext.Value, error) {
	var err error
	if slices.Contains(cached, method) {
		if at(result, "cacheScope") == nil {
			result, err = with(result, "cacheScope", []byte(`"private"`))
		}
		if err == nil && at(result, "ttlMs") == nil {
			result, err = with(result, "ttlMs", []byte("0"))
		}
		if err != nil {
			return nil, err
		}
	}
	return with(result, "resultType", []byte(`"complete"`))
}
