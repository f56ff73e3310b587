package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Member is one member of an object. Offsets count bytes from the start of the
// value handed to Members.
type Member struct {
	Name       string // decoded
	Value      jsontext.Value
	Start, End int // of the value
	KeyStart   int // of the opening quote of the name
}

// Element is one element of an array.
type Element struct {
	Value      jsontext.Value
	Start, End int
}

// Members lists an object's members in order. It validates the whole value.
func Members(obj jsontext.Value) ([]Member, error) {
	var all []Member
	err := eachMember(obj, func(m Member) error {
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Elements lists an array's elements in order. It validates the whole value.
func Elements(arr jsontext.Value) ([]Element, error) {
	var all []Element
	err := eachElement(arr, func(e Element) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Get resolves a JSON Pointer (RFC 6901) and returns the value with its byte
// span in v, which must be valid JSON: what follows the value is not read.
// The error wraps ErrNotFound where the pointer leads nowhere.
func Get(v jsontext.Value, ptr jsontext.Pointer) (val jsontext.Value, start, end int, err error) {
	if !ptr.IsValid() {
		return nil, 0, 0, fmt.Errorf("%w: not a JSON Pointer", ErrNotFound)
	}
	val = bytes.Trim(v, " \t\r\n")
	start = len(v) - len(bytes.TrimLeft(v, " \t\r\n"))
	for token := range ptr.Tokens() {
		var offset int
		if val, offset, err = child(val, token); err != nil {
			return nil, 0, 0, err
		}
		start += offset
	}
	return val, start, start + len(val), nil
}

// errStop ends an iteration early; it never leaves the package.
var errStop = errors.New("stop")

func child(v jsontext.Value, token string) (val jsontext.Value, offset int, err error) {
	switch v.Kind() {
	case '{':
		err = eachMember(v, func(m Member) error {
			if m.Name == token {
				val, offset = m.Value, m.Start
				return errStop
			}
			return nil
		})
	case '[':
		index, convErr := strconv.ParseUint(token, 10, 31)
		if convErr != nil || strconv.FormatUint(index, 10) != token {
			return nil, 0, ErrNotFound
		}
		n := uint64(0)
		err = eachElement(v, func(e Element) error {
			if n == index {
				val, offset = e.Value, e.Start
				return errStop
			}
			n++
			return nil
		})
	}
	switch {
	case err == errStop:
		return val, offset, nil
	case err != nil:
		return nil, 0, err
	}
	return nil, 0, ErrNotFound
}

func eachMember(obj jsontext.Value, f func(Member) error) error {
	return eachItem(obj, '{', func(dec *jsontext.Decoder) error {
		key, err := dec.ReadValue()
		if err != nil {
			return err
		}
		keyStart := int(dec.InputOffset()) - len(key)
		name, err := unquote(key)
		if err != nil {
			return err
		}
		value, start, end, err := readValue(dec, obj)
		if err != nil {
			return err
		}
		return f(Member{Name: name, Value: value, Start: start, End: end, KeyStart: keyStart})
	})
}

func eachElement(arr jsontext.Value, f func(Element) error) error {
	return eachItem(arr, '[', func(dec *jsontext.Decoder) error {
		value, start, end, err := readValue(dec, arr)
		if err != nil {
			return err
		}
		return f(Element{Value: value, Start: start, End: end})
	})
}

// reader is a decoder with what it reads, kept from one value to the next.
type reader struct {
	dec    jsontext.Decoder
	source bytes.Buffer
}

var readers = sync.Pool{New: func() any { return new(reader) }}

func (r *reader) over(v jsontext.Value) *jsontext.Decoder {
	r.source = *bytes.NewBuffer(v)
	r.dec.Reset(&r.source)
	return &r.dec
}

// release gives the reader back without the value.
func (r *reader) release() {
	r.over(nil)
	readers.Put(r)
}

// eachItem calls item at the start of every item of the container v and
// refuses anything after the container. Errors of the JSON decoder come back
// as sentinels of this package.
func eachItem(v jsontext.Value, open jsontext.Kind, item func(*jsontext.Decoder) error) error {
	r := readers.Get().(*reader)
	defer r.release()
	dec := r.over(v)
	first, err := dec.ReadToken()
	if err != nil {
		return syntaxError(err)
	}
	if first.Kind() != open {
		return malformed("not the expected container")
	}
	for k := dec.PeekKind(); k != '}' && k != ']'; k = dec.PeekKind() {
		if err := item(dec); err != nil {
			return syntaxError(err)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return syntaxError(err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return malformed("data after the value")
	}
	return nil
}

func readValue(dec *jsontext.Decoder, src jsontext.Value) (v jsontext.Value, start, end int, err error) {
	read, err := dec.ReadValue()
	if err != nil {
		return nil, 0, 0, err
	}
	end = int(dec.InputOffset())
	start = end - len(read)
	return src[start:end:end], start, end, nil
}

// syntaxError translates an error of the decoder and keeps its position only:
// its text and pointer quote the message. Other errors pass unchanged.
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case err == errStop:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("%w: duplicate member name", ErrAmbiguous)
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: invalid JSON at byte %d", ErrMalformed, syntax.ByteOffset)
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return malformed("invalid JSON: unexpected end")
	}
	return err
}

// Text returns the string at a pointer, "" for anything else.
func Text(v jsontext.Value, ptr jsontext.Pointer) string {
	val, _, _, err := Get(v, ptr)
	if err != nil {
		return ""
	}
	s, ok := stringValue(val)
	if !ok {
		return ""
	}
	return s
}

// stringValue decodes a raw string token; false for any other value.
func stringValue(v jsontext.Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	s, err := unquote(v)
	return s, err == nil
}

// unquote decodes a string that a decoder has read.
func unquote(v jsontext.Value) (string, error) {
	if n := len(v); n > 1 && v[0] == '"' && v[n-1] == '"' && bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err
}
