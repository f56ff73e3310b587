package listing

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// ParseCapture reads a capture in one of three forms:
//
//   - Bartizan's own schema, {"bartizanCapture":1, ...};
//   - a recording {"server","captured","initialize":{...},"tools":[...], ...}
//     of one server, where a null list means that the server has none;
//   - a bare JSON-RPC response to a list request, or its result object.
//
// Everything is strict: duplicate names anywhere, names that differ from a
// defined one only in case, entries that are not objects and sizes beyond the
// limits are refused. Raw values alias b. Errors wrap ErrMalformed or
// ErrTooLarge and quote nothing from the file.
func ParseCapture(b []byte) (*Capture, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b), MaxBytes)
	}
	doc, err := readObject(b, "a capture")
	if err != nil {
		return nil, err
	}
	switch {
	case doc["bartizanCapture"] != nil:
		return parseOwn(b, doc)
	case doc["jsonrpc"] != nil:
		return parseResponse(b)
	case doc["initialize"] != nil:
		return parseRecording(b, doc)
	}
	return parseResult(b, doc)
}

var listNames = []string{"tools", "prompts", "resourceTemplates", "resources"}

func parseOwn(b []byte, doc object) (*Capture, error) {
	if err := doc.only("bartizanCapture", "server", "source", "capturedAt", "listings"); err != nil {
		return nil, err
	}
	if string(doc["bartizanCapture"]) != "1" {
		return nil, malformed("unknown version of the capture schema")
	}
	c := &Capture{}
	var capturedAt string
	if err := errors.Join(doc.text("server", &c.Server), doc.text("source", &c.Source), doc.text("capturedAt", &capturedAt)); err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, capturedAt)
	if err != nil {
		return nil, malformed("capturedAt is not an RFC 3339 time")
	}
	c.CapturedAt = at.UTC()
	elements, err := jsonrpc.Elements(doc["listings"])
	if err != nil {
		return nil, wrap(err)
	}
	for _, e := range elements {
		l, err := parseOwnListing(e.Value)
		if err != nil {
			return nil, err
		}
		c.Listings = append(c.Listings, *l)
	}
	return c, c.check()
}

func parseOwnListing(raw jsontext.Value) (*Listing, error) {
	doc, err := readObject(raw, "a listing")
	if err != nil {
		return nil, err
	}
	if err := doc.only(append([]string{"era", "protocolVersion", "serverInfo", "capabilities", "instructions"}, listNames...)...); err != nil {
		return nil, err
	}
	var era string
	if err := doc.text("era", &era); err != nil {
		return nil, err
	}
	l := &Listing{Era: protocol.Era(era)}
	if err := errors.Join(l.readServer(doc), l.readLists(doc)); err != nil {
		return nil, err
	}
	return l, nil
}

func parseRecording(b []byte, doc object) (*Capture, error) {
	defined := append([]string{"server", "captured", "initialize"}, listNames...)
	if err := wrap(jsonrpc.CheckNames(b, defined...)); err != nil {
		return nil, err
	}
	c := &Capture{Source: SourceOperator}
	var captured string
	if err := errors.Join(doc.text("server", &c.Server), doc.text("captured", &captured)); err != nil {
		return nil, err
	}
	if captured != "" {
		at, err := time.Parse(time.DateOnly, captured)
		if err != nil {
			at, err = time.Parse(time.RFC3339Nano, captured)
		}
		if err != nil {
			return nil, malformed("captured is neither a date nor an RFC 3339 time")
		}
		c.CapturedAt = at.UTC()
	}
	initialize, err := readObject(doc["initialize"], "initialize")
	if err != nil {
		return nil, err
	}
	if err := wrap(jsonrpc.CheckNames(doc["initialize"], "protocolVersion", "capabilities", "serverInfo", "instructions")); err != nil {
		return nil, err
	}
	var l Listing
	if err := errors.Join(l.readServer(initialize), l.readLists(doc)); err != nil {
		return nil, err
	}
	l.Era = protocol.EraOf(l.ProtocolVersion)
	c.Listings = []Listing{l}
	return c, c.check()
}

func parseResponse(b []byte) (*Capture, error) {
	m, err := jsonrpc.Parse(b, jsonrpc.Limits{Bytes: MaxBytes, Depth: MaxDepth})
	if err != nil {
		return nil, wrap(err)
	}
	if m.Result == nil {
		return nil, malformed("not a successful response to a list request")
	}
	doc, err := readObject(m.Result, "a result")
	if err != nil {
		return nil, err
	}
	return parseResult(m.Result, doc)
}

// parseResult reads the result of one list request. It says nothing of the
// server itself; a resultType marks the modern era.
func parseResult(raw jsontext.Value, doc object) (*Capture, error) {
	if err := wrap(jsonrpc.CheckNames(raw, listNames...)); err != nil {
		return nil, err
	}
	l := Listing{Era: protocol.Legacy}
	if doc["resultType"] != nil {
		l.Era = protocol.Modern
	}
	if err := l.readLists(doc); err != nil {
		return nil, err
	}
	if l.Tools == nil && l.Prompts == nil && l.Templates == nil && l.Resources == nil {
		return nil, malformed("no list in it")
	}
	return &Capture{Source: SourceOperator, Listings: []Listing{l}}, nil
}

func (l *Listing) readServer(doc object) error {
	if err := doc.text("protocolVersion", &l.ProtocolVersion); err != nil {
		return err
	}
	for name, field := range map[string]*jsontext.Value{"serverInfo": &l.ServerInfo, "capabilities": &l.Capabilities} {
		raw := doc.get(name)
		if raw != nil && raw.Kind() != '{' {
			return malformed(name + " is not an object")
		}
		*field = raw
	}
	if doc.get("instructions") != nil {
		l.Instructions = new(string)
		return doc.text("instructions", l.Instructions)
	}
	return nil
}

func (l *Listing) readLists(doc object) error {
	for i, field := range []*[]jsontext.Value{&l.Tools, &l.Prompts, &l.Templates, &l.Resources} {
		raw := doc.get(listNames[i])
		if raw == nil {
			continue
		}
		elements, err := jsonrpc.Elements(raw)
		if err != nil {
			return wrap(err)
		}
		if len(elements) > MaxEntries {
			return fmt.Errorf("%w: %d %s, at most %d", ErrTooLarge, len(elements), listNames[i], MaxEntries)
		}
		*field = make([]jsontext.Value, len(elements))
		for j, e := range elements {
			if e.Value.Kind() != '{' {
				return malformed("entry " + strconv.Itoa(j) + " of " + listNames[i] + " is not an object")
			}
			(*field)[j] = e.Value
		}
	}
	return nil
}

// check holds the rules that every complete capture obeys.
func (c *Capture) check() error {
	seen := map[protocol.Era]bool{}
	for _, l := range c.Listings {
		if !l.Era.Valid() || (l.ProtocolVersion != "" && protocol.EraOf(l.ProtocolVersion) != l.Era) {
			return malformed("unknown protocol era or version")
		}
		if seen[l.Era] {
			return malformed("two listings of one era")
		}
		seen[l.Era] = true
	}
	if len(c.Listings) == 0 {
		return malformed("no listing in it")
	}
	return nil
}
