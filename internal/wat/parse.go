package wat

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// parser reads S-expressions (§6.3).
type parser struct {
	src  string
	pos  int
	line int
}

func (p *parser) parse() (node, error) {
	n, err := p.node()
	if err != nil {
		return n, err
	}
	if p.space(); p.pos < len(p.src) {
		return n, node{line: p.line}.bad("something follows the module")
	}
	return n, nil
}

// space skips white space and comments to the end of a line.
func (p *parser) space() {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '\n':
			p.line++
			p.pos++
		case c == ' ' || c == '\t' || c == '\r':
			p.pos++
		case strings.HasPrefix(p.src[p.pos:], ";;"):
			for p.pos < len(p.src) && p.src[p.pos] != '\n' {
				p.pos++
			}
		default:
			return
		}
	}
}

func (p *parser) node() (node, error) {
	p.space()
	n := node{line: p.line}
	if p.pos == len(p.src) {
		return n, n.bad("ends too early")
	}
	switch p.src[p.pos] {
	case '(':
		p.pos++
		n.list = []node{}
		for {
			if p.space(); p.pos < len(p.src) && p.src[p.pos] == ')' {
				p.pos++
				return n, nil
			}
			inner, err := p.node()
			if err != nil {
				return n, err
			}
			n.list = append(n.list, inner)
		}
	case ')':
		return n, n.bad("a parenthesis too many")
	case '"':
		s, err := p.str()
		n.text = &s
		return n, err
	}
	from := p.pos
	for p.pos < len(p.src) && !strings.ContainsRune(" \t\r\n()\";", rune(p.src[p.pos])) {
		p.pos++
	}
	n.atom = p.src[from:p.pos]
	return n, nil
}

// str reads a string with the escapes \n \t \" \\ and two hexadecimal digits.
func (p *parser) str() (string, error) {
	var out []byte
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case '"':
			p.pos++
			return string(out), nil
		case '\n':
			return "", node{line: p.line}.bad("a string ends with its line")
		case '\\':
			p.pos++
			rest := p.src[p.pos:]
			switch {
			case strings.HasPrefix(rest, "n"):
				out = append(out, '\n')
			case strings.HasPrefix(rest, "t"):
				out = append(out, '\t')
			case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, `\`):
				out = append(out, rest[0])
			default:
				if len(rest) < 2 {
					return "", node{line: p.line}.bad("an escape ends too early")
				}
				b, err := hex.DecodeString(rest[:2])
				if err != nil {
					return "", fmt.Errorf("%w: line %d: %w", ErrSyntax, p.line, err)
				}
				out = append(out, b...)
				p.pos++
			}
		default:
			out = append(out, c)
		}
	}
	return "", node{line: p.line}.bad("a string without end")
}
