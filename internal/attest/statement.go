package attest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Statement types accepted; only StatementV1 is written.
const (
	StatementV1  = "https://in-toto.io/Statement/v1"
	StatementV01 = "https://in-toto.io/Statement/v0.1"
)

// PayloadType is the DSSE payload type of an in-toto statement.
const PayloadType = "application/vnd.in-toto+json"

// Subject is one artifact that a statement speaks about. Digest maps an
// algorithm name ("sha256", "sha512", "bartizanListingV1" ...) to lower-case hex.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

// Statement is an in-toto Statement
// (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md).
type Statement struct {
	Subjects      []Subject
	PredicateType string
	Predicate     jsontext.Value
}

type wireStatement struct {
	Type          string         `json:"_type"`
	Subject       []Subject      `json:"subject"`
	PredicateType string         `json:"predicateType"`
	Predicate     jsontext.Value `json:"predicate,omitempty"`
}

var statementMembers = []string{"_type", "subject", "predicateType", "predicate"}

// Marshal writes the statement as Statement v1. The same statement always gives
// the same bytes.
func (s *Statement) Marshal() ([]byte, error) {
	w := wireStatement{Type: StatementV1, Subject: s.Subjects, PredicateType: s.PredicateType, Predicate: s.Predicate}
	if err := w.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(w, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if len(b) > MaxStatement {
		return nil, fmt.Errorf("%w: statement of %d bytes", ErrTooLarge, len(b))
	}
	return b, nil
}

// ParseStatement reads a statement strictly: duplicate members, invalid UTF-8,
// trailing bytes and members that differ from a defined one only in case are
// refused. Other unknown members are ignored, as in-toto demands.
func ParseStatement(b []byte) (*Statement, error) {
	if len(b) > MaxStatement {
		return nil, fmt.Errorf("%w: statement of %d bytes", ErrTooLarge, len(b))
	}
	if err := checkJSON(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if err := refuseCaseVariants(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	var w wireStatement
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	return &Statement{Subjects: w.Subject, PredicateType: w.PredicateType, Predicate: w.Predicate}, nil
}

func (w *wireStatement) check() error {
	if w.Type != StatementV1 && w.Type != StatementV01 {
		return fmt.Errorf("%w: unknown statement type", ErrStatement)
	}
	if w.PredicateType == "" {
		return fmt.Errorf("%w: no predicateType", ErrStatement)
	}
	if w.Predicate != nil && w.Predicate.Kind() != '{' {
		return fmt.Errorf("%w: predicate is not an object", ErrStatement)
	}
	if n := len(w.Subject); n == 0 || n > maxSubjects {
		return fmt.Errorf("%w: %d subjects", ErrStatement, n)
	}
	for i, s := range w.Subject {
		if n := len(s.Digest); n == 0 || n > maxDigests {
			return fmt.Errorf("%w: subject %d has %d digests", ErrStatement, i, n)
		}
		for alg, v := range s.Digest {
			if alg == "" || v == "" || !digestShape(alg, v) {
				return fmt.Errorf("%w: subject %d has a malformed digest", ErrStatement, i)
			}
		}
	}
	return nil
}

// digestShape holds SHA-2 digests to lower-case hex of the right length, so
// that comparing two of them as strings compares the digests.
func digestShape(alg, v string) bool {
	size, known := map[string]int{"sha256": 64, "sha384": 96, "sha512": 128}[alg]
	if !known {
		return true
	}
	_, err := hex.DecodeString(v)
	return err == nil && len(v) == size && strings.ToLower(v) == v
}

// HasDigest reports whether some subject carries this digest.
func (s *Statement) HasDigest(alg, digest string) bool {
	return digest != "" && slices.ContainsFunc(s.Subjects, func(x Subject) bool { return x.Digest[alg] == digest })
}

// strong are the digests that make an artifact a subject.
var strong = []string{"sha256", "sha384", "sha512"}

// about finds the subject that is this artifact. A subject that agrees in one
// strong digest and differs in another is nobody's.
func (s *Statement) about(digests map[string]string) error {
	weak := true
	for _, x := range s.Subjects {
		agrees, differs := false, false
		for _, alg := range strong {
			stated := x.Digest[alg]
			if stated == "" {
				continue
			}
			weak = false
			if have := digests[alg]; have != "" {
				agrees, differs = agrees || stated == have, differs || stated != have
			}
		}
		if agrees && !differs {
			return nil
		}
	}
	if weak {
		return refuse(ReasonWeakDigest, ErrSubject, "no subject bears a SHA-2 digest")
	}
	return ErrSubject
}

// refuseCaseVariants looks at the members of the statement itself; its syntax
// is settled already.
func refuseCaseVariants(b []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(b))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		for _, known := range statementMembers {
			if name != known && strings.EqualFold(name, known) {
				return fmt.Errorf("member differs from %q only in case", known)
			}
		}
		if err := dec.SkipValue(); err != nil {
			return err
		}
	}
	return nil
}
