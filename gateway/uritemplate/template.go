// Package uritemplate decides whether a URI is an expansion of a resource
// template (RFC 6570), so that reading it stays inside what was approved.
//
// It is deliberately narrower than the RFC: where an expansion could be read
// in two ways, as a path that climbs or as an escaped separator, it is no
// match. It must not know resources, approvals or transports.
package uritemplate

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// ErrTemplate is a text that is no URI template, or one beyond the limits.
var ErrTemplate = errors.New("not a usable URI template")

const (
	maxTemplate    = 4 << 10
	maxURI         = 16 << 10
	maxExpressions = 32
)

// Template is a compiled URI template.
type Template struct {
	pattern *regexp.Regexp
	free    []bool // per capture: the expression may span path segments
}

// Parse compiles a template of RFC 6570 levels 1 to 3 and the modifiers of
// level 4, which only widen what the same characters may spell.
func Parse(s string) (*Template, error) {
	if len(s) > maxTemplate {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTemplate, maxTemplate)
	}
	var pattern strings.Builder
	t := &Template{}
	pattern.WriteString(`\A`)
	for s != "" {
		literal, rest, found := strings.Cut(s, "{")
		if strings.Contains(literal, "}") {
			return nil, fmt.Errorf("%w: unbalanced braces", ErrTemplate)
		}
		pattern.WriteString(regexp.QuoteMeta(literal))
		if !found {
			break
		}
		body, after, closed := strings.Cut(rest, "}")
		if !closed || len(t.free) == maxExpressions {
			return nil, fmt.Errorf("%w: unbalanced braces or over %d expressions", ErrTemplate, maxExpressions)
		}
		expr, free, err := expression(body)
		if err != nil {
			return nil, err
		}
		pattern.WriteString("(" + expr + ")")
		t.free = append(t.free, free)
		s = after
	}
	pattern.WriteString(`\z`)
	compiled, err := regexp.Compile(pattern.String())
	if err != nil {
		return nil, fmt.Errorf("%w: too complex", ErrTemplate)
	}
	t.pattern = compiled
	return t, nil
}

// Character classes of RFC 3986 §2, with percent-encoded bytes.
const (
	unreserved = `(?:[A-Za-z0-9\-._~]|%[0-9A-Fa-f]{2})`
	reserved   = `(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})`
)

var varspec = regexp.MustCompile(`\A[A-Za-z0-9_](?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})*(?:\*|:[1-9][0-9]{0,3})?\z`)

// expression turns the inside of one pair of braces into a pattern. free says
// that its value may hold slashes.
func expression(body string) (pattern string, free bool, err error) {
	operator := ""
	if body != "" && strings.Contains("+#./;?&", body[:1]) {
		operator, body = body[:1], body[1:]
	}
	var names []string
	for spec := range strings.SplitSeq(body, ",") {
		if !varspec.MatchString(spec) {
			return "", false, fmt.Errorf("%w: bad variable", ErrTemplate)
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(spec, "*"), ":")
		names = append(names, regexp.QuoteMeta(name))
	}
	list := func(first, sep, item string) string {
		return fmt.Sprintf("(?:%s%s(?:%s%s){0,%d})", first, item, sep, item, len(names)-1)
	}
	switch operator {
	case "":
		return list("", ",", unreserved+"+"), false, nil
	case "+":
		return reserved + "+", true, nil
	case "#":
		return "(?:#" + reserved + "*)?", true, nil
	case ".":
		return list(`\.`, `\.`, unreserved+"+") + "?", false, nil
	case "/":
		return list("/", "/", unreserved+"+") + "?", true, nil
	}
	pair := "(?:" + strings.Join(names, "|") + ")(?:=" + unreserved + "*)?"
	switch operator {
	case ";":
		return list(";", ";", pair) + "?", false, nil
	case "?":
		return list(`\?`, "&", pair) + "?", false, nil
	default: // "&"
		return list("&", "&", pair) + "?", false, nil
	}
}

// Match reports whether uri is an expansion of the template that no reader
// can take for a climbing path.
func (t *Template) Match(uri string) bool {
	if len(uri) > maxURI {
		return false
	}
	captures := t.pattern.FindStringSubmatch(uri)
	if captures == nil {
		return false
	}
	for i, free := range t.free {
		if !plain(captures[i+1], free) {
			return false
		}
	}
	return true
}

// plain refuses what climbs or hides a separator: dot segments, backslashes,
// NUL and control characters, percent-encoded slashes, and escapes of escapes.
func plain(value string, free bool) bool {
	decoded, err := url.PathUnescape(value)
	if err != nil || strings.Contains(decoded, "%") {
		return false
	}
	if strings.ContainsFunc(decoded, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' }) {
		return false
	}
	if strings.Count(decoded, "/") != strings.Count(value, "/") || (!free && strings.Contains(decoded, "/")) {
		return false
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == ".." || segment == "." {
			return false
		}
	}
	return true
}
