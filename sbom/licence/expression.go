package licence

import (
	"errors"
	"strings"
)

// Bounds of an expression.
const (
	maxExpression = 4096
	maxNesting    = 64
)

var errExpression = errors.New("no SPDX licence expression")

type operator byte

const (
	and operator = iota + 1
	or
)

// term is a parsed expression (SPDX 2.3, annex D): WITH binds closest, then
// AND, then OR. The library's own evaluation is not used: it loses
// alternatives that contain alternatives, and its time doubles with each.
type term struct {
	operator    operator // 0: one licence
	left, right *term
	id          string
	exception   string
}

type parser struct {
	tokens []string
	depth  int
}

func parse(s string) (*term, error) {
	if len(s) > maxExpression {
		return nil, errExpression
	}
	p := &parser{tokens: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))}
	t, err := p.alternatives()
	if err != nil || len(p.tokens) > 0 {
		return nil, errExpression
	}
	return t, nil
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) alternatives() (*term, error) { return p.chain("OR", or, p.conjunction) }

func (p *parser) conjunction() (*term, error) { return p.chain("AND", and, p.licence) }

func (p *parser) chain(word string, op operator, inner func() (*term, error)) (*term, error) {
	left, err := inner()
	for err == nil && strings.EqualFold(p.peek(), word) {
		p.next()
		var right *term
		if right, err = inner(); err == nil {
			left = &term{operator: op, left: left, right: right}
		}
	}
	return left, err
}

func (p *parser) licence() (*term, error) {
	token := p.next()
	if token == "(" {
		if p.depth++; p.depth > maxNesting {
			return nil, errExpression
		}
		t, err := p.alternatives()
		if p.next() != ")" {
			return nil, errExpression
		}
		p.depth--
		return t, err
	}
	if !name(token) {
		return nil, errExpression
	}
	t := &term{id: present(token)}
	if strings.EqualFold(p.peek(), "WITH") {
		p.next()
		if t.exception = p.next(); !name(t.exception) {
			return nil, errExpression
		}
	}
	return t, nil
}

func name(token string) bool {
	for _, r := range token {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-.:+", r) {
			return false
		}
	}
	for _, word := range []string{"AND", "OR", "WITH"} {
		if strings.EqualFold(token, word) {
			return false
		}
	}
	return token != ""
}

// present writes a deprecated identifier of the GNU licences as it is written
// now, so that lists need to know one spelling.
func present(id string) string {
	stem, later := strings.CutSuffix(id, "+")
	suffix := "-only"
	if later {
		suffix = "-or-later"
	}
	if listed(stem + suffix) {
		return stem + suffix
	}
	return stem // a licence or any later version of it is at least that licence
}
