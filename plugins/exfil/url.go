package main

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

//go:embed hosts.txt
var hostFile string

// collectors and renderers are hosts.txt.
var collectors, renderers = func() (c, r []string) {
	lines(hostFile, func(fields []string) {
		switch fields[0] {
		case "collector":
			c = append(c, fields[1])
		case "renderer":
			r = append(r, fields[1])
		default:
			panic("exfil: kind of host " + fields[0])
		}
	})
	return c, r
}()

// below reports that a host is one of these, or below one.
func below(host string, all []string) bool {
	return slices.ContainsFunc(all, func(h string) bool {
		n := len(host) - len(h)
		return n >= 0 && literal.HasPrefixFold(host[n:], h) && (n == 0 || host[n-1] == '.')
	})
}

// maxURL is how much of a URL is looked at, in bytes.
const maxURL = 1024

// outbound finds a URL, with its "://" at text[i], that carries data out: to a
// collector, in a picture that a client fetches without asking, or as encoded
// text in its host, path or query.
func outbound(text string, i int) *hit {
	start := i
	for start > 0 && i-start < 8 && text[start-1]|0x20 >= 'a' && text[start-1]|0x20 <= 'z' {
		start--
	}
	end := i + 3
	for end < len(text) && end-i < maxURL && text[end] > ' ' && text[end] < 127 && strings.IndexByte("\"'<>`|\\^", text[end]) < 0 {
		end++
	}
	picture := inPicture(text, start)
	if picture || start > 0 && text[start-1] == '(' {
		if n := strings.IndexByte(text[start:end], ')'); n >= 0 {
			end = start + n
		}
	}
	address := text[i+3 : max(end, i+3)]
	host, path := address, ""
	if n := strings.IndexAny(address, "/?#"); n >= 0 {
		host, path = address[:n], address[n:]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	host, _, _ = strings.Cut(host, ":")
	if !strings.Contains(host, ".") || below(host, settings.allow) {
		return nil
	}
	h := &hit{rule: ruleURL, confidence: 0.7, start: start, end: end, what: "URL that carries data"}
	_, query, _ := strings.Cut(path, "?")
	switch {
	case below(host, collectors):
		h.rule, h.what = ruleCollector, "URL of a collector"
		if len(query) < 4 && !encoded(host+path, true) {
			h.severity, h.confidence = "low", 0.4
		}
		return h
	case encoded(host+path, picture):
		h.decoded = true
		return h
	case picture && !below(host, renderers) && told(query):
		return h
	}
	return nil
}

// inPicture reports that a URL is where a picture of Markdown or HTML is.
func inPicture(text string, start int) bool {
	before := text[max(0, start-160):start]
	if strings.HasSuffix(before, "](") || strings.HasSuffix(before, "](<") {
		n := strings.LastIndex(before, "![")
		return n >= 0 && !strings.Contains(before[n:], "\n")
	}
	trimmed := strings.TrimRight(before, "\"'")
	n := strings.LastIndex(before, "<img")
	return n >= 0 && strings.HasSuffix(trimmed, "src=") && !strings.Contains(before[n:], ">")
}

// told reports that a query says something: a place to fill in, or words.
func told(query string) bool {
	if len(query) < 4 {
		return false
	}
	low := strings.ToLower(query)
	for _, mark := range [...]string{"={", "=%7b", "=[", "=%5b", "=<", "=$"} {
		if strings.Contains(low, mark) {
			return true
		}
	}
	return strings.Count(low, "%20")+strings.Count(low, "+")+strings.Count(low, "%0a") >= 3
}

// encoded reports that a part of an address is text in hexadecimal or base64.
// Objects in JSON are what cursors and states are made of: they count where
// nobody would put these.
func encoded(address string, objects bool) bool {
	for i := 0; i < len(address); {
		end := i
		for end < len(address) && (url64.has(address[end]) || address[end] == '+') {
			end++
		}
		if end-i >= 20 && readable(address[i:end], objects) {
			return true
		}
		i = end + 1
	}
	return false
}

// readable decodes a value and reports text.
func readable(value string, objects bool) bool {
	b := unhex(value)
	if b == nil {
		b = unbase64(value)
	}
	if len(b) < 12 {
		return false
	}
	odd, words := 0, 0
	for _, c := range b {
		switch {
		case c == ' ' || c == '\n': // not what parameters are made of: h=140;w=140
			words++
		case c < ' ' && c != '\t' && c != '\r' || c > '~':
			odd++
		}
	}
	text := string(b)
	return odd*20 <= len(b) && words > 0 && !strings.HasPrefix(text, "http") && (objects || text[0] != '{' && text[0] != '[')
}

func unhex(value string) []byte {
	if len(value)%2 != 0 || run(value, 0, hexAny) != len(value) {
		return nil
	}
	out := make([]byte, 0, len(value)/2)
	for i := 0; i < len(value); i += 2 {
		out = append(out, nibble(value[i])<<4|nibble(value[i+1]))
	}
	return out
}

func nibble(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0xf + 9
}

// unbase64 decodes either alphabet of RFC 4648, padded or not.
func unbase64(value string) []byte {
	value = strings.TrimRight(value, "=")
	out := make([]byte, 0, len(value)*3/4)
	bits, n := uint32(0), 0
	for i := range len(value) {
		c := value[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c -= 'A'
		case 'a' <= c && c <= 'z':
			c -= 'a' - 26
		case '0' <= c && c <= '9':
			c += 52 - '0'
		case c == '+' || c == '-':
			c = 62
		case c == '/' || c == '_':
			c = 63
		default:
			return nil
		}
		bits, n = bits<<6|uint32(c), n+6
		if n >= 8 {
			n -= 8
			out = append(out, byte(bits>>n))
		}
	}
	return out
}
