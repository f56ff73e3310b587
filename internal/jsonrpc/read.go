package jsonrpc

import "github.com/go-json-experiment/json/jsontext"

// Member is one member of an object. Offsets count bytes from the start of the
// value handed to Members.
type Member struct {
	Name       string // decoded
	Value      jsontext.Value
	Start, End int // of the value
	KeyStart   int // of the opening quote of the name
}

// Members lists an object's members in order.
func Members(obj jsontext.Value) ([]Member, error) { return nil, ErrMalformed }

// Element is one element of an array.
type Element struct {
	Value      jsontext.Value
	Start, End int
}

// Elements lists an array's elements in order.
func Elements(arr jsontext.Value) ([]Element, error) { return nil, ErrMalformed }

// Get resolves a JSON Pointer (RFC 6901) and returns the value with its byte
// span in v.
func Get(v jsontext.Value, ptr jsontext.Pointer) (val jsontext.Value, start, end int, err error) {
	return nil, 0, 0, ErrNotFound
}
