// Package licence judges SPDX licence expressions by an operator's lists: what
// is allowed, what is denied, and what people have to look at, which is
// everything else.
//
// It knows expressions and lists. It must not know SBOMs, checklists or what
// follows from a verdict.
package licence

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// ErrPolicy: lists that cannot be meant.
var ErrPolicy = errors.New("licence: unusable policy")

// Verdict says what is to be done about a licence, mildest first.
type Verdict string

// The verdicts.
const (
	Allowed Verdict = "allowed"
	Review  Verdict = "review"
	Denied  Verdict = "denied"
)

var verdicts = []Verdict{Allowed, Review, Denied}

func best(a, b Verdict) Verdict {
	return verdicts[min(slices.Index(verdicts, a), slices.Index(verdicts, b))]
}

func worst(a, b Verdict) Verdict {
	return verdicts[max(slices.Index(verdicts, a), slices.Index(verdicts, b))]
}

// Policy is an operator's lists. Each holds SPDX identifiers, with or without
// an exception ("GPL-2.0-only WITH Classpath-exception-2.0"), LicenseRefs, or
// prefixes that end with "*".
type Policy struct{ entries []entry }

type entry struct {
	text    string // lower case; SPDX compares so
	prefix  bool
	verdict Verdict
}

// NewPolicy checks the lists: every entry is a known identifier or a prefix, and
// none stands in two of them.
func NewPolicy(allow, deny, review []string) (*Policy, error) {
	p := &Policy{}
	seen := map[string]bool{}
	for _, list := range []struct {
		verdict Verdict
		names   []string
	}{{Allowed, allow}, {Denied, deny}, {Review, review}} {
		for _, name := range list.names {
			e := entry{verdict: list.verdict}
			if stem, ok := strings.CutSuffix(name, "*"); ok {
				e.text, e.prefix = strings.ToLower(stem), true
			} else if t, err := parse(name); err != nil || t.operator != 0 || !t.known() {
				return nil, fmt.Errorf("%w: %.100q is no SPDX licence", ErrPolicy, name)
			} else {
				e.text = strings.ToLower(t.text())
			}
			if e.text == "" || seen[name] || seen[e.text] {
				return nil, fmt.Errorf("%w: %.100q stands twice or says nothing", ErrPolicy, name)
			}
			seen[e.text] = true
			p.entries = append(p.entries, e)
		}
	}
	// What is said most closely counts.
	slices.SortStableFunc(p.entries, func(a, b entry) int {
		if a.prefix != b.prefix {
			return cmp.Compare(truth(a.prefix), truth(b.prefix))
		}
		return cmp.Compare(len(b.text), len(a.text))
	})
	return p, nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// String writes the lists so that equal ones give equal text.
func (p *Policy) String() string {
	if p == nil {
		return ""
	}
	lines := make([]string, len(p.entries))
	for i, e := range p.entries {
		lines[i] = fmt.Sprintf("%s %q %t", e.verdict, e.text, e.prefix)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Empty reports whether no list says anything.
func (p *Policy) Empty() bool { return p == nil || len(p.entries) == 0 }

// Judge evaluates one expression. AND is as bad as its worst part, OR as good
// as its best, since the choice is the user's. An exception gives further
// rights, so that a licence with one is judged as without unless a list names
// both together. What does not parse, or names no known licence, is for people.
func (p *Policy) Judge(expression string) Verdict {
	t, err := parse(expression)
	if err != nil {
		return Review
	}
	return p.term(t)
}

// All judges what a component declares: every one of several statements holds,
// and none at all is for people.
func (p *Policy) All(expressions []string) Verdict {
	if len(expressions) == 0 {
		return Review
	}
	v := Allowed
	for _, e := range expressions {
		v = worst(v, p.Judge(e))
	}
	return v
}

func (p *Policy) term(t *term) Verdict {
	switch t.operator {
	case and:
		return worst(p.term(t.left), p.term(t.right))
	case or:
		return best(p.term(t.left), p.term(t.right))
	}
	if !t.known() {
		// A denied licence is denied with an exception that nobody knows too.
		if t.exception != "" && p.look(t.id) == Denied {
			return Denied
		}
		return Review
	}
	if t.exception != "" {
		if v, found := p.exactly(t.text()); found {
			return v
		}
	}
	return p.look(t.id)
}

func (p *Policy) look(id string) Verdict {
	id = strings.ToLower(id)
	for _, e := range p.entries {
		if e.text == id && !e.prefix || e.prefix && strings.HasPrefix(id, e.text) {
			return e.verdict
		}
	}
	return Review
}

func (p *Policy) exactly(text string) (Verdict, bool) {
	for _, e := range p.entries {
		if !e.prefix && e.text == strings.ToLower(text) {
			return e.verdict, true
		}
	}
	return Review, false
}

// reference is a licence that the SPDX list does not hold and somebody defines.
var reference = regexp.MustCompile(`^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$`)

// listed asks the SPDX list, deprecated identifiers included.
func listed(id string) bool {
	if active, _ := spdxlicenses.IsActiveLicense(id); active {
		return true
	}
	deprecated, _ := spdxlicenses.IsDeprecatedLicense(id)
	return deprecated
}

// known reports whether every part of one licence has a meaning.
func (t *term) known() bool {
	if t.exception != "" {
		if known, _ := spdxlicenses.IsException(t.exception); !known {
			return false
		}
	}
	return listed(t.id) || reference.MatchString(t.id)
}

func (t *term) text() string {
	if t.exception == "" {
		return t.id
	}
	return t.id + " WITH " + t.exception
}
