// Package stricttoml reads TOML that strangers wrote: bounded in size and
// nesting, without duplicate keys, and with keys told apart by case, which a
// decoder into structs does not do.
//
// It knows TOML and no particular document. The library is BurntSushi/toml,
// whose time grows with the length of a document; pelletier/go-toml looks
// through all keys of a table at each new one.
package stricttoml

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// Errors of the package.
var (
	ErrMalformed = errors.New("malformed TOML")
	ErrTooLarge  = errors.New("TOML exceeds a limit")
)

// MaxDepth bounds nested values, and the parts of one key.
const MaxDepth = 64

// Table is a TOML table as its document wrote it.
type Table map[string]any

// Parse reads a document of at most max bytes.
func Parse(b []byte, max int) (Table, error) {
	if len(b) > max {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, max)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	if err := flat(b); err != nil {
		return nil, err
	}
	var t map[string]any
	if err := toml.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, brief(err))
	}
	return t, nil
}

// Has reports whether the key is there, whatever it holds.
func (t Table) Has(key string) bool { _, ok := t[key]; return ok }

// Text is a string; "" when it is absent.
func (t Table) Text(key string) (string, error) {
	v, ok := t[key]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", wrong(key, "text")
	}
	return s, nil
}

// Bool is true or false; false when it is absent.
func (t Table) Bool(key string) (bool, error) {
	v, ok := t[key]
	if !ok {
		return false, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, wrong(key, "true or false")
	}
	return b, nil
}

// Int is a whole number; ok is false when it is absent.
func (t Table) Int(key string) (n int64, ok bool, err error) {
	v, ok := t[key]
	if !ok {
		return 0, false, nil
	}
	n, ok = v.(int64)
	if !ok {
		return 0, false, wrong(key, "a whole number")
	}
	return n, true, nil
}

// Table is a table; empty when it is absent.
func (t Table) Table(key string) (Table, error) {
	v, ok := t[key]
	if !ok {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, wrong(key, "a table")
	}
	return m, nil
}

// Tables is a list of tables; empty when it is absent.
func (t Table) Tables(key string) ([]Table, error) {
	list, err := t.list(key)
	if err != nil {
		return nil, err
	}
	out := make([]Table, 0, len(list))
	for _, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, wrong(key, "a list of tables")
		}
		out = append(out, m)
	}
	return out, nil
}

// Texts is a list of strings; empty when it is absent.
func (t Table) Texts(key string) ([]string, error) {
	list, err := t.list(key)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, wrong(key, "a list of text")
		}
		out = append(out, s)
	}
	return out, nil
}

func (t Table) list(key string) ([]any, error) {
	v, ok := t[key]
	if !ok {
		return nil, nil
	}
	switch v := v.(type) {
	case []any:
		return v, nil
	case []map[string]any: // how [[key]] arrives
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list, nil
	}
	return nil, wrong(key, "a list")
}

func wrong(key, want string) error {
	return fmt.Errorf("%w: %.100q is not %s", ErrMalformed, key, want)
}

// brief keeps an error short: it may quote what a stranger wrote.
func brief(err error) string {
	s := strings.ToValidUTF8(err.Error(), "?")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
