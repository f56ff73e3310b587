package message

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
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

// walker adds the texts of one JSON value to a message in one pass.
type walker struct {
	m            *Message
	item         int
	pointer      []byte
	pointerBytes int
	seen         map[Segment]bool // names by kind and text; nil counts each
}

// walk reads the value, which stands at pointer and is read as p says.
func (w *walker) walk(raw jsontext.Value, pointer string, p *place) error {
	w.pointer = append(w.pointer[:0], pointer...)
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if err := w.value(dec, p, 0); err != nil {
		if errors.Is(err, ErrTooComplex) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func (w *walker) value(dec *jsontext.Decoder, p *place, depth int) error {
	switch {
	case p == nil:
		return dec.SkipValue()
	case depth > maxDepth:
		return ErrTooComplex
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '{':
		return w.object(dec, p, depth)
	case '[':
		return w.array(dec, p, depth)
	case '"':
		return w.text(p, token.String())
	case '0':
		if number := token.String(); digits(number) >= longNumber {
			return w.add(Segment{Kind: p.kind, Text: number, Fixed: true})
		}
	}
	return nil
}

func (w *walker) object(dec *jsontext.Decoder, p *place, depth int) error {
	at := len(w.pointer)
	binaries, mimeType := len(w.m.Binaries), ""
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		w.pointer = appendToken(w.pointer[:at], name)
		child, defined := p.member(name)
		if !defined {
			if err := w.name(p, name); err != nil {
				return err
			}
		}
		texts := len(w.m.Segments)
		if err := w.value(dec, child, depth+1); err != nil {
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
	_, err := dec.ReadToken()
	return err
}

func (w *walker) array(dec *jsontext.Decoder, p *place, depth int) error {
	at := len(w.pointer)
	for i := 0; dec.PeekKind() != ']'; i++ {
		w.pointer = fmt.Appendf(w.pointer[:at], "/%d", i)
		if err := w.value(dec, p, depth+1); err != nil {
			return err
		}
	}
	w.pointer = w.pointer[:at]
	_, err := dec.ReadToken()
	return err
}

// name adds a member name that the protocol does not define.
func (w *walker) name(p *place, name string) error {
	s := Segment{Kind: p.names, Text: name, Fixed: true}
	if w.seen[s] {
		return nil
	}
	if w.seen != nil {
		w.seen[s] = true
	}
	return w.add(s)
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
			if _, readable := normalise.Text(decoded); !readable {
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
	s.Item, s.Pointer, s.Source = w.item, string(w.pointer), len(w.m.Segments)
	w.m.Segments = append(w.m.Segments, s)
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
