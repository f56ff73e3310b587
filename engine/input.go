package engine

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// encodeBatch writes one batch of a message as sdk/abi/input.schema.json says,
// Every scanner is told its own limits.
func encodeBatch(p *prepared, batch []window, l Limits) []byte {
	m := p.message
	size := 512 + len(p.context)
	for _, w := range batch {
		size += len(w.text) + len(w.text)/8 + 128
	}
	b := make([]byte, 0, size)
	b = appendMember(append(b, '{'), "phase", string(m.Phase))
	b = appendMember(append(b, ','), "server", m.Server)
	b = appendMember(append(b, ','), "entry", m.Entry)
	b = appendMember(append(b, ','), "caller", m.Caller)
	b = append(b, `,"segments":[`...)
	for i, w := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		s := &m.Segments[w.segment]
		b = appendMember(append(b, '{'), "kind", s.Kind)
		b = strconv.AppendInt(append(b, `,"item":`...), int64(s.Item), 10)
		b = appendMember(append(b, ','), "pointer", s.Pointer)
		b = appendMember(append(b, ','), "text", w.text)
		b = append(appendMember(append(b, ','), "provenance", s.Provenance), '}')
	}
	b = append(append(b, `],"hits":[],"flow":[],"context":`...), p.context...)
	b = strconv.AppendInt(append(b, `,"limits":{"findings":`...), int64(l.Findings), 10)
	b = strconv.AppendInt(append(b, `,"outputBytes":`...), int64(l.OutputBytes), 10)
	return append(b, "}}"...)
}

// encodeContext writes the entries of other servers.
func encodeContext(entries []message.ContextEntry) []byte {
	b := []byte{'['}
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(append(b, '{'), "server", e.Server)
		b = appendMember(append(b, ','), "kind", e.Kind)
		b = appendMember(append(b, ','), "name", e.Name)
		b = appendMember(append(b, ','), "title", e.Title)
		b = appendMember(append(b, ','), "description", e.Description)
		b = append(b, `,"parameters":[`...)
		for j, name := range e.Parameters {
			if j > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, name)
		}
		b = append(b, "]}"...)
	}
	return append(b, ']')
}

// appendMember writes "name":"value". A value that is no UTF-8, which no
// constructor of a message produces, is repaired by the encoder.
func appendMember(b []byte, name, value string) []byte {
	b = append(append(append(b, '"'), name...), `":`...)
	b, _ = jsontext.AppendQuote(b, value)
	return b
}
