package strictyaml

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
)

// explain turns a decoding error into one about the document.
func (d *document) explain(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return fmt.Errorf("%w: cannot be read", ErrInvalid)
	}
	at := d.place(semantic.JSONPointer)
	problem := "not accepted"
	switch {
	case errors.Is(err, json.ErrUnknownName):
		problem = "unknown key"
	case errors.Is(err, errDuration):
		problem = errDuration.Error()
	case semantic.GoType != nil:
		problem = "expected " + describe(semantic.GoType)
	}
	return &Error{Line: at.line, Key: at.key, Problem: problem}
}

// describe says what a Go type is in YAML.
func describe(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number of %d bits, not negative", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "keys and values"
	default:
		return t.String()
	}
}
