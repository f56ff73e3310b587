package attest

import (
	"context"
	"crypto"
	"crypto/rand"
	"fmt"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/go-json-experiment/json/jsontext"
)

// Signer turns a statement into a signed Sigstore bundle. A local *Key is one;
// a key service is another.
type Signer interface {
	// Sign wraps the statement, exactly as given, in a DSSE envelope.
	Sign(ctx context.Context, statement []byte) (bundle []byte, err error)
	// KeyID names the verification key: hex SHA-256 of its SubjectPublicKeyInfo.
	KeyID() string
}

// Sign implements Signer. The bundle (v0.3) carries the key's ID as a hint and
// neither certificate nor log entry.
func (k *Key) Sign(ctx context.Context, statement []byte) ([]byte, error) {
	if _, err := ParseStatement(statement); err != nil {
		return nil, err
	}
	content := &sign.DSSEData{Data: statement, PayloadType: PayloadType}
	b, err := sign.Bundle(content, keypair{k}, sign.BundleOptions{Context: ctx})
	if err != nil {
		return nil, fmt.Errorf("attest: sign: %w", err)
	}
	out, err := protojson.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("attest: encode bundle: %w", err)
	}
	// protojson varies its whitespace on purpose; a bundle is addressed by the
	// digest of its bytes, so they are made regular.
	v := jsontext.Value(out)
	if err := v.Compact(); err != nil {
		return nil, fmt.Errorf("attest: encode bundle: %w", err)
	}
	return v, nil
}

// keypair lets sigstore-go sign with a Key.
type keypair struct{ *Key }

func (k keypair) GetHashAlgorithm() protocommon.HashAlgorithm {
	return k.details.GetProtoHashType()
}

func (k keypair) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return k.details.GetSignatureAlgorithm()
}

func (k keypair) GetHint() []byte                  { return []byte(k.public.id) }
func (k keypair) GetPublicKey() crypto.PublicKey   { return k.public.key }
func (k keypair) GetPublicKeyPem() (string, error) { return string(k.public.PEM()), nil }

// GetKeyAlgorithm is asked for by Fulcio only, which a local key never meets.
func (k keypair) GetKeyAlgorithm() string { return fmt.Sprintf("%T", k.public.key) }

// SignData returns the signature and the bytes that were signed: a digest, or
// for Ed25519 the data itself.
func (k keypair) SignData(_ context.Context, data []byte) ([]byte, []byte, error) {
	signed, h := data, k.details.GetHashType()
	if h != 0 {
		d := h.New()
		d.Write(data)
		signed = d.Sum(nil)
	}
	sig, err := k.private.Sign(rand.Reader, signed, h)
	return sig, signed, err
}
