// Package script puts an author's script into a module that interprets it. Such
// a template is compiled once, by `make sdk`; an author needs no compiler. It
// knows where a template has room for a script; it must not know its language.
package script

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

var (
	// ErrTemplate: the module has no room for a script.
	ErrTemplate = errors.New("no template for a script")
	// ErrScript: the text is no script for any template.
	ErrScript = errors.New("script")
)

// Room is how long a script may be, in bytes of UTF-8. Every template has as much.
const Room = 1 << 20

// roomName is the export that has the address of the room: a length of four
// bytes, then the text.
const roomName = "bartizan_script"

// Sections and kinds of the binary format (core specification 2.0, §5.5).
const (
	sectionImport    = 2
	sectionGlobal    = 6
	sectionExport    = 7
	sectionData      = 11
	sectionDataCount = 12

	kindGlobal = 3
)

// Place returns the template with the script in it: one more data segment, which
// is written where the template has zeros.
func Place(template, source []byte) ([]byte, error) {
	switch {
	case len(source) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrScript)
	case len(source) > Room:
		return nil, fmt.Errorf("%w of %d bytes: at most %d", ErrScript, len(source), Room)
	case !utf8.Valid(source):
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrScript)
	}
	sections, err := wasmsection.Parse(template)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	address, err := room(sections)
	if err != nil {
		return nil, err
	}
	content := append(binary.LittleEndian.AppendUint32(nil, uint32(len(source))), source...)
	out := slices.Clone(template[:sections[0].Start])
	placed := false
	for _, s := range sections {
		switch s.ID {
		case sectionDataCount:
			out = section(out, s.ID, more(s.Body))
		case sectionData:
			out, placed = section(out, s.ID, append(more(s.Body), active(address, content)...)), true
		default:
			out = append(out, template[s.Start:s.End]...)
		}
	}
	if !placed {
		return nil, fmt.Errorf("%w: it has no data", ErrTemplate)
	}
	return out, nil
}

// more is a vector with a count one higher and the rest as it was.
func more(body []byte) []byte {
	count, n := binary.Uvarint(body)
	if n <= 0 {
		return nil
	}
	return append(binary.AppendUvarint(nil, count+1), body[n:]...)
}

// active is a data segment that is written at an address of memory 0.
func active(address int32, content []byte) []byte {
	b := wasmsection.AppendS64([]byte{0, opI32Const}, int64(address))
	b = binary.AppendUvarint(append(b, opEnd), uint64(len(content)))
	return append(b, content...)
}

func section(out []byte, id byte, body []byte) []byte {
	out = binary.AppendUvarint(append(out, id), uint64(len(body)))
	return append(out, body...)
}
