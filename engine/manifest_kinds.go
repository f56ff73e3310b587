package engine

import (
	"reflect"

	"github.com/go-json-experiment/json/jsontext"
)

// kindName says what a JSON value is.
func kindName(k jsontext.Kind) string {
	switch k {
	case '"':
		return "text"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	case '[':
		return "a list"
	case '{':
		return "an object"
	}
	return "something else"
}

// wantedKind says what a Go type is in JSON.
func wantedKind(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint32:
		return "a whole number of 32 bits, not negative"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		return "an object"
	}
	return ""
}

// shown is a value of JSON, if it is not long.
func shown(v jsontext.Value) string {
	const most = 40
	switch {
	case len(v) == 0:
		return "something else"
	case len(v) > most:
		return kindName(v.Kind())
	}
	return string(v)
}
