// Package policy decides who may call what, by Cedar policies
// (https://docs.cedarpolicy.com): default deny, any forbid wins, and a policy that
// cannot be evaluated denies. What policies may speak of is schema.cedarschema;
// operation and examples are docs/policy.md.
//
// The package must not know HTTP, MCP messages, or where policies come from.
package policy

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is a document that is no policy, or one of something else than what
// the schema knows. Problems holds each.
var ErrInvalid = errors.New("policy: invalid")

// Schema is what policies may speak of, in Cedar's schema language.
//
//go:embed schema.cedarschema
var Schema []byte

// Bounds.
const (
	MaxDocument = 4 << 20 // bytes of one file
	MaxPolicies = 20_000  // of one set
)

// Problems are everything wrong with a set of policies, each "file:line: text".
type Problems []string

func (p Problems) Error() string {
	return fmt.Sprintf("%s: %s", ErrInvalid, strings.Join(p, "; "))
}

// Unwrap makes every list of problems an ErrInvalid.
func (p Problems) Unwrap() error { return ErrInvalid }
