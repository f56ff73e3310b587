package attest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// cosignV2 is what `cosign sign-blob --bundle` and `attest-blob --bundle` wrote
// by default before version 3 (cosign.LocalSignedPayload). For an attestation
// base64Signature holds the whole DSSE envelope.
type cosignV2 struct {
	Signature string `json:"base64Signature"`
	Cert      string `json:"cert"` // base64 of PEM
	Rekor     *struct {
		Promise []byte `json:"SignedEntryTimestamp"`
		Payload struct {
			Body  []byte `json:"body"`
			Time  int64  `json:"integratedTime"`
			Index int64  `json:"logIndex"`
			ID    string `json:"logID"`
		} `json:"Payload"`
	} `json:"rekorBundle"`
}

type dsseEnvelope struct {
	PayloadType string `json:"payloadType"`
	Payload     []byte `json:"payload"`
	Signatures  []struct {
		KeyID string `json:"keyid"`
		Sig   []byte `json:"sig"`
	} `json:"signatures"`
}

// isCosignV2 tells the two formats apart by their first members; the syntax is
// settled already.
func isCosignV2(b []byte) bool {
	dec := jsontext.NewDecoder(bytes.NewBuffer(b))
	if _, err := dec.ReadToken(); err != nil {
		return false
	}
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil {
			return false
		}
		switch t.String() {
		case "base64Signature":
			return true
		case "mediaType", "media_type":
			return false
		}
		if dec.SkipValue() != nil {
			return false
		}
	}
	return false
}

// fromCosignV2 writes the same signature as a bundle v0.1, which like it proves
// the log entry by a promise.
func fromCosignV2(b []byte) (*bundle.Bundle, error) {
	var in cosignV2
	if err := json.Unmarshal(b, &in, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	sig, err := base64.StdEncoding.DecodeString(in.Signature)
	if err != nil || len(sig) == 0 {
		return nil, fmt.Errorf("%w: no signature", ErrBundle)
	}
	out := &protobundle.Bundle{MediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1", VerificationMaterial: &protobundle.VerificationMaterial{}}
	if sig[0] == '{' {
		envelope, err := envelopeOf(sig)
		if err != nil {
			return nil, err
		}
		out.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: envelope}
	} else {
		// The format does not say what was signed: that is compared with the
		// artifact when it is verified.
		out.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			Signature: sig, MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256},
		}}
	}
	if err := in.material(out.VerificationMaterial); err != nil {
		return nil, err
	}
	parsed, err := bundle.NewBundle(out)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return parsed, nil
}

func envelopeOf(b []byte) (*protodsse.Envelope, error) {
	if err := checkJSON(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	var in dsseEnvelope
	if err := json.Unmarshal(b, &in, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	out := &protodsse.Envelope{Payload: in.Payload, PayloadType: in.PayloadType}
	for _, s := range in.Signatures {
		out.Signatures = append(out.Signatures, &protodsse.Signature{Sig: s.Sig, Keyid: s.KeyID})
	}
	return out, nil
}

func (c *cosignV2) material(m *protobundle.VerificationMaterial) error {
	m.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{}}
	if c.Cert != "" {
		text, err := base64.StdEncoding.DecodeString(c.Cert)
		if err != nil {
			return fmt.Errorf("%w: certificate", ErrBundle)
		}
		block, rest := pem.Decode(text)
		switch {
		case block == nil || len(bytes.TrimSpace(rest)) > 0:
			return fmt.Errorf("%w: certificate", ErrBundle)
		case block.Type == "CERTIFICATE":
			m.Content = &protobundle.VerificationMaterial_X509CertificateChain{
				X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{{RawBytes: block.Bytes}}},
			}
		case block.Type != "PUBLIC KEY":
			return fmt.Errorf("%w: certificate", ErrBundle)
		}
	}
	if c.Rekor == nil {
		return nil
	}
	p := c.Rekor.Payload
	id, err := hex.DecodeString(p.ID)
	if err != nil {
		return fmt.Errorf("%w: log id", ErrBundle)
	}
	var kind struct {
		Kind    string `json:"kind"`
		Version string `json:"apiVersion"`
	}
	if err := json.Unmarshal(p.Body, &kind); err != nil {
		return fmt.Errorf("%w: log entry: %w", ErrBundle, err)
	}
	// A newer generation of log gives proofs, which this format cannot carry.
	if strings.HasPrefix(kind.Version, "0.0.2") && kind.Kind != "intoto" {
		return fmt.Errorf("%w: log entry of version %s", ErrBundle, kind.Version)
	}
	m.TlogEntries = []*protorekor.TransparencyLogEntry{{
		LogIndex: p.Index, LogId: &protocommon.LogId{KeyId: id}, IntegratedTime: p.Time, CanonicalizedBody: p.Body,
		KindVersion:      &protorekor.KindVersion{Kind: kind.Kind, Version: kind.Version},
		InclusionPromise: &protorekor.InclusionPromise{SignedEntryTimestamp: c.Rekor.Promise},
	}}
	return nil
}
