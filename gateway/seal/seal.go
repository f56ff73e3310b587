// Package seal binds identifiers that an upstream issued (event ids, request
// states) to the caller who received them, and makes the gateway's own session
// ids. A value that somebody else received does not open.
//
// Sealing authenticates; it does not hide. The package must not know what the
// values mean or where they travel.
package seal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
)

// ErrForeign is a value that was not sealed here for this owner.
var ErrForeign = errors.New("identifier does not belong to this caller")

// prefix marks version 1 of the form: "bz1." + 128-bit tag + "." + value.
const (
	prefix   = "bz1."
	tagBytes = 16
	tagChars = 22 // unpadded base64url of tagBytes
	maxValue = 1 << 20
	idBytes  = 20
	idPrefix = "bzs_"
)

// Key seals and opens. The zero Key is not usable.
type Key struct{ secret []byte }

// NewKey makes a random key.
func NewKey() Key {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the process instead
	return Key{secret}
}

// KeyOf uses a secret that replicas share. It must have at least 32 random bytes.
func KeyOf(secret []byte) (Key, bool) {
	return Key{secret}, len(secret) >= 32
}

// Prefix is what Seal writes before the value for these owner parts.
func (k Key) Prefix(value string, owner ...string) string {
	return prefix + base64.RawURLEncoding.EncodeToString(k.tag(value, owner)) + "."
}

// Seal binds value to the owner, which is any list of texts.
func (k Key) Seal(value string, owner ...string) string {
	return k.Prefix(value, owner...) + value
}

// SealEncoded is Seal over the value in base64url: a client that is shown it is
// shown none of the upstream's text.
func (k Key) SealEncoded(value string, owner ...string) string {
	return k.Seal(base64.RawURLEncoding.EncodeToString([]byte(value)), owner...)
}

// OpenEncoded returns the value that SealEncoded bound to the same owner.
func (k Key) OpenEncoded(sealed string, owner ...string) (string, error) {
	encoded, err := k.Open(sealed, owner...)
	if err != nil {
		return "", err
	}
	value, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", ErrForeign
	}
	return string(value), nil
}

// Open returns the value that Seal bound to the same owner.
func (k Key) Open(sealed string, owner ...string) (string, error) {
	rest, ok := strings.CutPrefix(sealed, prefix)
	if !ok || len(rest) < tagChars+1 || rest[tagChars] != '.' || len(rest) > maxValue {
		return "", ErrForeign
	}
	tag, err := base64.RawURLEncoding.Strict().DecodeString(rest[:tagChars])
	value := rest[tagChars+1:]
	if err != nil || !hmac.Equal(tag, k.tag(value, owner)) {
		return "", ErrForeign
	}
	return value, nil
}

// PrefixLen is the number of bytes that Seal puts before the value.
const PrefixLen = len(prefix) + tagChars + 1

func (k Key) tag(value string, owner []string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	for _, part := range append([]string{value}, owner...) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)[:tagBytes]
}

// NewSessionID returns a fresh session id: visible ASCII, as the transport
// demands, and 160 random bits.
func NewSessionID() string {
	b := make([]byte, idBytes)
	rand.Read(b)
	return idPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ValidSessionID reports whether s has the one form that NewSessionID writes.
func ValidSessionID(s string) bool {
	rest, ok := strings.CutPrefix(s, idPrefix)
	if !ok || len(rest) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	return err == nil
}
