// Package python reads what Python projects say of their dependencies: the
// lockfiles of uv, Poetry, PDM, Pipenv and PEP 751, requirements files,
// pyproject.toml, and the metadata of wheels, sdists and installed packages.
//
// It knows the formats of the Python Packaging User Guide and of those tools; it
// must not know archives, CycloneDX or the network, and it runs nothing. What a
// document says twice, in another type or without bounds is an error.
package python

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	pep440 "github.com/aquasecurity/go-pep440-version"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// Errors of the package.
var (
	ErrMalformed = errors.New("malformed manifest of Python")
	ErrTooLarge  = errors.New("manifest of Python exceeds a limit")
	// ErrVersion: a lockfile of a version that is not read.
	ErrVersion = errors.New("unknown version of a lockfile")
)

// Limits of one file.
const (
	MaxLockBytes     = 16 << 20
	MaxManifestBytes = 1 << 20 // pyproject.toml, METADATA
	MaxRecordBytes   = 16 << 20
	MaxPackages      = 50_000
	maxName          = 214
	maxVersion       = 128
	maxMarker        = 512
)

// Hash is one digest of a distribution file.
type Hash struct {
	Algorithm string // sha1, sha256, sha384 or sha512
	Hex       string
}

// Normalise is the normal form of a project name:
// https://packaging.python.org/en/latest/specifications/name-normalization/.
func Normalise(name string) (string, error) {
	if name == "" || len(name) > maxName {
		return "", fmt.Errorf("%w: a name of %d bytes", ErrMalformed, len(name))
	}
	var b strings.Builder
	separated := false
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' || c == '_' || c == '.':
			if i == 0 || i == len(name)-1 {
				return "", fmt.Errorf("%w: %q is no name of a project", ErrMalformed, name)
			}
			separated = true
			continue
		default:
			return "", fmt.Errorf("%w: %q is no name of a project", ErrMalformed, name)
		}
		if separated {
			b.WriteByte('-')
			separated = false
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// SameVersion is a key that two spellings of one version share, by PEP 440:
// 1.0, v1.0.0 and 1.0.0+ubuntu-1 and +ubuntu.1 do; what is no version of
// PEP 440 stands for itself.
func SameVersion(version string) string {
	v, err := parseVersion(version)
	if err != nil {
		return version
	}
	s := strings.ToLower(v.String())
	release := s
	if i := strings.IndexByte(s, '!'); i >= 0 {
		release = s[i+1:]
	}
	end := len(release)
	for i := range len(release) {
		if c := release[i]; c != '.' && (c < '0' || c > '9') {
			end = i
			break
		}
	}
	if strings.HasSuffix(release[:end], ".") { // of ".post1", ".dev1"
		end--
	}
	numbers, rest := release[:end], release[end:]
	for strings.HasSuffix(numbers, ".0") {
		numbers = strings.TrimSuffix(numbers, ".0")
	}
	rest = strings.NewReplacer("-", ".", "_", ".").Replace(rest) // of a local version
	return strings.TrimSuffix(s, release) + numbers + rest
}

// Satisfies reports whether a version is one that a specifier asks for. What
// cannot be compared does not.
func Satisfies(version, specifier string) bool {
	if strings.TrimSpace(specifier) == "" {
		return true
	}
	v, err := parseVersion(version)
	if err != nil || len(specifier) > maxMarker {
		return false
	}
	want, err := pep440.NewSpecifiers(specifier, pep440.WithPreRelease(true))
	return err == nil && want.Check(v)
}

func parseVersion(s string) (pep440.Version, error) {
	if len(s) > maxVersion {
		return pep440.Version{}, ErrMalformed
	}
	return pep440.Parse(s)
}

// version checks what a document calls a version.
func version(s string) error {
	if len(s) > maxVersion || !printable(s) || strings.ContainsAny(s, " /\\") {
		return fmt.Errorf("%w: %.100q is no version", ErrMalformed, s)
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

var hashBytes = map[string]int{"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}

// weak and rare algorithms, which tools accept and a bill of materials leaves out.
var passedOver = []string{"md5", "sha224", "blake2b", "blake2s", "sha3_224", "sha3_256", "sha3_384", "sha3_512"}

// parseHash reads "algorithm:hex". ok is false for algorithms that are passed over.
func parseHash(s string) (h Hash, ok bool, err error) {
	alg, digits, _ := strings.Cut(s, ":")
	return newHash(alg, digits)
}

func newHash(alg, digits string) (h Hash, ok bool, err error) {
	if slices.Contains(passedOver, alg) {
		return Hash{}, false, nil
	}
	size, known := hashBytes[alg]
	raw, err := hex.DecodeString(digits)
	if !known || err != nil || len(raw) != size {
		return Hash{}, false, fmt.Errorf("%w: %.100q is no hash", ErrMalformed, alg+":"+digits)
	}
	return Hash{alg, hex.EncodeToString(raw)}, true, nil
}

func sortHashes(list []Hash) []Hash {
	slices.SortFunc(list, func(a, b Hash) int { return strings.Compare(a.Algorithm+a.Hex, b.Algorithm+b.Hex) })
	return slices.Compact(list)
}

// readTOML keeps this package's errors the only ones.
func readTOML(b []byte, limit int) (stricttoml.Table, error) {
	t, err := stricttoml.Parse(b, limit)
	return t, ours(err)
}

func ours(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrMalformed), errors.Is(err, ErrTooLarge), errors.Is(err, ErrVersion):
		return err
	case errors.Is(err, stricttoml.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}
