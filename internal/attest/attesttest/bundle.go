package attesttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"google.golang.org/protobuf/encoding/protojson"
)

// Signing says what is signed, by whom and when. The zero value of everything
// but Holder and what is signed is the honest way: now, logged by Rekor 1,
// stamped by one authority.
type Signing struct {
	Holder    Holder
	Statement []byte // a DSSE envelope around it ...
	Artifact  []byte // ... or a signature over this, as `cosign sign-blob` makes them

	PayloadType string        // of the envelope; default in-toto
	Issued      time.Time     // when the certificate begins
	Life        time.Duration // of the certificate; default CertificateLife
	Unlogged    bool          // the certificate is in no log
	By          *Sigstore     // whose authority issues the certificate; default this one
	Stamper     *Sigstore     // whose authorities stamp it; default this one
	Log         Log
	LoggedAt    time.Time
	Stamps      []time.Time // one authority after the other; nil: one, at LoggedAt
	NoStamp     bool
	StampOther  bool // the stamps are about another signature
}

// Sign makes the bundle.
func (s *Sigstore) Sign(t testing.TB, g Signing) []byte {
	t.Helper()
	b, err := s.sign(g)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *Sigstore) sign(g Signing) ([]byte, error) {
	g.defaults(s)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := g.By.certificate(g.Holder, key.Public(), g.Issued, g.Life, g.Unlogged)
	if err != nil {
		return nil, err
	}
	signed := g.Artifact
	if g.Statement != nil {
		signed = encoding(g.PayloadType, g.Statement)
	}
	digest := sha256.Sum256(signed)
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: cert.Raw}},
	}
	b := &protobundle.Bundle{MediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", VerificationMaterial: material}
	r := record{certificate: cert.Raw, signature: sig, digest: digest[:]}
	if g.Statement != nil {
		envelope := &protodsse.Envelope{Payload: g.Statement, PayloadType: g.PayloadType, Signatures: []*protodsse.Signature{{Sig: sig}}}
		b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: envelope}
		r.dsse, r.payload = true, g.Statement
		if r.envelope, err = json.Marshal(map[string]any{"payload": g.Statement, "payloadType": g.PayloadType, "signatures": []any{map[string]any{"sig": sig}}}, json.Deterministic(true)); err != nil {
			return nil, err
		}
	} else {
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: digest[:]}, Signature: sig,
		}}
	}
	if g.Log != NoLog {
		e, err := s.logs[g.Log].entry(g.Log, r, g.LoggedAt)
		if err != nil {
			return nil, err
		}
		material.TlogEntries = append(material.TlogEntries, e)
	}
	if material.TimestampVerificationData, err = g.stamped(sig); err != nil {
		return nil, err
	}
	return marshal(b)
}

func (g *Signing) defaults(s *Sigstore) {
	if g.By == nil {
		g.By = s
	}
	if g.Stamper == nil {
		g.Stamper = s
	}
	if g.PayloadType == "" {
		g.PayloadType = "application/vnd.in-toto+json"
	}
	if g.Issued.IsZero() {
		g.Issued = time.Now()
	}
	// Certificates know seconds only.
	g.Issued = g.Issued.Truncate(time.Second)
	if g.Life == 0 {
		g.Life = CertificateLife
	}
	if g.LoggedAt.IsZero() {
		g.LoggedAt = g.Issued.Add(time.Second)
	}
	if g.Stamps == nil && !g.NoStamp {
		g.Stamps = []time.Time{g.LoggedAt}
	}
}

func (g *Signing) stamped(sig []byte) (*protobundle.TimestampVerificationData, error) {
	if g.StampOther {
		sig = []byte("another signature")
	}
	digest := sha256.Sum256(sig)
	out := new(protobundle.TimestampVerificationData)
	for i, at := range g.Stamps {
		stamp, err := g.Stamper.stampers[i%len(g.Stamper.stampers)].stamp(digest[:], crypto.SHA256, at, nil, false)
		if err != nil {
			return nil, err
		}
		out.Rfc3161Timestamps = append(out.Rfc3161Timestamps, &protocommon.RFC3161SignedTimestamp{SignedTimestamp: stamp})
	}
	return out, nil
}

// encoding is DSSE's pre-authentication encoding.
func encoding(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Statement signs an in-toto statement as the holder of this e-mail address,
// now.
func (s *Sigstore) Statement(t testing.TB, email, issuer string, statement []byte) []byte {
	t.Helper()
	return s.Sign(t, Signing{Holder: Holder{SAN: email, Issuer: issuer}, Statement: statement})
}

// StatementAt also sets the time at which the log says that it saw the
// signature. The certificate is issued now.
func (s *Sigstore) StatementAt(t testing.TB, email, issuer string, statement []byte, logged time.Time) []byte {
	t.Helper()
	return s.Sign(t, Signing{Holder: Holder{SAN: email, Issuer: issuer}, Statement: statement, LoggedAt: logged, Stamps: []time.Time{time.Now()}})
}

// Blob signs an artifact itself, as `cosign sign-blob` does.
func (s *Sigstore) Blob(t testing.TB, email, issuer string, artifact []byte) []byte {
	t.Helper()
	return s.Sign(t, Signing{Holder: Holder{SAN: email, Issuer: issuer}, Artifact: artifact})
}

// marshal writes regular bytes; protojson varies its spaces on purpose.
func marshal(b *protobundle.Bundle) ([]byte, error) {
	out, err := protojson.Marshal(b)
	if err != nil {
		return nil, err
	}
	v := jsontext.Value(bytes.Clone(out))
	if err := v.Compact(); err != nil {
		return nil, err
	}
	return slices.Clone(v), nil
}
