// Package fingerprint computes fingerprint v1 of MCP listings: canonical text,
// entry digests, leaves and the listing root of docs/spec/fingerprint.md.
//
// It works on raw wire JSON only. It must not know transports, storage or what
// anyone decides about a difference.
package fingerprint

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrMalformed is input that is not one JSON value of the expected shape.
	ErrMalformed = errors.New("malformed listing value")
	// ErrDuplicateKey is an object with two members of one name.
	ErrDuplicateKey = errors.New("duplicate object key")
	// ErrCaseVariant is a key that differs only in case from one that the protocol defines.
	ErrCaseVariant = errors.New("key differs only in case from a defined key")
	// ErrNumberTooLong is a number of more than 400 characters, as a token or in canonical form.
	ErrNumberTooLong = errors.New("number is too long")
	// ErrExternalReference is a schema reference that leaves the document.
	ErrExternalReference = errors.New("external schema reference")
	// ErrVolatile is a volatile pointer that does not lead below /_meta.
	ErrVolatile = errors.New("volatile pointer outside _meta")
)

// Kind is the kind byte of an entry. The values are part of the listing root.
type Kind byte

const (
	KindInstructions Kind = 0x01
	KindCapabilities Kind = 0x02
	KindTool         Kind = 0x03
	KindPrompt       Kind = 0x04
	KindTemplate     Kind = 0x05
	KindResource     Kind = 0x06
)

// kinds gives each kind its name, digest domain and the member that holds its
// key ("" where the listing has one entry of the kind, with the empty key).
var kinds = map[Kind]struct{ name, domain, key string }{
	KindInstructions: {"instructions", "bartizan.instructions.v1", ""},
	KindCapabilities: {"capabilities", "bartizan.capabilities.v1", ""},
	KindTool:         {"tool", "bartizan.tool.v1", "name"},
	KindPrompt:       {"prompt", "bartizan.prompt.v1", "name"},
	KindTemplate:     {"template", "bartizan.template.v1", "uriTemplate"},
	KindResource:     {"resource", "bartizan.resource.v1", "uri"},
}

// String returns the kind's name, "tool" for KindTool.
func (k Kind) String() string {
	if row, ok := kinds[k]; ok {
		return row.name
	}
	return fmt.Sprintf("kind(%#02x)", byte(k))
}

// ParseKind is the inverse of Kind.String.
func ParseKind(name string) (Kind, error) {
	for k, row := range kinds {
		if row.name == name {
			return k, nil
		}
	}
	return 0, malformed("unknown kind of entry")
}

// Digest is a SHA-256 digest.
type Digest [32]byte

const digestPrefix = "sha256:"

// String returns lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes "sha256:<lower-case hex>".
func (d Digest) MarshalText() ([]byte, error) { return []byte(digestPrefix + d.String()), nil }

// UnmarshalText reads exactly what MarshalText writes.
func (d *Digest) UnmarshalText(b []byte) error {
	text, ok := strings.CutPrefix(string(b), digestPrefix)
	raw, err := hex.DecodeString(text)
	if !ok || err != nil || len(raw) != len(d) || strings.ToLower(text) != text {
		return malformed("digest is not sha256: and 64 lower-case hex digits")
	}
	copy(d[:], raw)
	return nil
}

func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }
