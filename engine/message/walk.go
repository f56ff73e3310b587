package message

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/normalise"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var (
	// ErrMalformed means that the input is no MCP message of the expected shape.
	ErrMalformed = errors.New("message: malformed")
	// ErrTooComplex means that the input has more texts, or deeper ones, than
	// can be examined.
	ErrTooComplex = errors.New("message: too many or too deep texts")
)

// Bounds of one message. Pointers repeat the names above them, so that a small
// hostile message could otherwise name gigabytes.
const (
	maxSegments     = 250_000
	maxDepth        = 256
	maxPointer      = 2 << 10
	maxPointerBytes = 64 << 20
)

// longNumber is how many digits make a number worth reading: card and account
// numbers travel as such.
const longNumber = 8

// walker adds the texts of JSON values to a message, in one pass of each.
type walker struct {
	m            *Message
	item         int
	key          string // the member that holds the key of the item, "" if it has none
	isKey        bool   // whether the member of the whole value that is being read is that one
	pointerBytes int
	once         bool // a name that repeats is one text
	*scratch
}

// walk reads the value, which stands at pointer and is read as p says.
func (w *walker) walk(raw jsontext.Value, pointer string, p *place) error {
	w.read(raw)
	w.pointer = append(w.pointer[:0], pointer...)
	w.expect(raw)
	if err := w.value(p, 0); err != nil {
		if errors.Is(err, ErrTooComplex) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// expect makes room for the texts of values, most of whose strings are either
// the name of a member or the value.
func (w *walker) expect(values ...jsontext.Value) {
	quotes := 0
	for _, raw := range values {
		quotes += bytes.Count(raw, []byte{'"'})
	}
	w.m.Segments = slices.Grow(w.m.Segments, min(quotes/4, maxSegments/16))
}

func (w *walker) value(p *place, depth int) error {
	switch {
	case p == nil:
		return w.dec.SkipValue()
	case depth > maxDepth:
		return ErrTooComplex
	}
	switch w.dec.PeekKind() {
	case '"':
		s, err := w.string()
		if err != nil {
			return err
		}
		if depth == 1 && w.isKey {
			w.m.Items[w.item].Key = s
		}
		return w.text(p, s)
	case '0':
		number, err := w.token()
		if err != nil || digits(number) < longNumber {
			return err
		}
		return w.add(Segment{Kind: p.kind, Text: number, Fixed: true})
	}
	token, err := w.dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '{':
		return w.object(p, depth)
	case '[':
		return w.array(p, depth)
	}
	return nil
}

func (w *walker) object(p *place, depth int) error {
	at := len(w.pointer)
	binaries, mimeType := len(w.m.Binaries), ""
	for w.dec.PeekKind() != '}' {
		name, err := w.string()
		if err != nil {
			return err
		}
		if depth == 0 {
			w.isKey = w.key != "" && name == w.key
		}
		w.pointer = appendToken(w.pointer[:at], name)
		child, defined := p.member(name)
		if !defined {
			if err := w.name(p, name); err != nil {
				return err
			}
		}
		texts := len(w.m.Segments)
		if err := w.value(child, depth+1); err != nil {
			return err
		}
		if name == "mimeType" && len(w.m.Segments) == texts+1 {
			mimeType = w.m.Segments[texts].Text
		}
	}
	w.pointer = w.pointer[:at]
	for i := binaries; i < len(w.m.Binaries); i++ {
		if b := &w.m.Binaries[i]; b.MIMEType == "" && !strings.Contains(b.Pointer[at+1:], "/") {
			b.MIMEType = mimeType
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walker) array(p *place, depth int) error {
	at := len(w.pointer)
	for i := 0; w.dec.PeekKind() != ']'; i++ {
		w.pointer = strconv.AppendInt(append(w.pointer[:at], '/'), int64(i), 10)
		if err := w.value(p, depth+1); err != nil {
			return err
		}
	}
	w.pointer = w.pointer[:at]
	_, err := w.dec.ReadToken()
	return err
}

// name adds a member name that the protocol does not define.
func (w *walker) name(p *place, name string) error {
	if w.once {
		n := seenName{p.names, name}
		if w.seen[n] {
			return nil
		}
		w.seen[n] = true
	}
	return w.add(Segment{Kind: p.names, Text: name, Fixed: true})
}

// text adds a string, unless it is a word that the protocol fixes or the
// base64 of something that is no text.
func (w *walker) text(p *place, s string) error {
	switch {
	case p.vocabulary[s]:
		return nil
	case p.method:
		if _, known := protocol.Lookup(s); known {
			return nil
		}
	case p.base64:
		if decoded, ok := decodeMedia(s); ok {
			// A declared media type is not asked: the server writes it.
			if !normalise.Readable(decoded) {
				w.m.Binaries = append(w.m.Binaries, Binary{Pointer: string(w.pointer), Bytes: len(decoded)})
				return nil
			}
		}
	}
	if p.kind == KindMIME && !mediaType.MatchString(s) {
		return w.add(Segment{Kind: KindOther, Text: s}) // a text that hides where scanners expect none
	}
	return w.add(Segment{Kind: p.kind, Text: s})
}

// mediaType is a plain media type (RFC 6838 §4.2) with at most a charset: room
// for a name and for no sentence.
var mediaType = regexp.MustCompile(`\A[a-zA-Z0-9!#$&^_.+-]{1,32}/[a-zA-Z0-9!#$&^_.+-]{1,72}(; ?charset="?[a-zA-Z0-9-]{1,20}"?)?\z`)

func (w *walker) add(s Segment) error {
	if s.Text == "" {
		return nil
	}
	w.pointerBytes += len(w.pointer)
	if len(w.m.Segments) >= maxSegments || len(w.pointer) > maxPointer || w.pointerBytes > maxPointerBytes {
		return ErrTooComplex
	}
	s.Item, s.Source = w.item, len(w.m.Segments)
	w.m.Segments = append(w.m.Segments, s)
	w.pointers = append(w.pointers, w.pointer...)
	w.ends = append(w.ends, len(w.pointers))
	return nil
}

// appendToken appends a reference token of RFC 6901.
func appendToken(pointer []byte, name string) []byte {
	pointer = append(pointer, '/')
	for i := range len(name) {
		switch name[i] {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, name[i])
		}
	}
	return pointer
}

func digits(number string) int {
	n := 0
	for _, c := range []byte(number) {
		if '0' <= c && c <= '9' {
			n++
		}
	}
	return n
}
