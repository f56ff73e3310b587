package listing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// object is one JSON object by member name.
type object map[string]jsontext.Value

func readObject(raw jsontext.Value, what string) (object, error) {
	if raw.Kind() != '{' {
		return nil, malformed(what + " is not an object")
	}
	if jsonrpc.Deeper(raw, MaxDepth) {
		return nil, malformed("nested too deeply")
	}
	members, err := jsonrpc.Members(raw)
	if err != nil {
		return nil, wrap(err)
	}
	o := make(object, len(members))
	for _, m := range members {
		o[m.Name] = m.Value
	}
	return o, nil
}

// get returns a member, nil when it is absent or null.
func (o object) get(name string) jsontext.Value {
	if v := o[name]; v != nil && v.Kind() != 'n' {
		return v
	}
	return nil
}

// text decodes a string member into s and leaves s alone when it is absent.
func (o object) text(name string, s *string) error {
	raw := o.get(name)
	if raw == nil {
		return nil
	}
	if raw.Kind() != '"' {
		return malformed(name + " is not a string")
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return malformed(name + " is not a string")
	}
	*s = string(b)
	return nil
}

// only refuses members outside the schema.
func (o object) only(names ...string) error {
	for name := range o {
		if !slices.Contains(names, name) {
			return malformed("a member that the schema does not have")
		}
	}
	return nil
}

func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }

func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jsonrpc.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}
