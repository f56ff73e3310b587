package scanner

import "unsafe"

// An input in the flat encoding (sdk/abi/ABI.md, "Encoding flat"). A reader takes
// the sizes of header and records from the input itself, and skips what a later
// version put at their ends.

const (
	flatInputMagic = "BTZI"

	flatInHeader = 88 // sizes of this version
	flatSegment  = 32
	flatHit      = 16
	flatFlow     = 40
	flatContext  = 48
)

var (
	flatPhases  = [...]string{1: "listing", "request", "result", "prompt", "resource"}
	flatCallers = [...]string{"", "user", "agent", "service"}
	flatKinds   = [...]string{"other", "name", "title", "description", "instructions", "parameter", "schema-title", "schema-description",
		"schema-value", "annotation", "meta", "uri", "argument", "argument-name", "text", "structured", "error", "mime", "server-info"}
)

func isFlat(b []byte) bool {
	return len(b) >= len(flatInputMagic) && string(b[:len(flatInputMagic)]) == flatInputMagic
}

// flatReader reads an input. Strings that it returns share its memory.
type flatReader struct {
	src string
	bad bool
}

// decodeFlat reads b into in, whose slices it uses again.
func (in *Input) decodeFlat(b []byte) error {
	r := flatReader{src: unsafe.String(unsafe.SliceData(b), len(b))}
	if len(b) < flatInHeader || r.u32(4) < flatInHeader || r.u32(4) > len(b) || r.u32(8) != len(b) {
		return ErrInput
	}
	in.Phase = r.name(int(b[12]), flatPhases[:])
	in.Caller = ""
	if n := int(b[13]); n < len(flatCallers) { // else of a later version
		in.Caller = flatCallers[n]
	}
	in.Server, in.Entry = r.str(16), r.str(24)
	in.Limits = Limits{Findings: r.u32(32), OutputBytes: r.u32(36)}
	in.Segments, in.Hits, in.Flow, in.Context = in.Segments[:0], in.Hits[:0], in.Flow[:0], in.Context[:0]
	r.table(40, flatSegment, func(at int) {
		kind := r.u32(at)
		if kind >= len(flatKinds) {
			kind = 0 // of a later version
		}
		in.Segments = append(in.Segments, Segment{
			Kind: flatKinds[kind], Item: r.u32(at + 4), Pointer: r.str(at + 8), Text: r.str(at + 16), Provenance: r.str(at + 24),
		})
	})
	r.table(52, flatHit, func(at int) {
		in.Hits = append(in.Hits, Hit{Pattern: r.u32(at), Segment: r.u32(at + 4), Start: r.u32(at + 8), End: r.u32(at + 12)})
	})
	r.table(64, flatFlow, func(at int) {
		in.Flow = append(in.Flow, FlowHit{
			Segment: r.u32(at), Start: r.u32(at + 4), End: r.u32(at + 8), Mark: r.str(at + 16),
			Origin: Origin{Server: r.str(at + 24), Entry: r.str(at + 32)}, Age: r.u32(at + 12),
		})
	})
	r.table(76, flatContext, func(at int) {
		in.Context = append(in.Context, ContextEntry{
			Server: r.str(at), Kind: r.str(at + 8), Name: r.str(at + 16), Title: r.str(at + 24), Description: r.str(at + 32),
			Parameters: r.strings(r.u32(at+40), r.u32(at+44)),
		})
	})
	if r.bad || in.Phase == "" {
		return ErrInput
	}
	return nil
}

// u32 reads the number at a place that has been checked.
func (r *flatReader) u32(at int) int {
	s := r.src[at : at+4]
	return int(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}

// str reads the string that the pair at a checked place refers to.
func (r *flatReader) str(at int) string {
	from, n := r.u32(at), r.u32(at+4)
	if n == 0 {
		return ""
	}
	if n > len(r.src) || from > len(r.src)-n {
		r.bad = true
		return ""
	}
	return r.src[from : from+n]
}

func (r *flatReader) strings(from, n int) []string {
	if n == 0 {
		return nil
	}
	if n > len(r.src)/8 || from > len(r.src)-8*n {
		r.bad = true
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = r.str(from + 8*i)
	}
	return out
}

func (r *flatReader) name(n int, of []string) string {
	if n >= len(of) {
		r.bad = true
		return ""
	}
	return of[n]
}

// table calls record with the offset of every record of a table.
func (r *flatReader) table(at, size int, record func(at int)) {
	from, n, stride := r.u32(at), r.u32(at+4), r.u32(at+8)
	if n == 0 {
		return
	}
	if stride < size || n > len(r.src)/stride || from > len(r.src)-n*stride {
		r.bad = true
		return
	}
	for range n {
		record(from)
		from += stride
	}
}
