package engine

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// appendFlat appends one batch in the flat encoding: the texts, which are the
// same for every scanner, then what one scanner is told beside them.
func appendFlat(dst []byte, p *prepared, batch []window, with particulars) []byte {
	return addressFlat(appendFlatTexts(dst, p, batch), len(dst), with)
}

// appendFlatTexts appends what all scanners of a batch share, without limits,
// hits and flow. It allocates nothing where dst has room.
func appendFlatTexts(dst []byte, p *prepared, batch []window) []byte {
	m := p.message
	parameters := 0
	for i := range p.nearest {
		parameters += len(p.nearest[i].Parameters)
	}
	w := flatWriter{b: dst, base: len(dst)}
	w.reserve(flatInHeader)
	segments := w.reserve(len(batch) * flatSegment)
	context := w.reserve(len(p.nearest) * flatContext)
	names := w.reserve(parameters * flatString)

	w.u32(flatInMagic, flatInputMagic)
	w.u32(flatInHeaderSize, flatInHeader)
	w.u32(flatInPhase, flatPhase(m.Phase)|flatCaller(m.Caller)<<8)
	w.str(flatInServer, m.Server)
	w.str(flatInEntry, m.Entry)
	w.table(flatInSegments, segments, len(batch), flatSegment)
	w.table(flatInContext, context, len(p.nearest), flatContext)
	w.table(flatInHits, segments, 0, flatHit)
	w.table(flatInFlow, segments, 0, flatFlow)
	w.segments(segments, m, batch)
	w.context(context, names, p.nearest)
	w.u32(flatInSize, uint32(w.end()))
	return w.b
}

// addressFlat completes what appendFlatTexts wrote at b[base:] for one scanner.
func addressFlat(b []byte, base int, with particulars) []byte {
	w := flatWriter{b: b, base: base}
	w.u32(flatInMaxFindings, uint32(with.limits.Findings))
	w.u32(flatInMaxOutput, uint32(with.limits.OutputBytes))
	if len(with.hits)+len(with.flow) == 0 {
		return w.b
	}
	w.align()
	hits := w.reserve(len(with.hits) * flatHit)
	flow := w.reserve(len(with.flow) * flatFlow)
	w.table(flatInHits, hits, len(with.hits), flatHit)
	w.table(flatInFlow, flow, len(with.flow), flatFlow)
	for i, h := range with.hits {
		at := hits + i*flatHit
		w.u32(at+flatHitPattern, uint32(h.pattern))
		w.u32(at+flatHitSegment, uint32(h.segment))
		w.u32(at+flatHitStart, uint32(h.start))
		w.u32(at+flatHitEnd, uint32(h.end))
	}
	for i := range with.flow {
		f, at := &with.flow[i], flow+i*flatFlow
		w.u32(at+flatFlowSegment, uint32(f.segment))
		w.u32(at+flatFlowStart, uint32(f.start))
		w.u32(at+flatFlowEnd, uint32(f.end))
		w.u32(at+flatFlowAge, uint32(f.age))
		w.str(at+flatFlowMark, f.mark)
		w.str(at+flatFlowServer, f.server)
		w.str(at+flatFlowEntry, f.entry)
	}
	w.u32(flatInSize, uint32(w.end()))
	return w.b
}

// flatWriter appends to b an input that begins at base. A batch is far smaller
// than 4 GiB, so that its offsets fit.
type flatWriter struct {
	b    []byte
	base int
}

func (w *flatWriter) end() int { return len(w.b) - w.base }

// reserve appends zero bytes and returns their offset.
func (w *flatWriter) reserve(n int) int {
	at := w.end()
	w.b = slices.Grow(w.b, n)[:len(w.b)+n]
	clear(w.b[w.base+at:])
	return at
}

func (w *flatWriter) align() { w.reserve(-w.end() & (flatAlign - 1)) }

func (w *flatWriter) u32(at int, v uint32) { binary.LittleEndian.PutUint32(w.b[w.base+at:], v) }

// str appends s and writes at the given offset where it is. What is no UTF-8,
// which no constructor of a message produces, is repaired.
func (w *flatWriter) str(at int, s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	w.u32(at, uint32(w.end()))
	w.u32(at+4, uint32(len(s)))
	w.b = append(w.b, s...)
}

func (w *flatWriter) table(at, offset, count, record int) {
	w.u32(at+flatTableAt, uint32(offset))
	w.u32(at+flatTableCount, uint32(count))
	w.u32(at+flatTableRecord, uint32(record))
}

func (w *flatWriter) segments(at int, m *message.Message, batch []window) {
	last := -1 // record with the latest pointer: windows and views share one
	var pointer string
	for _, part := range batch {
		s := &m.Segments[part.segment]
		w.u32(at+flatSegKind, flatKind(s.Kind))
		w.u32(at+flatSegItem, uint32(s.Item))
		if last >= 0 && s.Pointer == pointer {
			copy(w.b[w.base+at+flatSegPointer:][:flatString], w.b[w.base+last+flatSegPointer:])
		} else {
			w.str(at+flatSegPointer, s.Pointer)
			pointer = s.Pointer
		}
		w.str(at+flatSegText, part.text)
		w.str(at+flatSegProvenance, s.Provenance)
		last = at
		at += flatSegment
	}
}

func (w *flatWriter) context(at, names int, entries []message.ContextEntry) {
	for i := range entries {
		e := &entries[i]
		w.str(at+flatCtxServer, e.Server)
		w.str(at+flatCtxKind, e.Kind)
		w.str(at+flatCtxName, e.Name)
		w.str(at+flatCtxTitle, e.Title)
		w.str(at+flatCtxDescription, e.Description)
		w.u32(at+flatCtxParameters, uint32(names))
		w.u32(at+flatCtxCount, uint32(len(e.Parameters)))
		for _, name := range e.Parameters {
			w.str(names, name)
			names += flatString
		}
		at += flatContext
	}
}

// flatPhase numbers the phases; 0 is none.
func flatPhase(p message.Phase) uint32 {
	switch p {
	case message.PhaseListing:
		return 1
	case message.PhaseRequest:
		return 2
	case message.PhaseResult:
		return 3
	case message.PhasePrompt:
		return 4
	case message.PhaseResource:
		return 5
	}
	return 0
}

// flatCaller numbers the classes of callers; 0 is unknown.
func flatCaller(caller string) uint32 {
	switch caller {
	case "user":
		return 1
	case "agent":
		return 2
	case "service":
		return 3
	}
	return 0
}

// flatKinds are the kinds of segments in the order of their numbers.
var flatKinds = [...]string{
	message.KindOther, message.KindName, message.KindTitle, message.KindDescription, message.KindInstructions,
	message.KindParameter, message.KindSchemaTitle, message.KindSchemaDescription, message.KindSchemaValue,
	message.KindAnnotation, message.KindMeta, message.KindURI, message.KindArgument, message.KindArgumentName,
	message.KindText, message.KindStructured, message.KindError, message.KindMIME, message.KindServerInfo,
}

// flatKind numbers the kinds of segments; what is unknown is 0, as other.
func flatKind(kind string) uint32 {
	return uint32(max(0, slices.Index(flatKinds[:], kind)))
}
