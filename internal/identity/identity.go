// Package identity says who is calling: API keys, how they are issued and
// checked, and the Caller that every later decision is about.
//
// It knows no storage (a KeySource looks records up), no HTTP routing and no
// policy: what a caller may do is decided elsewhere, from its roles.
package identity

import (
	"errors"
	"log/slog"
	"slices"
)

// Roles. A role grants the verbs of one job (see docs for the table); a key
// may hold several.
const (
	RoleAdmin     = "admin"     // everything in its tenant
	RolePublisher = "publisher" // publish under its namespaces
	RoleReviewer  = "reviewer"  // answer, vote, waive, approve, reject
	RoleAuditor   = "auditor"   // read everything, the audit log included
	RoleGateway   = "gateway"   // follow snapshots, approvals and key hashes
	RoleAgent     = "agent"     // call MCP servers through the gateway
)

// Roles lists every role, in documentation order.
func Roles() []string {
	return []string{RoleAdmin, RolePublisher, RoleReviewer, RoleAuditor, RoleGateway, RoleAgent}
}

// Kinds of principal. Scanners see the kind as the caller class.
const (
	KindUser    = "user"
	KindAgent   = "agent"
	KindService = "service"
)

// DefaultTenant is the tenant of a single-tenant installation.
const DefaultTenant = "default"

// AnyNamespace in KeyRecord.Namespaces stands for all of them.
const AnyNamespace = "*"

var (
	// ErrNoCredential: the request carries no credential at all.
	ErrNoCredential = errors.New("identity: no credential")
	// ErrInvalid: the credential is malformed, unknown, or its secret is wrong.
	// The three are deliberately one error: telling them apart helps only a guesser.
	ErrInvalid = errors.New("identity: invalid credential")
	// ErrExpired: the secret was right, but the key's time is over.
	ErrExpired = errors.New("identity: key expired")
	// ErrRevoked: the secret was right, but the key was revoked.
	ErrRevoked = errors.New("identity: key revoked")
	// ErrUnknownKey is what a KeySource returns for an id that it does not hold.
	ErrUnknownKey = errors.New("identity: unknown key")
	// ErrUnavailable: the key source could not answer; the caller stays out.
	ErrUnavailable = errors.New("identity: key source unavailable")
	// ErrSpec: a key was asked for that must not exist (unknown role, bad tenant).
	ErrSpec = errors.New("identity: invalid key specification")
)

// Caller is an authenticated principal. It holds no secret, and logs none.
type Caller struct {
	Tenant     string
	Principal  string
	Kind       string // KindUser, KindAgent or KindService
	Roles      []string
	Namespaces []string // those it may publish under; AnyNamespace for all
	Attributes map[string]string
	KeyID      string // public part of the key that authenticated it
}

// HasRole reports whether the caller holds one of the given roles.
func (c Caller) HasRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.Roles, r) })
}

// OwnsNamespace reports whether the caller may publish under the reverse-DNS
// namespace, which is the part of a server name before its slash.
func (c Caller) OwnsNamespace(namespace string) bool {
	return namespace != "" && namespace != AnyNamespace &&
		(slices.Contains(c.Namespaces, namespace) || slices.Contains(c.Namespaces, AnyNamespace))
}

// LogValue shows who the caller is and leaves attributes out: they may be
// personal.
func (c Caller) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("tenant", c.Tenant),
		slog.String("principal", c.Principal),
		slog.String("kind", c.Kind),
		slog.String("key", c.KeyID),
	)
}
