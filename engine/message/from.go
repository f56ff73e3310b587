package message

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// ItemServer is the kind of the item that holds a server's own name and title.
const ItemServer = "server"

// FromListing returns the texts of a whole listing. Pointers start at the
// listing: /serverInfo/name, /instructions, /capabilities/experimental,
// /tools/3/description, /prompts/0/name, /resourceTemplates/0/uriTemplate,
// /resources/0/uri. Every text belongs to an item.
func FromListing(server string, l *listing.Listing) (*Message, error) {
	w := walker{m: &Message{Phase: PhaseListing, Server: server}}
	if l.ServerInfo != nil {
		if err := w.entry(ItemServer, l.ServerInfo, "/serverInfo", serverInfo); err != nil {
			return nil, err
		}
	}
	if l.Instructions != nil {
		quoted, _ := jsontext.AppendQuote(nil, *l.Instructions) // an invalid byte is replaced
		if err := w.entry(fingerprint.KindInstructions.String(), quoted, "/instructions", texts(KindInstructions)); err != nil {
			return nil, err
		}
	}
	if l.Capabilities != nil {
		if err := w.entry(fingerprint.KindCapabilities.String(), l.Capabilities, "/capabilities", capabilities); err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		kind    fingerprint.Kind
		pointer string
		entries []jsontext.Value
	}{
		{fingerprint.KindTool, "/tools/", l.Tools},
		{fingerprint.KindPrompt, "/prompts/", l.Prompts},
		{fingerprint.KindTemplate, "/resourceTemplates/", l.Templates},
		{fingerprint.KindResource, "/resources/", l.Resources},
	} {
		for i, raw := range list.entries {
			if err := w.entry(list.kind.String(), raw, list.pointer+strconv.Itoa(i), entryPlace(list.kind)); err != nil {
				return nil, err
			}
		}
	}
	return w.m, nil
}

// FromEntry returns the texts of one entry of a listing, pointers starting at
// the entry itself.
func FromEntry(server string, kind fingerprint.Kind, raw jsontext.Value) (*Message, error) {
	w := walker{m: &Message{Phase: PhaseListing, Server: server}}
	if err := w.entry(kind.String(), raw, "", entryPlace(kind)); err != nil {
		return nil, err
	}
	w.m.Entry = w.m.Items[0].Key
	return w.m, nil
}

func entryPlace(kind fingerprint.Kind) *place {
	switch kind {
	case fingerprint.KindInstructions:
		return texts(KindInstructions)
	case fingerprint.KindCapabilities:
		return capabilities
	case fingerprint.KindPrompt:
		return promptEntry
	}
	return body
}

// entry adds one item with its texts.
func (w *walker) entry(kind string, raw jsontext.Value, pointer string, p *place) error {
	w.item = len(w.m.Items)
	w.m.Items = append(w.m.Items, Item{Kind: kind, Key: entryKey(kind, raw)})
	return w.walk(raw, pointer, p)
}

// entryKey is the key of an entry in its listing, "" if it has none.
func entryKey(kind string, raw jsontext.Value) string {
	var member jsontext.Pointer
	switch kind {
	case fingerprint.KindTool.String(), fingerprint.KindPrompt.String():
		member = "/name"
	case fingerprint.KindTemplate.String():
		member = "/uriTemplate"
	case fingerprint.KindResource.String():
		member = "/uri"
	default:
		return ""
	}
	return stringAt(raw, member)
}

func stringAt(raw jsontext.Value, pointer jsontext.Pointer) string {
	v, _, _, err := jsonrpc.Get(raw, pointer)
	if err != nil || v.Kind() != '"' {
		return ""
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(s)
}

// FromRequest returns the texts of what a client sends: a request, a
// notification or the reply to an upstream request. Pointers start at the
// JSON-RPC message.
func FromRequest(server string, m *jsonrpc.Message) (*Message, error) {
	w := walker{m: &Message{Phase: PhaseRequest, Server: server}}
	if method, ok := protocol.Lookup(m.Method); ok && method.Entry != "" && m.Params != nil {
		w.m.Entry = stringAt(m.Params, jsontext.Pointer("/"+method.Entry))
	}
	if m.Kind == jsonrpc.Response {
		return w.message(m, reply)
	}
	return w.message(m, envelope)
}

// message reads a whole JSON-RPC message. A name that repeats, as in the rows
// of a table, is one text.
func (w *walker) message(m *jsonrpc.Message, p *place) (*Message, error) {
	w.seen = map[Segment]bool{}
	if err := w.walk(m.Raw, "", p); err != nil {
		return nil, err
	}
	return w.m, nil
}

// FromResult returns the texts of what an upstream sends: a response to method,
// where entry names what was called, a request or a notification. Pointers
// start at the JSON-RPC message.
func FromResult(server, method, entry string, m *jsonrpc.Message) (*Message, error) {
	w := walker{m: &Message{Phase: PhaseResult, Server: server, Entry: entry}}
	if m.Kind == jsonrpc.Response {
		switch method {
		case protocol.MethodPromptsGet:
			w.m.Phase = PhasePrompt
		case protocol.MethodResourcesRead:
			w.m.Phase = PhaseResource
		}
	}
	return w.message(m, envelope)
}

// FromTool returns what FromListing returns for a listing of this one tool.
func FromTool(server string, raw jsontext.Value) (*Message, error) {
	return FromListing(server, &listing.Listing{Tools: []jsontext.Value{raw}})
}

// FromArguments returns what FromRequest returns for a tools/call.
func FromArguments(server, tool string, arguments jsontext.Value) (*Message, error) {
	if arguments == nil {
		arguments = jsontext.Value("{}")
	}
	if !arguments.IsValid() {
		return nil, fmt.Errorf("%w: arguments are no JSON value", ErrMalformed)
	}
	name, _ := jsontext.AppendQuote(nil, tool)
	return fromWire(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%s,"arguments":%s}}`, name, arguments),
		func(m *jsonrpc.Message) (*Message, error) { return FromRequest(server, m) })
}

// FromContent returns what FromResult returns for a tools/call result of one text.
func FromContent(server, tool, content string) (*Message, error) {
	text, _ := jsontext.AppendQuote(nil, content)
	return fromWire(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":%s}]}}`, text),
		func(m *jsonrpc.Message) (*Message, error) {
			return FromResult(server, protocol.MethodToolsCall, tool, m)
		})
}

func fromWire(wire string, build func(*jsonrpc.Message) (*Message, error)) (*Message, error) {
	m, err := jsonrpc.Parse([]byte(wire), jsonrpc.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return build(m)
}
