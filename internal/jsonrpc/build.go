package jsonrpc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const codeInternalError = -32603

// NewRequest builds a request; nil params are left out, raw params go out
// verbatim. It panics on params that JSON cannot express, which is a mistake in
// the program.
func NewRequest(id int64, method string, params any) []byte {
	return call(`{"jsonrpc":"2.0","id":`+strconv.FormatInt(id, 10), method, params)
}

// NewNotification builds a notification, with params as in NewRequest.
func NewNotification(method string, params any) []byte {
	return call(`{"jsonrpc":"2.0"`, method, params)
}

func call(head, method string, params any) []byte {
	b := append([]byte(head), `,"method":`...)
	b = append(b, quote(method)...)
	if raw, err := encode(params); err != nil {
		panic(fmt.Sprintf("jsonrpc: params of %s: %v", method, err))
	} else if raw != nil {
		b = append(append(b, `,"params":`...), raw...)
	}
	return append(b, '}')
}

// NewResult builds a successful response; raw results go out verbatim, a nil
// one as {}. A result that JSON cannot express becomes an internal error, so
// that the request is answered in any case.
func NewResult(id jsontext.Value, result any) []byte {
	raw, err := encode(result)
	if err != nil {
		return NewError(id, codeInternalError, "the result could not be encoded", nil)
	}
	if raw == nil {
		raw = jsontext.Value("{}")
	}
	b := append([]byte(`{"jsonrpc":"2.0","id":`), idOrNull(id)...)
	b = append(append(b, `,"result":`...), raw...)
	return append(b, '}')
}

// NewError builds an error response. A nil id is written as null; data that is
// nil or that JSON cannot express is left out.
func NewError(id jsontext.Value, code int, message string, data any) []byte {
	b := append([]byte(`{"jsonrpc":"2.0","id":`), idOrNull(id)...)
	b = append(b, `,"error":{"code":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(append(b, `,"message":`...), quote(message)...)
	if raw, err := encode(data); err == nil && raw != nil {
		b = append(append(b, `,"data":`...), raw...)
	}
	return append(b, "}}"...)
}

func idOrNull(id jsontext.Value) jsontext.Value {
	if len(id) == 0 {
		return jsontext.Value("null")
	}
	return id
}

func quote(s string) []byte {
	b, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD")) // valid UTF-8 always quotes
	return b
}

// encode returns nil for nil, raw JSON as it is, and marshals the rest;
// invalid UTF-8 in Go strings becomes U+FFFD.
func encode(v any) (jsontext.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case jsontext.Value:
		if len(v) == 0 {
			return nil, nil
		}
		if !v.IsValid() {
			return nil, malformed("raw value")
		}
		return bytes.TrimSpace(v), nil
	}
	return json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
}
