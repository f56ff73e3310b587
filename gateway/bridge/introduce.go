package bridge

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// introduce answers initialize from what the server says to server/discover.
func (c *Client) introduce(ctx context.Context, ask Ask, m *jsonrpc.Message) (Answers, error) {
	capabilities, info := at(m.Params, "capabilities"), at(m.Params, "clientInfo")
	if capabilities != nil && capabilities.Kind() != '{' || info != nil && info.Kind() != '{' {
		return nil, ErrParams
	}
	c.mu.Lock()
	c.capabilities, c.info = capabilities.Clone(), info.Clone()
	c.mu.Unlock()
	params, err := c.params(nil)
	if err != nil {
		return nil, err
	}
	id := c.nextID()
	question, err := jsonrpc.Parse(jsonrpc.NewRequest(0, protocol.MethodDiscover, params), jsonrpc.Limits{})
	if err != nil {
		return nil, err
	}
	raw, err := replaced(question, map[string]jsontext.Value{"id": id})
	if err != nil {
		return nil, err
	}
	answer, err := respond(ctx, ask, raw, id)
	if err != nil {
		return nil, err
	}
	if answer.Error != nil {
		raw, err = replaced(answer, map[string]jsontext.Value{"id": m.ID})
	} else {
		raw, err = introduction(answer.Result, m)
	}
	return &single{raw: raw}, err
}

// introduction turns the result of server/discover into that of initialize.
func introduction(result jsontext.Value, m *jsonrpc.Message) ([]byte, error) {
	if result.Kind() != '{' {
		return nil, broken("the answer to server/discover has the wrong shape")
	}
	supported, err := jsonrpc.Elements(at(result, "supportedVersions"))
	if err != nil || !slices.ContainsFunc(supported, func(e jsonrpc.Element) bool { return string(e.Value) == `"`+protocol.VersionModern+`"` }) {
		return nil, upstream.ErrEra
	}
	version := jsonrpc.Text(m.Params, "/protocolVersion")
	if protocol.EraOf(version) != protocol.Legacy {
		version = protocol.LatestLegacy
	}
	info := at(result, "serverInfo")
	if info == nil {
		info = at(result, "_meta", protocol.MetaServerInfo)
	}
	if info.Kind() != '{' {
		info = jsontext.Value(`{"name":"","version":""}`) // legacy clients demand one
	}
	info = info.Clone()
	if result, err = without(result, "resultType", "supportedVersions", "ttlMs", "cacheScope"); err == nil {
		result, err = with(result, "serverInfo", info)
	}
	if err == nil {
		result, err = with(result, "capabilities", orEmpty(at(result, "capabilities")))
	}
	if err == nil {
		result, err = with(result, "protocolVersion", []byte(`"`+version+`"`))
	}
	if err != nil {
		return nil, err
	}
	return jsonrpc.NewResult(m.ID, result), nil
}

// respond asks and returns the one response.
func respond(ctx context.Context, ask Ask, raw []byte, id jsontext.Value) (*jsonrpc.Message, error) {
	answers, err := ask(ctx, raw)
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	for range maxAsides {
		_, m, err := read(ctx, answers, id)
		if err != nil || m != nil && m.Kind == jsonrpc.Response {
			return m, err
		}
	}
	return nil, broken("no response among many messages")
}

// maxAsides bounds what comes before a response that nobody streams on.
const maxAsides = 64

// read returns the next message of the answers to request id; nil for an event
// without one. An error status that does not come with a JSON-RPC error of its
// own is an upstream.StatusError.
func read(ctx context.Context, answers Answers, id jsontext.Value) (upstream.Event, *jsonrpc.Message, error) {
	failed := answers.Status() < 200 || answers.Status() > 299
	ev, err := answers.Next(ctx)
	if err != nil && failed {
		return ev, nil, upstream.StatusError(answers.Status())
	}
	if err != nil || len(ev.Data) == 0 {
		return ev, nil, err
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
	own := err == nil && m.Kind == jsonrpc.Response && (idKey(m.ID) == idKey(id) || failed && string(orNull(m.ID)) == "null")
	switch {
	case failed && (!own || m.Error == nil || !slices.Contains(told, answers.Status())):
		return ev, nil, upstream.StatusError(answers.Status())
	case err != nil:
		return ev, nil, broken("not a JSON-RPC message")
	case m.Kind == jsonrpc.Response && !own:
		return upstream.Event{}, nil, nil
	case m.Kind == jsonrpc.Request:
		return ev, nil, broken("a request of the server's, which the modern era does not have")
	}
	return ev, m, nil
}

// told are the statuses with which the modern era sends a JSON-RPC error
// (2026-07-28, streamable-http). Any other says something about the way there.
var told = []int{400, 404, 500}

func orNull(id jsontext.Value) jsontext.Value {
	if id == nil {
		return jsontext.Value("null")
	}
	return id
}
