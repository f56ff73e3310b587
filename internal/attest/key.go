package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/sigstore/sigstore/pkg/signature"
)

const minRSABits = 2048

// PublicKey is a verification key: ECDSA P-256, P-384 or P-521, Ed25519, or RSA
// of at least 2048 bits.
type PublicKey struct {
	key      crypto.PublicKey
	spki     []byte
	id       string
	verifier signature.Verifier
}

// ParsePublicKey reads one PEM block "PUBLIC KEY" (SubjectPublicKeyInfo,
// RFC 5280). Anything after it is refused.
func ParsePublicKey(b []byte) (*PublicKey, error) {
	block, err := onlyBlock(b, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return newPublicKey(k)
}

func newPublicKey(k crypto.PublicKey) (*PublicKey, error) {
	switch k := k.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() && k.Curve != elliptic.P521() {
			return nil, fmt.Errorf("%w: unsupported curve", ErrKey)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("%w: RSA key of %d bits", ErrKey, k.N.BitLen())
		}
	default:
		return nil, fmt.Errorf("%w: unsupported algorithm %T", ErrKey, k)
	}
	spki, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	v, err := signature.LoadDefaultVerifier(k)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	sum := sha256.Sum256(spki)
	return &PublicKey{key: k, spki: spki, id: hex.EncodeToString(sum[:]), verifier: v}, nil
}

// ID is the lower-case hex SHA-256 of the SubjectPublicKeyInfo.
func (p *PublicKey) ID() string { return p.id }

// PEM writes the key as one PEM block "PUBLIC KEY".
func (p *PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p.spki})
}

// Key is a private signing key held in a local file.
type Key struct {
	private crypto.Signer
	public  *PublicKey
	details signature.AlgorithmDetails
}

// GenerateKey makes an ECDSA P-256 key: what cosign, hardware tokens and cloud
// key services all speak.
func GenerateKey() (*Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return newKey(k)
}

func newKey(private crypto.Signer) (*Key, error) {
	public, err := newPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	details, err := signature.GetDefaultAlgorithmDetails(private.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &Key{private: private, public: public, details: details}, nil
}

// Public is the verification half.
func (k *Key) Public() *PublicKey { return k.public }

// KeyID is the public key's ID.
func (k *Key) KeyID() string { return k.public.id }
