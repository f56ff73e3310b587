package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// Lifetimes of a key. Every key expires: one that nobody renews should stop
// working by itself.
const (
	DefaultLifetime = 90 * 24 * time.Hour
	MaxLifetime     = 366 * 24 * time.Hour
)

// A token is "bz_" + id + "_" + secret: 80 bits of public id and 256 bits of
// secret, both in lower-case base32, so that it survives a double click and
// secret scanners can match it.
const (
	tokenPrefix = "bz_"
	idBytes     = 10
	secretBytes = 32
	idChars     = 16
	secretChars = 52
	tokenChars  = len(tokenPrefix) + idChars + 1 + secretChars
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// KeyRecord is what is stored about a key. The token cannot be computed from
// it: the secret has 256 random bits, so one SHA-256 is enough and a slow
// password hash would only slow down every call.
type KeyRecord struct {
	ID         string   `json:"id"`
	Hash       string   `json:"hash"` // lower-case hex SHA-256 of the whole token
	Tenant     string   `json:"tenant"`
	Principal  string   `json:"principal"`
	Kind       string   `json:"kind"`
	Roles      []string `json:"roles"`
	Namespaces []string `json:"namespaces,omitempty"`
	// Attributes are what policies may ask for; "groups" is a list with commas.
	Attributes map[string]string `json:"attributes,omitempty"`
	Created    time.Time         `json:"created"`
	Expires    time.Time         `json:"expires"` // zero counts as expired
	Revoked    *time.Time        `json:"revoked,omitzero"`
}

// LogValue leaves the hash out.
func (r KeyRecord) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", r.ID),
		slog.String("tenant", r.Tenant),
		slog.String("principal", r.Principal),
		slog.Any("roles", r.Roles),
		slog.Time("expires", r.Expires),
		slog.Bool("revoked", r.Revoked != nil),
	)
}

// Caller is who this key authenticates as.
func (r KeyRecord) Caller() Caller {
	return Caller{
		Tenant: r.Tenant, Principal: r.Principal, Kind: r.Kind, KeyID: r.ID,
		Roles: slices.Clone(r.Roles), Namespaces: slices.Clone(r.Namespaces), Attributes: maps.Clone(r.Attributes),
	}
}

// NewKey issues a key. The token is shown to its owner once and kept nowhere;
// the record is what gets stored. The error is ErrSpec.
func NewKey(spec KeySpec, now time.Time) (token string, rec KeyRecord, err error) {
	if err := spec.complete(); err != nil {
		return "", KeyRecord{}, err
	}
	id := encoding.EncodeToString(random(idBytes))
	token = tokenPrefix + id + "_" + encoding.EncodeToString(random(secretBytes))
	now = now.UTC().Truncate(time.Millisecond) // what SQL and JSON keep
	return token, KeyRecord{
		ID: id, Hash: hashToken(token),
		Tenant: spec.Tenant, Principal: spec.Principal, Kind: spec.Kind,
		Roles: slices.Clone(spec.Roles), Namespaces: slices.Clone(spec.Namespaces), Attributes: maps.Clone(spec.Attributes),
		Created: now, Expires: now.Add(spec.Lifetime),
	}, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// matches compares in constant time. A record whose hash is not 64 hex digits
// matches nothing.
func (r KeyRecord) matches(token string) bool {
	return subtle.ConstantTimeCompare([]byte(hashToken(token)), []byte(r.Hash)) == 1
}

// keyID takes a token apart. Only the one canonical spelling is a token.
func keyID(token string) (string, bool) {
	if len(token) != tokenChars || !strings.HasPrefix(token, tokenPrefix) {
		return "", false
	}
	id, secret, ok := strings.Cut(token[len(tokenPrefix):], "_")
	if !ok || len(id) != idChars || !isBase32(id) || !isBase32(secret) {
		return "", false
	}
	return id, true
}

func isBase32(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
