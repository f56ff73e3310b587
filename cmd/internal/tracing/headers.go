package tracing

import (
	"errors"
	"net/textproto"
	"regexp"
	"strings"
)

// Names and values of headers (RFC 9110 §5.1, §5.5), values in ASCII.
var (
	headerName  = regexp.MustCompile("\\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\\z")
	headerValue = regexp.MustCompile(`\A[\x20-\x7e\t]*\z`)
)

var errHeaders = errors.New("expected lines of the form Name: value, each name once")

// maxHeaders bounds the file of headers.
const maxHeaders = 16 << 10

// parseHeaders reads lines "Name: value". Empty lines and those that begin with
// # say nothing. Errors quote nothing: values are secrets.
func parseHeaders(body []byte) (map[string]string, error) {
	if len(body) > maxHeaders {
		return nil, errHeaders
	}
	all := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if line = strings.TrimRight(line, "\r\n"); line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !headerName.MatchString(name) || !headerValue.MatchString(value) {
			return nil, errHeaders
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if _, again := all[name]; again {
			return nil, errHeaders
		}
		all[name] = value
	}
	return all, nil
}
