package jsonrpc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxMethodBytes = 256
	maxIDBytes     = 1024
	maxSafeInteger = 1<<53 - 1 // RFC 7493 §2.2
)

// envelope are the members that JSON-RPC 2.0 defines. Others are refused, as
// the TypeScript SDK does: their content would be read by nobody but a scanner's
// opponent.
var envelope = []string{"jsonrpc", "id", "method", "params", "result", "error"}

// Parse reads exactly one message and validates all of it, nested values
// included: UTF-8, paired surrogates, unique names. Errors wrap one of the
// package's sentinels and quote nothing from the message. Values of the
// message alias b.
func Parse(b []byte, lim Limits) (*Message, error) {
	if lim.Bytes == 0 {
		lim.Bytes = DefaultLimits.Bytes
	}
	if lim.Depth == 0 {
		lim.Depth = DefaultLimits.Depth
	}
	if len(b) > lim.Bytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b), lim.Bytes)
	}
	raw := jsontext.Value(bytes.Trim(b, " \t\r\n"))
	if len(raw) > 0 && raw[0] == '[' {
		return nil, ErrBatch
	}
	if Deeper(raw, lim.Depth) {
		return nil, fmt.Errorf("%w: more than %d levels", ErrTooDeep, lim.Depth)
	}
	members, err := Members(raw)
	if err != nil {
		return nil, err
	}
	return assemble(raw, members)
}

// assemble applies the rules of JSON-RPC 2.0 §4 and §5 to the envelope.
func assemble(raw jsontext.Value, members []Member) (*Message, error) {
	m := &Message{Raw: raw}
	var version, method jsontext.Value
	for _, f := range members {
		switch f.Name {
		case "jsonrpc":
			version = f.Value
		case "id":
			m.ID = f.Value
		case "method":
			method = f.Value
		case "params":
			m.Params = f.Value
		case "result":
			m.Result = f.Value
		case "error":
			m.Error = f.Value
		default:
			if err := foldsToDefined(f.Name, envelope); err != nil {
				return nil, err
			}
			return nil, malformed("unknown envelope member")
		}
	}
	if v, ok := stringValue(version); !ok || v != "2.0" {
		return nil, malformed(`"jsonrpc" is not "2.0"`)
	}
	if method != nil {
		return m, m.asCall(method)
	}
	return m, m.asResponse()
}

func (m *Message) asCall(method jsontext.Value) error {
	if m.Result != nil || m.Error != nil {
		return malformed("both a call and a response")
	}
	name, ok := stringValue(method)
	if !ok || !validMethod(name) {
		return malformed("bad method name")
	}
	if m.Params != nil && m.Params.Kind() != '{' {
		return malformed("params are not an object") // MCP has no by-position params
	}
	m.Method, m.Kind = name, Notification
	if m.ID != nil {
		m.Kind = Request
		return checkID(m.ID)
	}
	return nil
}

func (m *Message) asResponse() error {
	m.Kind = Response
	switch {
	case m.Params != nil:
		return malformed("a response with params")
	case (m.Result == nil) == (m.Error == nil):
		return malformed("neither a call nor a response")
	case m.Result != nil && m.ID == nil:
		return malformed("a result without id")
	case m.Error != nil:
		if err := checkError(m.Error); err != nil {
			return err
		}
		if m.ID == nil || m.ID.Kind() == 'n' {
			return nil // the request could not be read (§5)
		}
	}
	return checkID(m.ID)
}

// Code returns the code of an error response; false for any other message.
func (m *Message) Code() (int, bool) {
	if m.Error == nil {
		return 0, false
	}
	raw, _, _, err := Get(m.Error, "/code")
	if err != nil {
		return 0, false
	}
	code, err := strconv.Atoi(string(raw))
	return code, err == nil
}

// IDKey returns a text that is equal for equal ids however they were escaped,
// and differs between the string "1" and the number 1. It is "" without an id.
func (m *Message) IDKey() string {
	if s, ok := stringValue(m.ID); ok {
		return `"` + s
	}
	return string(m.ID)
}

// CheckNames refuses an object that spells one of the defined names in another
// case ("Name" or "paramſ" beside or instead of "name" or "params"), which
// case-insensitive parsers, encoding/json among them, take for the defined one.
func CheckNames(obj jsontext.Value, defined ...string) error {
	return eachMember(obj, func(m Member) error { return foldsToDefined(m.Name, defined) })
}

// CheckMembers is CheckNames for members that were listed before.
func CheckMembers(members []Member, defined ...string) error {
	for _, m := range members {
		if err := foldsToDefined(m.Name, defined); err != nil {
			return err
		}
	}
	return nil
}

// foldsToDefined compares under Unicode simple case folding.
func foldsToDefined(name string, defined []string) error {
	for _, d := range defined {
		if name != d && strings.EqualFold(name, d) {
			return fmt.Errorf("%w: a member differs from %q only in case", ErrAmbiguous, d)
		}
	}
	return nil
}

func checkID(id jsontext.Value) error {
	if len(id) > maxIDBytes {
		return malformed("id is too long")
	}
	switch id.Kind() {
	case '"':
		return nil
	case '0':
		n, err := strconv.ParseInt(string(id), 10, 64)
		if err == nil && n >= -maxSafeInteger && n <= maxSafeInteger && strconv.FormatInt(n, 10) == string(id) {
			return nil
		}
	}
	return malformed("id is neither a string nor a safe integer")
}

func checkError(obj jsontext.Value) error {
	if obj.Kind() != '{' {
		return malformed("error is not an object")
	}
	var code, message bool
	err := eachMember(obj, func(m Member) error {
		switch m.Name {
		case "code":
			_, err := strconv.ParseInt(string(m.Value), 10, 32)
			code = err == nil
		case "message":
			message = m.Value.Kind() == '"'
		}
		return foldsToDefined(m.Name, []string{"code", "message", "data"})
	})
	if err == nil && !(code && message) {
		err = malformed("error without integer code and string message")
	}
	return err
}

func validMethod(name string) bool {
	if name == "" || len(name) > maxMethodBytes {
		return false
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return true
}

// Deeper reports whether b nests deeper than limit. It runs before any parser
// does, on bytes that may not be JSON: only brackets outside strings count.
func Deeper(b []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i+1)
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// stringEnd returns where the string ends that b[i:] begins inside of, len(b)
// where it does not.
func stringEnd(b []byte, i int) int {
	for end := i - 1; ; {
		if end < i { // not looked for yet, or an escaped quote
			n := bytes.IndexByte(b[i:], '"')
			if n < 0 {
				return len(b)
			}
			end = i + n
		}
		escape := bytes.IndexByte(b[i:end], '\\')
		if escape < 0 {
			return end
		}
		if i += escape + 2; i > len(b) {
			return len(b)
		}
	}
}

func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }
