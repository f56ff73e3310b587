package ownership

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Issuer is an identity provider whose tokens prove namespaces.
type Issuer struct {
	Issuer   string `json:"issuer"`   // the claim iss, exactly
	JWKS     string `json:"jwks"`     // its keys: a file, or an https URL
	Audience string `json:"audience"` // the claim aud has to hold this registry's name
	// Algorithms that its tokens are signed with; default RS256.
	Algorithms []string `json:"algorithms"`
	// Namespaces that a token proves: io.github.{repository_owner}. A claim in
	// braces stands for one label.
	Namespaces []string `json:"namespaces"`
	// Claims that a token must have, each with one of the values.
	Claims map[string][]string `json:"claims"`
}

// algorithms are those that sign with a private key. HS* would make the public
// key a secret, and none is none.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

var (
	placeholder     = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]{0,63})\}`)
	templatePattern = regexp.MustCompile(`^[A-Za-z0-9-]+(?:\.(?:[A-Za-z0-9-]+|\{[A-Za-z_][A-Za-z0-9_]{0,63}\}))+$`)
	labelPattern    = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// Validate reports what is wrong. The error wraps ErrConfig.
func (i Issuer) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: issuer %q: %s", ErrConfig, i.Issuer, fmt.Sprintf(format, args...))
	}
	switch u, err := url.Parse(i.JWKS); {
	case i.Issuer == "":
		return bad("its name is needed, as the claim iss has it")
	case i.Audience == "":
		return bad("an audience is needed: without one a token for anybody else would do")
	case i.JWKS == "" || err != nil:
		return bad("jwks is a file or an https URL")
	case u.Scheme == "http":
		return bad("jwks over http could be anybody's keys; use https or a file")
	case len(i.Namespaces) == 0:
		return bad("it proves no namespaces")
	}
	for _, a := range i.Algorithms {
		if !slices.Contains(algorithms, a) {
			return bad("algorithm %q is none of %s", a, strings.Join(algorithms, ", "))
		}
	}
	for _, t := range i.Namespaces {
		if !templatePattern.MatchString(t) {
			return bad("namespace %q is not of the form com.example.{claim}", t)
		}
		if !strings.Contains(t, "{") && len(i.Claims) == 0 {
			return bad("every token would prove %q: require claims, or put one into it", t)
		}
	}
	return nil
}

// namespaces fills in the templates. Names that differ in case are one to most
// providers, so the spelling in lower case is proven too.
func (i Issuer) namespaces(c claims) ([]string, error) {
	for name, wanted := range i.Claims {
		if !c.holds(name, wanted) {
			return nil, ErrClaims
		}
	}
	var out []string
	for _, t := range i.Namespaces {
		missing := false
		ns := placeholder.ReplaceAllStringFunc(t, func(m string) string {
			label, ok := c.text(m[1 : len(m)-1])
			if !ok || !labelPattern.MatchString(label) {
				missing = true
			}
			return label
		})
		if missing || !serverjson.ValidNamespace(ns) {
			continue
		}
		for _, spelling := range []string{ns, strings.ToLower(ns)} {
			if !slices.Contains(out, spelling) {
				out = append(out, spelling)
			}
		}
	}
	if len(out) == 0 {
		return nil, ErrClaims
	}
	return out, nil
}
