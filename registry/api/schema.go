package api

import (
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// schemas turns wire structs into JSON Schema components, by name.
type schemas struct{ components object }

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[jsontext.Value]()
)

func (s *schemas) of(v any) object {
	if v == nil {
		return object{}
	}
	return s.ofType(reflect.TypeOf(v))
}

func (s *schemas) ofType(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == rawType:
		return object{"description": "any JSON value"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.ofType(t.Elem())
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return object{"type": "array", "items": s.ofType(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.ofType(t.Elem())}
	case reflect.Struct:
		return s.component(t)
	}
	panic("registry/api: no schema for " + t.String())
}

func (s *schemas) component(t reflect.Type) object {
	ref := object{"$ref": "#/components/schemas/" + t.Name()}
	if _, done := s.components[t.Name()]; done {
		return ref
	}
	properties, required := object{}, []string{}
	s.components[t.Name()] = object{"type": "object", "properties": properties}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		properties[name] = s.ofType(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		s.components[t.Name()].(object)["required"] = required
	}
	return ref
}
