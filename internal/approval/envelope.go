package approval

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// envelope is the file format of trust.json.
type envelope struct {
	Trust      jsontext.Value   `json:"trust"`
	Signatures []jsontext.Value `json:"signatures"` // Sigstore bundles
}

// trustPredicate names what was signed for a reader; the subject digest decides.
type trustPredicate struct {
	Registry string `json:"registry"`
	Version  int    `json:"version"`
}

// Sign checks the document and writes the signed file. Version n+1 needs
// signers for both thresholds: that of version n and its own.
func (t *Trust) Sign(ctx context.Context, signers ...attest.Signer) ([]byte, error) {
	if _, err := t.compile(); err != nil {
		return nil, err
	}
	raw, err := encode(t)
	if err != nil {
		return nil, err
	}
	file, err := encode(envelope{Trust: raw, Signatures: []jsontext.Value{}})
	if err != nil {
		return nil, err
	}
	return AddTrustSignatures(ctx, file, signers...)
}

// AddTrustSignatures countersigns a trust file, so that the holders of several
// keys can sign one after the other.
func AddTrustSignatures(ctx context.Context, file []byte, signers ...attest.Signer) ([]byte, error) {
	t, e, err := openEnvelope(file)
	if err != nil {
		return nil, err
	}
	stmt, err := trustStatement(t, e.Trust)
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		b, err := s.Sign(ctx, stmt)
		if err != nil {
			return nil, fmt.Errorf("%w: sign: %w", ErrTrust, err)
		}
		e.Signatures = append(e.Signatures, b)
	}
	out, err := encode(e)
	if err != nil {
		return nil, err
	}
	v := jsontext.Value(out)
	if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	return append(v, '\n'), nil
}

// LoadTrust reads a trust file.
func LoadTrust(path string) (*Trust, error) {
	b, err := ReadTrust(path)
	if err != nil {
		return nil, err
	}
	return ParseTrust(b)
}

// ReadTrust reads a trust file and looks at none of it.
func ReadTrust(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxTrust+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	return b, nil
}

// ParseTrust reads a trust file and holds it to its own signatures. That makes
// it consistent, not trusted: it is trusted because an operator installed it, or
// because VerifyNext accepted it. Its expiry is looked at when it is used.
func ParseTrust(file []byte) (*Trust, error) {
	t, e, err := openEnvelope(file)
	if err != nil {
		return nil, err
	}
	if err := t.signedBy(t, e); err != nil {
		return nil, err
	}
	return t, nil
}

// VerifyNext accepts version n+1 of the same registry, signed by the threshold
// of version n's approval keys and by its own.
func (t *Trust) VerifyNext(file []byte) (*Trust, error) {
	next, e, err := openEnvelope(file)
	if err != nil {
		return nil, err
	}
	switch {
	case next.Registry != t.Registry:
		return nil, fmt.Errorf("%w: %w", ErrTrust, ErrRegistry)
	case next.Version <= t.Version:
		return nil, fmt.Errorf("%w: version %d after %d", ErrTrustRollback, next.Version, t.Version)
	case next.Version > t.Version+1:
		return nil, fmt.Errorf("%w: version %d after %d", ErrTrustGap, next.Version, t.Version)
	}
	for _, by := range []*Trust{t, next} {
		if err := next.signedBy(by, e); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// signedBy counts the approval keys of by that signed t.
func (t *Trust) signedBy(by *Trust, e *envelope) error {
	r, err := by.compile()
	if err != nil {
		return err
	}
	digest, err := canonicalDigest(e.Trust)
	if err != nil {
		return err
	}
	signed := map[string]bool{}
	for _, s := range e.Signatures {
		v, err := attest.VerifyKeys(s, r.approval)
		if err != nil || v.Statement.PredicateType != attest.PredicateTrust || !v.Statement.HasDigest("sha256", digest.String()) {
			continue // a signature by a key of the other version, or worthless
		}
		signed[v.KeyID] = true
	}
	if len(signed) < by.Threshold {
		return fmt.Errorf("%w: version %d carries %d of the %d signatures that version %d demands",
			ErrTrust, t.Version, len(signed), by.Threshold, by.Version)
	}
	return nil
}

func openEnvelope(file []byte) (*Trust, *envelope, error) {
	if len(file) > MaxTrust {
		return nil, nil, fmt.Errorf("%w: larger than %d bytes", ErrTrust, MaxTrust)
	}
	var e envelope
	if err := decode(file, &e); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	if len(e.Signatures) > 4*maxTrustKeys {
		return nil, nil, fmt.Errorf("%w: %d signatures", ErrTrust, len(e.Signatures))
	}
	t := new(Trust)
	if err := decode(e.Trust, t); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	r, err := t.compile()
	if err != nil {
		return nil, nil, err
	}
	t.roles = r
	return t, &e, nil
}

func trustStatement(t *Trust, raw jsontext.Value) ([]byte, error) {
	digest, err := canonicalDigest(raw)
	if err != nil {
		return nil, err
	}
	predicate, err := encode(trustPredicate{Registry: t.Registry, Version: t.Version})
	if err != nil {
		return nil, err
	}
	return (&attest.Statement{
		Subjects:      []attest.Subject{{Name: TrustFile, Digest: map[string]string{"sha256": digest.String()}}},
		PredicateType: attest.PredicateTrust,
		Predicate:     predicate,
	}).Marshal()
}
