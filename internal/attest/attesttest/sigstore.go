// Package attesttest is a whole Sigstore in memory, for tests only: a
// certificate authority with its certificate log, transparency logs of both
// generations and timestamp authorities. They sign bundles which package attest
// reads from bytes, as it reads real ones, and answer over HTTP as the real
// services do. Whatever an attacker could ask of them, a test can: another
// time, another log, a certificate that nobody logged.
package attesttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// CertificateLife is how long a certificate is valid from the moment of its
// issue.
const CertificateLife = 10 * time.Minute

// Sigstore is one deployment with keys of its own. Every authority and log of
// it is valid from a day before its making, without an end unless Ends is set.
type Sigstore struct {
	Ends time.Time // end of validity of everything in its trusted root

	began        time.Time
	root, issuer authority
	stampRoot    authority
	stampers     []authority
	logs         map[Log]*transparencyLog
	certificates *signingKey // log of certificates
}

// New makes a deployment.
func New(t testing.TB) *Sigstore {
	t.Helper()
	return NewAt(t, time.Now().Add(-24*time.Hour))
}

// NewAt makes a deployment whose authorities are valid from this moment.
func NewAt(t testing.TB, began time.Time) *Sigstore {
	t.Helper()
	s := &Sigstore{began: began.Truncate(time.Second)}
	s.root = newRoot(t, "root", s.began)
	s.issuer = s.root.intermediate(t, "issuer", x509.ExtKeyUsageCodeSigning)
	s.stampRoot = newRoot(t, "time root", s.began)
	for range 2 {
		s.stampers = append(s.stampers, s.stampRoot.stamper(t))
	}
	s.logs = map[Log]*transparencyLog{
		LogV1: newLog(t, "rekor.test", "rekor.test - 1193050959916656506"),
		LogV2: newLog(t, "rekor2.test", "rekor2.test"),
	}
	s.certificates = newSigningKey(t)
	return s
}

// Trusts says what a trusted root lists.
type Trusts struct{ Logs, Stamps, CertificateLog bool }

// TrustedRoot is the deployment's trusted_root.json: logs and timestamp
// authorities, but no log of certificates.
func (s *Sigstore) TrustedRoot(t testing.TB) []byte {
	t.Helper()
	return s.Root(t, Trusts{Logs: true, Stamps: true})
}

// TrustedRootWithoutLog lists the timestamp authorities only.
func (s *Sigstore) TrustedRootWithoutLog(t testing.TB) []byte {
	t.Helper()
	return s.Root(t, Trusts{Stamps: true})
}

// TrustedRootWithoutTime lists neither logs nor timestamp authorities.
func (s *Sigstore) TrustedRootWithoutTime(t testing.TB) []byte {
	t.Helper()
	return s.Root(t, Trusts{})
}

// Root is a trusted_root.json with what was asked for.
func (s *Sigstore) Root(t testing.TB, with Trusts) []byte {
	t.Helper()
	cas := []root.CertificateAuthority{&root.FulcioCertificateAuthority{
		Root: s.root.cert, Intermediates: []*x509.Certificate{s.issuer.cert},
		ValidityPeriodStart: s.began, ValidityPeriodEnd: s.Ends, URI: "https://fulcio.test",
	}}
	var stamps []root.TimestampingAuthority
	if with.Stamps {
		for i, a := range s.stampers {
			stamps = append(stamps, &root.SigstoreTimestampingAuthority{
				Root: s.stampRoot.cert, Leaf: a.cert, ValidityPeriodStart: s.began, ValidityPeriodEnd: s.Ends,
				URI: "https://time" + string(rune('1'+i)) + ".test",
			})
		}
	}
	logs, certificateLogs := map[string]*root.TransparencyLog{}, map[string]*root.TransparencyLog{}
	if with.Logs {
		for _, l := range s.logs {
			logs[hex.EncodeToString(l.id())] = s.listed(l.signingKey, "https://"+l.name)
		}
	}
	if with.CertificateLog {
		certificateLogs[hex.EncodeToString(s.certificates.id())] = s.listed(s.certificates, "https://ct.test")
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, cas, certificateLogs, stamps, logs)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	// protojson varies its spaces on purpose; the same root is the same bytes.
	v := jsontext.Value(b)
	if err := v.Compact(); err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *Sigstore) listed(k *signingKey, url string) *root.TransparencyLog {
	return &root.TransparencyLog{
		BaseURL: url, ID: k.id(), ValidityPeriodStart: s.began, ValidityPeriodEnd: s.Ends,
		HashFunc: crypto.SHA256, PublicKey: k.Public(), SignatureHashFunc: crypto.SHA256,
	}
}

// signingKey is the key of a log, known by the digest of its public half.
type signingKey struct{ *ecdsa.PrivateKey }

func newSigningKey(t testing.TB) *signingKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signingKey{k}
}

func (k *signingKey) id() []byte {
	spki, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err) // of a key made here
	}
	sum := sha256.Sum256(spki)
	return sum[:]
}

func (k *signingKey) sign(message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	return ecdsa.SignASN1(rand.Reader, k.PrivateKey, sum[:])
}
