package npm

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Hash is one digest of a package's tarball.
type Hash struct {
	Algorithm string // sha1, sha256, sha384 or sha512
	Hex       string
}

var hashBytes = map[string]int{"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}

// parseIntegrity reads Subresource Integrity metadata (https://www.w3.org/TR/SRI/),
// without options. Unknown algorithms, wrong lengths and non-canonical base64 are errors.
func parseIntegrity(s string) ([]Hash, error) {
	var out []Hash
	for _, part := range strings.Fields(s) {
		alg, value, ok := strings.Cut(part, "-")
		size, known := hashBytes[alg]
		if !ok || !known {
			return nil, fmt.Errorf("%w: unknown algorithm", ErrMalformed)
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil || len(raw) != size {
			return nil, fmt.Errorf("%w: not a %s digest", ErrMalformed, alg)
		}
		out = append(out, Hash{alg, hex.EncodeToString(raw)})
	}
	slices.SortFunc(out, func(a, b Hash) int { return strings.Compare(a.Algorithm+a.Hex, b.Algorithm+b.Hex) })
	return slices.Compact(out), nil
}
