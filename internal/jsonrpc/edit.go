package jsonrpc

import "github.com/go-json-experiment/json/jsontext"

// Edit replaces the bytes [Start, End) by New.
type Edit struct {
	Start, End int
	New        []byte
}

// Span is a range of UTF-8 bytes in a decoded string.
type Span struct{ Start, End int }

// Splice applies edits that are sorted and do not overlap.
func Splice(raw []byte, edits ...Edit) ([]byte, error) { return nil, ErrEdit }

// RemoveElements drops the elements for which drop answers true.
func RemoveElements(arr jsontext.Value, drop func(i int) bool) (jsontext.Value, error) {
	return nil, ErrEdit
}

// RemoveMember drops a member; an object without it is returned unchanged.
func RemoveMember(obj jsontext.Value, name string) (jsontext.Value, error) { return nil, ErrEdit }

// ReplaceID returns the message with another id.
func ReplaceID(m *Message, id jsontext.Value) ([]byte, error) { return nil, ErrEdit }

// RedactString replaces spans of the string at ptr, widened to whole runes and
// whole escapes.
func RedactString(doc []byte, ptr jsontext.Pointer, spans []Span, replacement string) ([]byte, error) {
	return nil, ErrEdit
}
