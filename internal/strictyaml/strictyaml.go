// Package strictyaml reads configuration: YAML in which every mistake is an
// error that names its line and key. It knows no particular configuration.
//
// A document is translated to JSON and decoded by go-json-experiment/json, so
// what holds for messages from outside holds here: unknown and duplicate keys
// are errors, and no value is bent into another type. What makes YAML
// surprising is refused: anchors, aliases, merge keys, tags, directives,
// several documents, keys that are not text, numbers that are not decimal.
// Error texts hold keys and types, never values: those may be secrets.
package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of a document. Configuration that outgrows them is no configuration.
const (
	MaxBytes = 1 << 20
	maxDepth = 32
)

var (
	// ErrInvalid: the document is not what v wants, or not YAML as read here.
	// Wherever a line can be named, the error is an *Error.
	ErrInvalid = errors.New("strictyaml: invalid configuration")
	// ErrTooLarge: more than MaxBytes.
	ErrTooLarge = errors.New("strictyaml: configuration too large")
)

// Error is a mistake at a place. It wraps ErrInvalid.
type Error struct {
	Line    int    // from 1
	Key     string // path of the key, "gateway.routes[0].alias"; "" at the top
	Problem string
}

func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Key, e.Problem)
}

func (e *Error) Unwrap() error { return ErrInvalid }

// Unmarshal reads one YAML document into v, a pointer to a struct with `json`
// tags. Keys that are absent, or present without a value, leave what v holds:
// set defaults beforehand. A time.Duration is written as Go does ("1m30s"). An
// empty document changes nothing, and neither does one with a mistake in it.
// Errors: *Error, ErrInvalid, ErrTooLarge.
func Unmarshal(b []byte, v any) error {
	switch {
	case len(b) > MaxBytes:
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
	case !utf8.Valid(b):
		return fmt.Errorf("%w: not UTF-8", ErrInvalid)
	}
	tokens := lexer.Tokenize(string(b))
	if err := plain(tokens); err != nil {
		return err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return syntax(err)
	}
	body, err := bodyOf(file)
	if err != nil || body == nil {
		return err
	}
	// Into a fresh value first: so keys without value are checked too, although
	// they must not overwrite defaults, and a mistake leaves v alone.
	for _, pass := range []struct {
		into     any
		omitNull bool
	}{{fresh(v), false}, {v, true}} {
		doc, err := translate(body, pass.omitNull)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(doc.json, pass.into, decodeOptions); err != nil {
			return doc.explain(err)
		}
	}
	return nil
}

// At returns the error that something is wrong at a place of a document that
// Unmarshal has read: p is where that stands in v. It is for what is known only
// once all of the document is.
func At(b []byte, p jsontext.Pointer, problem string) error {
	file, err := parser.Parse(lexer.Tokenize(string(b)), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return syntax(err)
	}
	body, err := bodyOf(file)
	if err != nil || body == nil {
		return &Error{Line: 1, Problem: problem}
	}
	doc, err := translate(body, false)
	if err != nil {
		return err
	}
	at := doc.place(p)
	return &Error{Line: at.line, Key: at.key, Problem: problem}
}

// fresh returns a new zero value of what v points to.
func fresh(v any) any {
	return reflect.New(reflect.TypeOf(v).Elem()).Interface()
}

// ReadFile is Unmarshal of a file, of which it reads no more than MaxBytes.
func ReadFile(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return err
	}
	if err := Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

var errDuration = errors.New(`expected a duration such as "30s"`)

var decodeOptions = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, d *time.Duration) error {
		var s string
		if err := json.UnmarshalDecode(dec, &s); err != nil {
			return errDuration
		}
		parsed, err := time.ParseDuration(s)
		if err != nil {
			return errDuration // the original quotes the value
		}
		*d = parsed
		return nil
	})),
)

func syntax(err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return &Error{Line: y.GetToken().Position.Line, Problem: "not valid YAML"}
	}
	return fmt.Errorf("%w: not valid YAML", ErrInvalid)
}
