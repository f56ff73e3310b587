// Package attesttest is a whole Sigstore in memory, for tests only: a
// certificate authority, a transparency log and a timestamp authority that
// sign bundles which package attest reads from bytes, as it reads real ones.
package attesttest

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"google.golang.org/protobuf/encoding/protojson"
)

// Sigstore is one deployment with keys of its own.
type Sigstore struct{ virtual *ca.VirtualSigstore }

// New makes a deployment.
func New(t testing.TB) *Sigstore {
	t.Helper()
	v, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	return &Sigstore{v}
}

// TrustedRoot is the deployment's trusted_root.json. It lists no CT log: the
// certificates carry no SCT.
func (s *Sigstore) TrustedRoot(t testing.TB) []byte {
	t.Helper()
	return s.trustedRoot(t, s.virtual.TimestampingAuthorities(), s.logs(t))
}

// TrustedRootWithoutLog lists the timestamp authority only.
func (s *Sigstore) TrustedRootWithoutLog(t testing.TB) []byte {
	t.Helper()
	return s.trustedRoot(t, s.virtual.TimestampingAuthorities(), map[string]*root.TransparencyLog{})
}

// TrustedRootWithoutTime lists neither log nor timestamp authority.
func (s *Sigstore) TrustedRootWithoutTime(t testing.TB) []byte {
	t.Helper()
	return s.trustedRoot(t, nil, map[string]*root.TransparencyLog{})
}

func (s *Sigstore) trustedRoot(t testing.TB, tsas []root.TimestampingAuthority, logs map[string]*root.TransparencyLog) []byte {
	t.Helper()
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, s.virtual.FulcioCertificateAuthorities(),
		map[string]*root.TransparencyLog{}, tsas, logs)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// logs repairs the log IDs: VirtualSigstore holds them as ASCII hex, which does
// not survive being written to a file.
func (s *Sigstore) logs(t testing.TB) map[string]*root.TransparencyLog {
	t.Helper()
	out := maps.Clone(s.virtual.RekorLogs())
	for id, l := range out {
		raw, err := hex.DecodeString(id)
		if err != nil {
			t.Fatal(err)
		}
		l.ID = raw
	}
	return out
}

// Statement signs an in-toto statement as the holder of this e-mail address,
// now.
func (s *Sigstore) Statement(t testing.TB, email, issuer string, statement []byte) []byte {
	t.Helper()
	return s.StatementAt(t, email, issuer, statement, time.Now().Add(time.Minute))
}

// StatementAt also sets the time at which the log says that it saw the
// signature; the certificate is valid for the next ten minutes only.
func (s *Sigstore) StatementAt(t testing.TB, email, issuer string, statement []byte, logged time.Time) []byte {
	t.Helper()
	e, err := s.virtual.AttestAtTime(email, issuer, statement, logged, true)
	if err != nil {
		t.Fatal(err)
	}
	content, err := e.SignatureContent()
	if err != nil {
		t.Fatal(err)
	}
	env := content.EnvelopeContent().RawEnvelope()
	sig, err := base64.StdEncoding.DecodeString(env.Signatures[0].Sig)
	if err != nil {
		t.Fatal(err)
	}
	return s.marshal(t, e, &protobundle.Bundle{Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
		Payload: statement, PayloadType: env.PayloadType,
		Signatures: []*protodsse.Signature{{Sig: sig}},
	}}})
}

// Blob signs an artifact itself, as `cosign sign-blob` does.
func (s *Sigstore) Blob(t testing.TB, email, issuer string, artifact []byte) []byte {
	t.Helper()
	e, err := s.virtual.SignAtTime(email, issuer, artifact, time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	content, err := e.SignatureContent()
	if err != nil {
		t.Fatal(err)
	}
	m := content.MessageSignatureContent()
	return s.marshal(t, e, &protobundle.Bundle{Content: &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
		MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: m.Digest()},
		Signature:     m.Signature(),
	}}})
}

func (s *Sigstore) marshal(t testing.TB, e *ca.TestEntity, b *protobundle.Bundle) []byte {
	t.Helper()
	vc, err := e.VerificationContent()
	if err != nil {
		t.Fatal(err)
	}
	stamps, err := e.Timestamps()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := e.TlogEntries()
	if err != nil {
		t.Fatal(err)
	}
	b.MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	b.VerificationMaterial = &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: vc.Certificate().Raw}},
		TimestampVerificationData: &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: stamps[0]}},
		},
		TlogEntries: []*protorekor.TransparencyLogEntry{s.entry(t, entries[0], b)},
	}
	out, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	v := jsontext.Value(out)
	if err := v.Compact(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(v)
}

// entry adds what a bundle in a file needs and VirtualSigstore leaves out: kind
// and version, the signed entry timestamp, the inclusion proof.
func (s *Sigstore) entry(t testing.TB, e *tlog.Entry, b *protobundle.Bundle) *protorekor.TransparencyLogEntry {
	t.Helper()
	tle := e.TransparencyLogEntry()
	tle.KindVersion = &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.1"}
	if b.GetDsseEnvelope() != nil {
		tle.KindVersion.Kind = "dsse"
	}
	body := tle.GetCanonicalizedBody()
	set, err := s.virtual.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(body), IntegratedTime: tle.IntegratedTime,
		LogIndex: tle.LogIndex, LogID: hex.EncodeToString(tle.LogId.KeyId),
	})
	if err != nil {
		t.Fatal(err)
	}
	tle.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: set}
	if tle.InclusionProof == nil {
		p, err := s.virtual.GetInclusionProof(body)
		if err != nil {
			t.Fatal(err)
		}
		rootHash, err := hex.DecodeString(*p.RootHash)
		if err != nil {
			t.Fatal(err)
		}
		tle.InclusionProof = &protorekor.InclusionProof{
			LogIndex: *p.LogIndex, TreeSize: *p.TreeSize, RootHash: rootHash,
			Checkpoint: &protorekor.Checkpoint{Envelope: *p.Checkpoint},
		}
	}
	return tle
}
