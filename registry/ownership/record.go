package ownership

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha512"
	"encoding/base64"
	"math/big"
	"regexp"
)

// recordPattern is the record that a domain publishes. Unlike the official
// registry's it is the whole text: a record inside another one is none.
var recordPattern = regexp.MustCompile(`^\s*v=MCPv1;\s*k=([a-z0-9]{1,16});\s*p=([A-Za-z0-9+/=]{1,128})\s*;?\s*$`)

const (
	p384Bytes    = 48
	maxSignature = 2 * p384Bytes
)

// publicKey is an Ed25519 or an ECDSA P-384 key; one of the two is there.
type publicKey struct {
	edwards ed25519.PublicKey
	p384    *ecdsa.PublicKey
}

func parseRecord(text string) (publicKey, error) {
	m := recordPattern.FindStringSubmatch(text)
	if m == nil || len(text) > maxRecord {
		return publicKey{}, ErrNoRecord
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(m[2])
	if err != nil {
		return publicKey{}, ErrNoRecord
	}
	switch {
	case m[1] == "ed25519" && len(raw) == ed25519.PublicKeySize:
		return publicKey{edwards: raw}, nil
	case m[1] == "ecdsap384" && len(raw) == 1+p384Bytes:
		return compressed(raw)
	}
	return publicKey{}, ErrNoRecord
}

// compressed reads a P-384 point (SEC 1 §2.3.4).
func compressed(raw []byte) (publicKey, error) {
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), raw)
	if x == nil {
		return publicKey{}, ErrNoRecord
	}
	point := make([]byte, 1+2*p384Bytes)
	point[0] = 4
	x.FillBytes(point[1 : 1+p384Bytes])
	y.FillBytes(point[1+p384Bytes:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), point)
	if err != nil {
		return publicKey{}, ErrNoRecord
	}
	return publicKey{p384: key}, nil
}

// verifies checks a signature: Ed25519 over the message, or R and S of ECDSA
// over its SHA-384, 48 bytes each.
func (k publicKey) verifies(message, signature []byte) bool {
	if k.p384 == nil {
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(k.edwards, message, signature)
	}
	if len(signature) != 2*p384Bytes {
		return false
	}
	sum := sha512.Sum384(message)
	r, s := new(big.Int).SetBytes(signature[:p384Bytes]), new(big.Int).SetBytes(signature[p384Bytes:])
	return ecdsa.Verify(k.p384, sum[:], r, s)
}
