package ownership

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxToken = 16 << 10
	// skew is how far an issuer's clock may be ahead of this one.
	skew = time.Minute
	// longest is the longest life of a token: one that is good for longer was not
	// made for one exchange.
	longest = 24 * time.Hour
)

// Tokens checks tokens of the configured issuers.
type Tokens struct {
	issuers []provider
	now     func() time.Time
}

type provider struct {
	Issuer
	keys *keySet
}

// NewTokens takes issuers that are valid. client fetches keys that are named by
// URL.
func NewTokens(issuers []Issuer, client *http.Client, now func() time.Time) (*Tokens, error) {
	t := &Tokens{now: now}
	for _, i := range issuers {
		if err := i.Validate(); err != nil {
			return nil, err
		}
		if len(i.Algorithms) == 0 {
			i.Algorithms = []string{"RS256"}
		}
		t.issuers = append(t.issuers, provider{i, &keySet{source: i.JWKS, client: client, now: now}})
	}
	return t, nil
}

// Verify checks a token (RFC 7519, RFC 8725) in this order: form, algorithm,
// issuer, key, signature, audience, times, claims. Nothing of the claims but
// the issuer's name is looked at before the signature is right.
func (t *Tokens) Verify(ctx context.Context, token string) (*Proof, error) {
	if t == nil || len(t.issuers) == 0 {
		return nil, ErrDisabled
	}
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return nil, ErrToken
	}
	var allowed []jose.SignatureAlgorithm
	for _, a := range algorithms {
		allowed = append(allowed, jose.SignatureAlgorithm(a))
	}
	jws, err := jose.ParseSignedCompact(token, allowed)
	if err != nil {
		return nil, ErrToken
	}
	unverified, err := parseClaims(jws.UnsafePayloadWithoutVerification())
	if err != nil {
		return nil, ErrToken
	}
	i := slices.IndexFunc(t.issuers, func(p provider) bool { return p.Issuer.Issuer == unverified.issuer })
	if i < 0 {
		return nil, ErrToken
	}
	p := t.issuers[i]
	header := jws.Signatures[0].Header
	if header.KeyID == "" || !slices.Contains(p.Algorithms, header.Algorithm) {
		return nil, ErrToken
	}
	keys, err := p.keys.find(ctx, header.KeyID)
	if err != nil {
		return nil, err
	}
	payload := verified(jws, keys, header.Algorithm)
	if payload == nil {
		return nil, ErrToken
	}
	c, err := parseClaims(payload)
	if err != nil || c.issuer != p.Issuer.Issuer || !slices.Contains(c.audience, p.Audience) || c.subject == "" || !c.timely(t.now()) {
		return nil, ErrToken
	}
	namespaces, err := p.namespaces(c)
	if err != nil {
		return nil, err
	}
	signed := token[:strings.LastIndexByte(token, '.')] // not the signature: ECDSA has two for one
	return &Proof{
		Principal:  principal("oidc:"+digest(c.issuer)[:8], c.subject),
		Namespaces: namespaces, ID: digest("oidc", signed), Expires: c.expires,
	}, nil
}

// verified is the payload if one of the keys signed it. A key that names an
// algorithm or a use is good for no other.
func verified(jws *jose.JSONWebSignature, keys []jose.JSONWebKey, algorithm string) []byte {
	for _, k := range keys {
		if !k.IsPublic() || k.Algorithm != "" && k.Algorithm != algorithm || k.Use != "" && k.Use != "sig" {
			continue
		}
		if payload, err := jws.Verify(k.Key); err == nil {
			return payload
		}
	}
	return nil
}

// claims of a token.
type claims struct {
	issuer, subject         string
	audience                []string
	expires, issued, notYet time.Time
	all                     map[string]jsontext.Value
}

func parseClaims(payload []byte) (claims, error) {
	var c claims
	if err := json.Unmarshal(payload, &c.all); err != nil { // duplicate names and bad UTF-8 are errors
		return c, ErrToken
	}
	c.issuer, _ = c.text("iss")
	c.subject, _ = c.text("sub")
	if one, ok := c.text("aud"); ok {
		c.audience = []string{one}
	} else if json.Unmarshal(c.all["aud"], &c.audience) != nil {
		return c, ErrToken
	}
	for name, into := range map[string]*time.Time{"exp": &c.expires, "iat": &c.issued, "nbf": &c.notYet} {
		raw, present := c.all[name]
		if !present {
			continue
		}
		var seconds float64 // NumericDate (RFC 7519 §2)
		if json.Unmarshal(raw, &seconds) != nil || seconds < 0 || seconds > 1<<40 {
			return c, ErrToken
		}
		*into = time.UnixMilli(int64(seconds * 1000))
	}
	return c, nil
}

// timely reports whether the token is of now. An expiry is required.
func (c claims) timely(now time.Time) bool {
	return now.Before(c.expires) && !c.expires.After(now.Add(longest)) &&
		!c.issued.After(now.Add(skew)) && !c.notYet.After(now.Add(skew))
}

func (c claims) text(name string) (string, bool) {
	var s string
	raw, present := c.all[name]
	if !present || raw.Kind() != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// holds reports whether a claim is one of the wanted texts, or a list with one.
func (c claims) holds(name string, wanted []string) bool {
	if s, ok := c.text(name); ok {
		return slices.Contains(wanted, s)
	}
	var list []string
	if raw := c.all[name]; raw.Kind() != '[' || json.Unmarshal(raw, &list) != nil {
		return false
	}
	return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(wanted, s) })
}
