package bridge

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// wishes are what a modern request says of how it wants to be served, and a
// legacy server is told otherwise or not at all.
type wishes struct {
	token jsontext.Value // progress token, nil for none
	level int            // of log messages, an index into levels; -1 for none
}

// legacyParams takes out of the params of a modern request what only that era has.
func legacyParams(method string, params jsontext.Value) (jsontext.Value, wishes, error) {
	w := wishes{level: -1}
	var err error
	if slices.Contains(asksInput, method) && params != nil {
		// A task is a wish in the legacy era alone, and no bridge carries tasks.
		if params, err = without(params, "inputResponses", "requestState", "task"); err != nil {
			return nil, w, fmt.Errorf("%w: params are no object", ErrParams)
		}
	}
	meta := at(params, "_meta")
	if meta == nil {
		return params, w, nil
	}
	if meta.Kind() != '{' {
		return nil, w, fmt.Errorf("%w: _meta is no object", ErrParams)
	}
	w.level = slices.Index(levels, jsonrpc.Text(meta, jsontext.Pointer("").AppendToken(protocol.MetaLogLevel)))
	if token := at(meta, "progressToken"); token != nil {
		w.token = token.Clone()
	}
	meta, err = without(meta, protocol.MetaProtocolVersion, protocol.MetaClientCapabilities, protocol.MetaClientInfo, protocol.MetaLogLevel)
	if err != nil {
		return nil, w, err
	}
	if members, err := jsonrpc.Members(meta); err == nil && len(members) == 0 {
		params, err = without(params, "_meta")
		return params, w, err
	}
	params, err = with(params, "_meta", meta)
	return params, w, err
}

// response turns the response of a legacy server into that to a modern request.
func response(m, request *jsonrpc.Message) ([]byte, error) {
	fields := map[string]jsontext.Value{"id": request.ID}
	code, _ := m.Code()
	var err error
	switch {
	case m.Error == nil:
		if fields["result"], err = complete(request.Method, m.Result); err != nil {
			return nil, broken("a result that is no object")
		}
	case code == protocol.CodeResourceNotFound:
		if fields["error"], err = with(m.Error, "code", strconv.AppendInt(nil, protocol.CodeInvalidParams, 10)); err != nil {
			return nil, err
		}
	case code == protocol.CodeURLElicitationRequired:
		if result := visitFirst(m.Error, request); result != nil {
			return jsonrpc.NewResult(request.ID, result), nil
		}
	}
	return replaced(m, fields)
}

// visitFirst is the result that asks a user to visit the URLs that an error
// names (2025-11-25, elicitation, "URL Elicitation Required Error"), in the way
// of the modern era; nil where the client cannot be asked. The retry is a call
// of its own.
func visitFirst(failure jsontext.Value, request *jsonrpc.Message) jsontext.Value {
	wanted, err := jsonrpc.Elements(at(failure, "data", "elicitations"))
	if err != nil || len(wanted) == 0 || len(wanted) > maxInputs || !slices.Contains(asksInput, request.Method) {
		return nil
	}
	result := []byte(`{"resultType":"input_required","inputRequests":{`)
	for i, e := range wanted {
		if jsonrpc.Text(e.Value, "/mode") != "url" || !offered(capabilitiesOf(request), protocol.MethodElicitationCreate, e.Value) {
			return nil
		}
		if i > 0 {
			result = append(result, ',')
		}
		result = fmt.Appendf(result, `"%s%d":{"method":"%s","params":%s}`, inputKey, i, protocol.MethodElicitationCreate, e.Value)
	}
	return append(result, "}}"...)
}

// digest names a request: what a retry must ask for again.
type digest [sha256.Size]byte

// requestDigest covers params but for what differs from turn to turn. Values
// count, not how they are written, where they have a canonical form.
func requestDigest(params jsontext.Value) digest {
	if params == nil {
		return digest{}
	}
	members, err := jsonrpc.Members(params)
	if err != nil {
		return sha256.Sum256(params)
	}
	slices.SortFunc(members, func(a, b jsonrpc.Member) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, m := range members {
		if slices.Contains([]string{"inputResponses", "requestState", "_meta"}, m.Name) {
			continue
		}
		value, err := fingerprint.Canonical(m.Value)
		if err != nil {
			value = m.Value
		}
		fmt.Fprintf(h, "%d:%s%d:%s", len(m.Name), m.Name, len(value), value)
	}
	return digest(h.Sum(nil))
}

func capabilitiesOf(m *jsonrpc.Message) jsontext.Value {
	return at(m.Params, "_meta", protocol.MetaClientCapabilities)
}

// asksInput are the methods whose results may ask for input (2026-07-28, multi
// round-trip requests), and inputs what they may ask for, each with the
// capability that the client must have.
var (
	asksInput = []string{protocol.MethodToolsCall, protocol.MethodPromptsGet, protocol.MethodResourcesRead}
	inputs    = map[string]string{
		protocol.MethodSamplingCreateMessage: "sampling",
		protocol.MethodElicitationCreate:     "elicitation",
		protocol.MethodRootsList:             "roots",
	}
)

// offered reports whether a client with these capabilities can be asked this. An
// elicitation capability that names no mode means forms.
func offered(capabilities jsontext.Value, method string, params jsontext.Value) bool {
	capability, known := inputs[method]
	declared := at(capabilities, capability)
	switch {
	case !known || declared.Kind() != '{':
		return false
	case method == protocol.MethodElicitationCreate && jsonrpc.Text(params, "/mode") == "url":
		return at(declared, "url") != nil
	case method == protocol.MethodElicitationCreate:
		return at(declared, "form") != nil || at(declared, "url") == nil
	case method == protocol.MethodSamplingCreateMessage:
		return at(params, "tools") == nil && at(params, "toolChoice") == nil || at(declared, "tools") != nil
	}
	return true
}

// levelOf is the level of a log message; -1 for one that there is not.
func levelOf(m *jsonrpc.Message) int { return slices.Index(levels, jsonrpc.Text(m.Params, "/level")) }
