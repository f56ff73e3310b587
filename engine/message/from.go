package message

import (
	"fmt"
	"slices"
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
	return build(&Message{Phase: PhaseListing, Server: server}, func(w *walker) error { return w.listing(l) })
}

func (w *walker) listing(l *listing.Listing) error {
	w.expect(slices.Concat(l.Tools, l.Prompts, l.Templates, l.Resources)...)
	if l.ServerInfo != nil {
		if err := w.entry(ItemServer, l.ServerInfo, "/serverInfo", serverInfo); err != nil {
			return err
		}
	}
	if l.Instructions != nil {
		quoted, _ := jsontext.AppendQuote(nil, *l.Instructions) // an invalid byte is replaced
		if err := w.entry(fingerprint.KindInstructions.String(), quoted, "/instructions", texts(KindInstructions)); err != nil {
			return err
		}
	}
	if l.Capabilities != nil {
		if err := w.entry(fingerprint.KindCapabilities.String(), l.Capabilities, "/capabilities", capabilities); err != nil {
			return err
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
				return err
			}
		}
	}
	return nil
}

// FromEntry returns the texts of one entry of a listing, pointers starting at
// the entry itself.
func FromEntry(server string, kind fingerprint.Kind, raw jsontext.Value) (*Message, error) {
	m, err := build(&Message{Phase: PhaseListing, Server: server}, func(w *walker) error {
		return w.entry(kind.String(), raw, "", entryPlace(kind))
	})
	if err != nil {
		return nil, err
	}
	m.Entry = m.Items[0].Key
	return m, nil
}

// build fills a message in by means of a walker.
func build(m *Message, walk func(*walker) error) (*Message, error) {
	w := walker{m: m, scratch: scratches.Get().(*scratch)}
	defer w.release()
	if err := walk(&w); err != nil {
		return nil, err
	}
	w.point(m.Segments)
	if len(m.Segments) == 0 {
		m.Segments = nil // room was made for none
	}
	return m, nil
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
	w.item, w.key, w.isKey = len(w.m.Items), entryKeys[kind], false
	w.m.Items = append(w.m.Items, Item{Kind: kind})
	return w.walk(raw, pointer, p)
}

// entryKeys are the members that hold the key of an entry in its listing.
var entryKeys = map[string]string{
	fingerprint.KindTool.String():     "name",
	fingerprint.KindPrompt.String():   "name",
	fingerprint.KindTemplate.String(): "uriTemplate",
	fingerprint.KindResource.String(): "uri",
}

// FromRequest returns the texts of what a client sends: a request, a
// notification or the reply to an upstream request. Pointers start at the
// JSON-RPC message.
func FromRequest(server string, raw *jsonrpc.Message) (*Message, error) {
	m := &Message{Phase: PhaseRequest, Server: server}
	if method, ok := protocol.Lookup(raw.Method); ok && method.Entry != "" && raw.Params != nil {
		m.Entry = jsonrpc.Text(raw.Params, jsontext.Pointer("/"+method.Entry))
	}
	if raw.Kind == jsonrpc.Response {
		return m.whole(raw, reply)
	}
	return m.whole(raw, envelope)
}

// whole adds the texts of a whole JSON-RPC message. A name that repeats, as in
// the rows of a table, is one text.
func (m *Message) whole(raw *jsonrpc.Message, p *place) (*Message, error) {
	return build(m, func(w *walker) error {
		w.once = true
		return w.walk(raw.Raw, "", p)
	})
}

// FromResult returns the texts of what an upstream sends: a response to method,
// where entry names what was called, a request or a notification. Pointers
// start at the JSON-RPC message.
func FromResult(server, method, entry string, raw *jsonrpc.Message) (*Message, error) {
	m := &Message{Phase: PhaseResult, Server: server, Entry: entry}
	if raw.Kind == jsonrpc.Response {
		switch method {
		case protocol.MethodPromptsGet:
			m.Phase = PhasePrompt
		case protocol.MethodResourcesRead:
			m.Phase = PhaseResource
		}
	}
	return m.whole(raw, envelope)
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
