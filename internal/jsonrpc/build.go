package jsonrpc

import "github.com/go-json-experiment/json/jsontext"

// NewRequest builds a request; nil params are left out.
func NewRequest(id int64, method string, params any) []byte { return nil }

// NewNotification builds a notification; nil params are left out.
func NewNotification(method string, params any) []byte { return nil }

// NewResult builds a successful response.
func NewResult(id jsontext.Value, result any) []byte { return nil }

// NewError builds an error response; a nil id is written as null, nil data is left out.
func NewError(id jsontext.Value, code int, message string, data any) []byte { return nil }
