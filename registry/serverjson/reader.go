package serverjson

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const maxProblems = 50

// reader walks a decoded document and collects problems.
type reader struct{ problems Problems }

func (r *reader) report(pointer, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, Problem{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
	}
}

// object is one JSON object with the members that the schema knows.
type object struct {
	r       *reader
	pointer string
	members map[string]any
}

// open checks that v is an object without members that the schema does not
// know; extra members are where smuggled and misspelt settings hide.
func (r *reader) open(pointer string, v any, known ...string) (object, bool) {
	members, isObject := v.(map[string]any)
	if !isObject {
		r.report(pointer, "must be an object")
		return object{}, false
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, key) {
			if near := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, key) }); near >= 0 {
				r.report(child(pointer, key), "unknown member; did you mean %q?", known[near])
			} else {
				r.report(child(pointer, key), "unknown member")
			}
		}
	}
	return object{r: r, pointer: pointer, members: members}, true
}

// text reads a string of min to max characters; an absent one is a problem
// only if it is required.
func (o object) text(key string, required bool, min, max int) string {
	v, present := o.members[key]
	if !present {
		if required {
			o.r.report(child(o.pointer, key), "is required")
		}
		return ""
	}
	s, isString := v.(string)
	if !isString {
		o.r.report(child(o.pointer, key), "must be a string")
		return ""
	}
	if n := utf8.RuneCountInString(s); n < min || n > max {
		o.r.report(child(o.pointer, key), "must have %d to %d characters, has %d", min, max, n)
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 && c != '\n' && c != '\t' && c != '\r' || c == 0x7f }) {
		o.r.report(child(o.pointer, key), "holds control characters")
	}
	return s
}

// oneOf reads a required string from a closed list.
func (o object) oneOf(key string, allowed ...string) string {
	s := o.text(key, true, 0, 64)
	if s != "" && !slices.Contains(allowed, s) {
		o.r.report(child(o.pointer, key), "must be one of %s", strings.Join(allowed, ", "))
	}
	return s
}

// link reads an absolute URL without user information.
func (o object) link(key string, required bool) string {
	s := o.text(key, required, 1, 2048)
	if s != "" && !absoluteURL(s) {
		o.r.report(child(o.pointer, key), "must be an absolute URL without user information")
	}
	return s
}

func (o object) flag(key string) bool {
	v, present := o.members[key]
	b, isBool := v.(bool)
	if present && !isBool {
		o.r.report(child(o.pointer, key), "must be true or false")
	}
	return b
}

// each visits the elements of an array of at most max elements.
func (o object) each(key string, max int, visit func(pointer string, v any)) {
	v, present := o.members[key]
	if !present {
		return
	}
	list, isList := v.([]any)
	if !isList {
		o.r.report(child(o.pointer, key), "must be an array")
		return
	}
	if len(list) > max {
		o.r.report(child(o.pointer, key), "has %d elements; at most %d", len(list), max)
		return
	}
	for i, element := range list {
		visit(child(child(o.pointer, key), fmt.Sprint(i)), element)
	}
}

func child(pointer, key string) string {
	return pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// decode reads exactly one JSON object: no duplicate keys, no invalid UTF-8,
// no trailing data, bounded size and depth.
func decode(raw []byte) (map[string]any, error) {
	if len(raw) > MaxBytes {
		return nil, Problems{{Message: fmt.Sprintf("has %d bytes; at most %d", len(raw), MaxBytes)}}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return nil, Problems{{Message: "is not one well-formed JSON value: " + plain(err)}}
		}
		if depth := dec.StackDepth(); depth > maxDepth {
			return nil, Problems{{Message: fmt.Sprintf("is nested deeper than %d levels", maxDepth)}}
		} else if depth == 0 {
			if token.Kind() != '}' {
				return nil, Problems{{Message: "must be an object"}}
			}
			break
		}
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, Problems{{Message: "is not one well-formed JSON value: " + plain(err)}}
	}
	return members, nil
}

// plain keeps a parser's message on one printable line.
func plain(err error) string {
	s := strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, err.Error())
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "..."
	}
	return s
}
