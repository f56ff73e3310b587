// Package ownership checks proofs that a namespace is somebody's: a signed time
// by a key that a domain publishes in DNS or on its web server, as the official
// registry defines them, or a token of an identity provider (OpenID Connect).
//
// It must not know keys of this registry, storage or HTTP routing: it says what
// was proven, once. That a proof is exchanged only once is the caller's, by its
// ID.
package ownership

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"time"
)

// Why a proof is none. Each is whole: it says nothing that a stranger wrote.
var (
	ErrDisabled  = errors.New("this registry does not take that kind of proof")
	ErrDomain    = errors.New("the domain must be a name of at least two labels; namespaces under io.github are proven by a token")
	ErrTime      = errors.New("the timestamp must be RFC 3339 and within 15 seconds of this registry's clock")
	ErrLookup    = errors.New("what the domain publishes could not be read")
	ErrNoRecord  = errors.New("the domain publishes no usable record v=MCPv1; k=ed25519|ecdsap384; p=KEY")
	ErrSignature = errors.New("the signature over the timestamp is of no key that the domain publishes")
	ErrToken     = errors.New("the token is not a valid one of a configured issuer for this registry")
	ErrClaims    = errors.New("the token's claims give no namespace")
	ErrKeys      = errors.New("the issuer's keys could not be read")
	ErrConfig    = errors.New("ownership configuration")
)

// Proof is what was shown.
type Proof struct {
	Principal  string // who the key will belong to: "dns:example.com"
	Namespaces []string
	ID         string    // the same proof again has the same one
	Expires    time.Time // from then on it is refused by itself
}

// principals are what package identity takes; others are named by their digest.
var principals = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._@:/+-]{0,62}[A-Za-z0-9])$`)

func principal(method, who string) string {
	if !principals.MatchString(who) {
		who = digest(who)[:32]
	}
	return method + ":" + who
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
