package engine

import (
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// particulars are what one scanner is told beside the texts of a batch.
type particulars struct {
	limits Limits
	hits   []hit
	flow   []flowHit
}

// hit is a match of one of the manifest's patterns; segment is an index into
// the batch.
type hit struct{ pattern, segment, start, end int }

// flowHit is a marked span of an earlier message that occurs in this one.
type flowHit struct {
	mark                string
	segment, start, end int
	server, entry       string // where it came from
	age                 int    // seconds since
}

// inputs are buffers for what is encoded; a call copies it into the guest.
var inputs = sync.Pool{New: func() any { return new([]byte) }}

// appendInput appends one batch of a message in the encoding that the scanner
// speaks.
func (s *Scanner) appendInput(dst []byte, p *prepared, batch []window, with particulars) []byte {
	if s.manifest.Encoding == EncodingFlat {
		return appendFlat(dst, p, batch, with)
	}
	return appendJSON(dst, p, batch, with)
}

// appendJSON appends one batch of a message as sdk/abi/input.schema.json says.
func appendJSON(b []byte, p *prepared, batch []window, with particulars) []byte {
	m := p.message
	context := p.contextJSON()
	size := 512 + len(context)
	for _, w := range batch {
		size += len(w.text) + len(w.text)/8 + 128
	}
	b = slices.Grow(b, size)
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
	b = append(b, `],"hits":[`...)
	for i, h := range with.hits {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"pattern":`...), int64(h.pattern), 10)
		b = append(appendPlace(append(b, ','), h.segment, h.start, h.end), '}')
	}
	b = append(b, `],"flow":[`...)
	for i := range with.flow {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFlowHit(b, &with.flow[i])
	}
	b = append(append(b, `],"context":`...), context...)
	b = strconv.AppendInt(append(b, `,"limits":{"findings":`...), int64(with.limits.Findings), 10)
	b = strconv.AppendInt(append(b, `,"outputBytes":`...), int64(with.limits.OutputBytes), 10)
	return append(b, "}}"...)
}

func appendFlowHit(b []byte, f *flowHit) []byte {
	b = appendMember(append(b, '{'), "mark", f.mark)
	b = appendPlace(append(b, ','), f.segment, f.start, f.end)
	b = appendMember(append(b, `,"origin":{`...), "server", f.server)
	b = append(appendMember(append(b, ','), "entry", f.entry), `},"age":`...)
	return append(strconv.AppendInt(b, int64(f.age), 10), '}')
}

func appendPlace(b []byte, segment, start, end int) []byte {
	b = strconv.AppendInt(append(b, `"segment":`...), int64(segment), 10)
	b = strconv.AppendInt(append(b, `,"start":`...), int64(start), 10)
	return strconv.AppendInt(append(b, `,"end":`...), int64(end), 10)
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
