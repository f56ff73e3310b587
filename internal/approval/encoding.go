package approval

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// encode writes JSON that depends on v alone.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

// decode reads a document of ours. Unknown members are refused: an older
// reader must not skip a restriction that it does not know.
func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// canonicalDigest is the SHA-256 of the canonical JSON (docs/spec/fingerprint.md) of v.
func canonicalDigest(v any) (fingerprint.Digest, error) {
	b, err := encode(v)
	if err != nil {
		return fingerprint.Digest{}, err
	}
	c, err := fingerprint.Canonical(b)
	if err != nil {
		return fingerprint.Digest{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return sha256.Sum256(c), nil
}

func hexDigest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// isHex256 reports whether s is a SHA-256 in lower-case hex.
func isHex256(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// sortedSet returns the distinct members of s in order, nil for none.
func sortedSet(s []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(s)))
}
