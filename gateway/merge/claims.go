package merge

import (
	"errors"

	"github.com/bartizan-mcp/bartizan/gateway/uritemplate"
)

var (
	// ErrUnclaimed is a URI that no server offers.
	ErrUnclaimed = errors.New("no server offers this resource")
	// ErrContested is a URI that more than one server offers.
	ErrContested = errors.New("more than one server offers this resource")
)

// Claims says which server a URI belongs to. Resources keep their URIs, for
// texts of servers refer to them. So that no server can answer for another's
// resource, a URI belongs to the one server that lists it, else to the one
// server that has a template for it; what two claim alike belongs to none.
type Claims struct {
	listed    map[string]string // by URI; "" = contested
	templates map[string]string // by the text of the template
	compiled  []compiled
}

type compiled struct {
	alias string
	*uritemplate.Template
}

// Add notes what the server behind alias offers. Each alias is added once.
func (c *Claims) Add(alias string, uris, templates []string) {
	if c.listed == nil {
		c.listed, c.templates = map[string]string{}, map[string]string{}
	}
	claim(c.listed, alias, uris)
	claim(c.templates, alias, templates)
	for _, text := range templates {
		if t, err := uritemplate.Parse(text); err == nil { // else it matches nothing anywhere
			c.compiled = append(c.compiled, compiled{alias, t})
		}
	}
}

func claim(owners map[string]string, alias string, keys []string) {
	for _, key := range keys {
		if owner, ok := owners[key]; ok && owner != alias {
			owners[key] = ""
		} else {
			owners[key] = alias
		}
	}
}

// Resource is the server that a URI belongs to.
func (c *Claims) Resource(uri string) (alias string, err error) {
	if _, ok := c.listed[uri]; ok {
		return owned(c.listed, uri)
	}
	for _, t := range c.compiled {
		if t.alias == alias || !t.Match(uri) {
			continue
		}
		if alias != "" {
			return "", ErrContested
		}
		alias = t.alias
	}
	if alias == "" {
		return "", ErrUnclaimed
	}
	return alias, nil
}

// Template is the server that a template belongs to.
func (c *Claims) Template(text string) (alias string, err error) { return owned(c.templates, text) }

func owned(owners map[string]string, key string) (string, error) {
	switch alias, ok := owners[key]; {
	case !ok:
		return "", ErrUnclaimed
	case alias == "":
		return "", ErrContested
	default:
		return alias, nil
	}
}
