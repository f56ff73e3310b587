package attesttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/go-json-experiment/json"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"google.golang.org/protobuf/encoding/protojson"
)

// maxRequest bounds what the services read, as the real ones do.
const maxRequest = 8 << 20

// Claims of an OIDC token: of a person, or of a build job.
type Claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Email    string `json:"email,omitzero"`
	Verified bool   `json:"email_verified,omitzero"`
	Expires  int64  `json:"exp"`
	// What GitHub says of a job.
	Workflow   string `json:"job_workflow_ref,omitzero"`
	Repository string `json:"repository,omitzero"`
	Revision   string `json:"sha,omitzero"`
	Ref        string `json:"ref,omitzero"`
}

// Services are the deployment behind HTTP, on loopback.
type Services struct {
	Fulcio, RekorV1, RekorV2, TSA string

	issuer *signingKey
}

// Serve starts the services; they end with the test. Fulcio believes the tokens
// of Token.
func (s *Sigstore) Serve(t testing.TB) *Services {
	t.Helper()
	services := &Services{issuer: newSigningKey(t)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/signingCert", answer(http.StatusOK, func(_ http.Header, r *http.Request, body []byte) (any, error) {
		return s.enrol(services.issuer, r.Header.Get("Authorization"), body)
	}))
	mux.HandleFunc("POST /api/v1/signingCert", answer(http.StatusCreated, func(_ http.Header, r *http.Request, body []byte) (any, error) {
		return s.enrolV1(services.issuer, r.Header.Get("Authorization"), body)
	}))
	mux.HandleFunc("POST /api/v1/log/entries", answer(http.StatusCreated, s.logV1))
	mux.HandleFunc("POST /api/v2/log/entries", answer(http.StatusCreated, s.logV2))
	mux.HandleFunc("POST /api/v1/timestamp", s.timestamp)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	services.Fulcio, services.RekorV1, services.RekorV2, services.TSA = server.URL, server.URL, server.URL, server.URL+"/api/v1/timestamp"
	return services
}

// Token signs claims as the OIDC issuer whose tokens Fulcio believes; audience
// and expiry are filled in if they are missing.
func (s *Services) Token(t testing.TB, c Claims) string {
	t.Helper()
	if c.Audience == "" {
		c.Audience = "sigstore"
	}
	if c.Expires == 0 {
		c.Expires = time.Now().Add(5 * time.Minute).Unix()
	}
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sig, err := s.issuer.sign([]byte(token))
	if err != nil {
		t.Fatal(err)
	}
	return token + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// answer wraps a service: JSON in, JSON out.
func answer(status int, serve func(http.Header, *http.Request, []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		out, err := serve(w.Header(), r, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		raw, done := out.([]byte)
		if !done {
			if raw, err = json.Marshal(out); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(raw)
	}
}

// enrol is Fulcio: a believed token and the proof of a key make a certificate
// (https://github.com/sigstore/fulcio/blob/main/fulcio.proto).
func (s *Sigstore) enrol(issuer *signingKey, authorization string, body []byte) (any, error) {
	var in struct {
		Credentials struct {
			Token string `json:"oidcIdentityToken"`
		} `json:"credentials"`
		Request struct {
			Key struct {
				Content string `json:"content"`
			} `json:"publicKey"`
			Proof []byte `json:"proofOfPossession"`
		} `json:"publicKeyRequest"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if in.Credentials.Token == "" {
		in.Credentials.Token, _ = strings.CutPrefix(authorization, "Bearer ")
	}
	block, _ := pem.Decode([]byte(in.Request.Key.Content))
	if block == nil {
		return nil, errors.New("no public key")
	}
	chain, err := s.chain(issuer, in.Credentials.Token, block.Bytes, in.Request.Proof)
	if err != nil {
		return nil, err
	}
	return map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}}}, nil
}

// enrolV1 is Fulcio's first API, which cosign 2 speaks.
func (s *Sigstore) enrolV1(issuer *signingKey, authorization string, body []byte) (any, error) {
	var in struct {
		Key struct {
			Content []byte `json:"content"`
		} `json:"publicKey"`
		Proof []byte `json:"signedEmailAddress"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(in.Key.Content)
	if block == nil {
		return nil, errors.New("no public key")
	}
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	chain, err := s.chain(issuer, token, block.Bytes, in.Proof)
	if err != nil {
		return nil, err
	}
	return []byte(strings.Join(chain, "")), nil
}

// chain certifies a key for whom the token names.
func (s *Sigstore) chain(issuer *signingKey, token string, spki, proof []byte) ([]string, error) {
	c, err := issuer.believe(token)
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, err
	}
	key, ok := public.(*ecdsa.PublicKey)
	proven := c.Subject
	if c.Email != "" {
		proven = c.Email
	}
	if sum := sha256.Sum256([]byte(proven)); !ok || !ecdsa.VerifyASN1(key, sum[:], proof) {
		return nil, errors.New("the key's possession is not proven")
	}
	cert, err := s.certificate(c.holder(), key, time.Now().Truncate(time.Second), CertificateLife, false)
	if err != nil {
		return nil, err
	}
	var chain []string
	for _, x := range []*x509.Certificate{cert, s.issuer.cert, s.root.cert} {
		chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Raw})))
	}
	return chain, nil
}

func (k *signingKey) believe(token string) (*Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("no token")
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256([]byte(parts[0] + "." + parts[1])); !ecdsa.VerifyASN1(&k.PublicKey, sum[:], sig) {
		return nil, errors.New("a token of somebody else's")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var c Claims
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if c.Audience != "sigstore" || time.Now().Unix() > c.Expires {
		return nil, errors.New("the token is for others, or has expired")
	}
	return &c, nil
}

func (c *Claims) holder() Holder {
	if c.Workflow == "" {
		return Holder{SAN: c.Email, Issuer: c.Issuer}
	}
	const forge = "https://github.com/"
	return Holder{SAN: forge + c.Workflow, Issuer: c.Issuer, Build: certificate.Extensions{
		BuildSignerURI: forge + c.Workflow, SourceRepositoryURI: forge + c.Repository, SourceRepositoryDigest: c.Revision, SourceRepositoryRef: c.Ref,
		BuildConfigURI: forge + c.Workflow,
	}}
}

// logV1 is Rekor 1 (https://github.com/sigstore/rekor/blob/main/openapi.yaml).
func (s *Sigstore) logV1(header http.Header, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Kind string `json:"kind"`
		Spec struct {
			Proposed struct {
				Envelope  string   `json:"envelope"`
				Verifiers [][]byte `json:"verifiers"`
			} `json:"proposedContent"`
			Data struct {
				Hash struct {
					Value string `json:"value"`
				} `json:"hash"`
			} `json:"data"`
			Signature struct {
				Content   []byte `json:"content"`
				PublicKey struct {
					Content []byte `json:"content"`
				} `json:"publicKey"`
			} `json:"signature"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	var r record
	verifier := in.Spec.Signature.PublicKey.Content
	switch in.Kind {
	case "dsse":
		var envelope struct {
			Payload    []byte `json:"payload"`
			Signatures []struct {
				Sig []byte `json:"sig"`
			} `json:"signatures"`
		}
		if err := json.Unmarshal([]byte(in.Spec.Proposed.Envelope), &envelope); err != nil || len(envelope.Signatures) != 1 || len(in.Spec.Proposed.Verifiers) != 1 {
			return nil, errors.Join(err, errors.New("one signature by one verifier"))
		}
		verifier = in.Spec.Proposed.Verifiers[0]
		r = record{dsse: true, envelope: []byte(in.Spec.Proposed.Envelope), payload: envelope.Payload, signature: envelope.Signatures[0].Sig}
	case "hashedrekord":
		digest, err := hex.DecodeString(in.Spec.Data.Hash.Value)
		if err != nil {
			return nil, err
		}
		r = record{digest: digest, signature: in.Spec.Signature.Content}
	default:
		return nil, errors.New("another kind of entry")
	}
	block, _ := pem.Decode(verifier)
	if block == nil {
		return nil, errors.New("no verifier")
	}
	r.certificate, r.key = block.Bytes, block.Type == "PUBLIC KEY"
	e, err := s.logs[LogV1].entry(LogV1, r, time.Now())
	if err != nil {
		return nil, err
	}
	var hashes []string
	for _, h := range e.InclusionProof.Hashes {
		hashes = append(hashes, hex.EncodeToString(h))
	}
	leaf := sha256.Sum256(append([]byte{0}, e.CanonicalizedBody...))
	id := hex.EncodeToString(leaf[:])
	header.Set("ETag", id)
	header.Set("Location", "/api/v1/log/entries/"+id)
	return map[string]any{id: map[string]any{
		"body": e.CanonicalizedBody, "integratedTime": e.IntegratedTime, "logID": hex.EncodeToString(e.LogId.KeyId), "logIndex": e.LogIndex,
		"verification": map[string]any{"signedEntryTimestamp": e.InclusionPromise.SignedEntryTimestamp, "inclusionProof": map[string]any{
			"checkpoint": e.InclusionProof.Checkpoint.Envelope, "hashes": hashes, "logIndex": e.InclusionProof.LogIndex,
			"rootHash": hex.EncodeToString(e.InclusionProof.RootHash), "treeSize": e.InclusionProof.TreeSize,
		}},
	}}, nil
}

// logV2 is Rekor 2 (https://github.com/sigstore/rekor-tiles).
func (s *Sigstore) logV2(_ http.Header, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Request struct {
			Digest    []byte `json:"digest"`
			Signature struct {
				Content  []byte `json:"content"`
				Verifier struct {
					Certificate struct {
						Raw []byte `json:"rawBytes"`
					} `json:"x509Certificate"`
				} `json:"verifier"`
			} `json:"signature"`
		} `json:"hashedRekordRequestV002"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	r := record{certificate: in.Request.Signature.Verifier.Certificate.Raw, signature: in.Request.Signature.Content, digest: in.Request.Digest}
	if len(r.certificate) == 0 || len(r.digest) != sha256.Size {
		return nil, errors.New("no certificate or digest")
	}
	e, err := s.logs[LogV2].entry(LogV2, r, time.Now())
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(e)
}

// timestamp is a timestamp authority: RFC 3161 over HTTP, or the JSON that
// Sigstore's takes as well.
func (s *Sigstore) timestamp(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	var digest []byte
	var nonce *big.Int
	hash, certificates := crypto.SHA256, false
	if r.Header.Get("Content-Type") == "application/json" {
		var in struct {
			Hash      []byte `json:"artifactHash"`
			Algorithm string `json:"hashAlgorithm"`
		}
		if err = json.Unmarshal(body, &in); err == nil && in.Algorithm != "sha256" {
			err = errors.New("another algorithm")
		}
		digest = in.Hash
	} else if q, perr := timestamp.ParseRequest(body); perr != nil {
		err = perr
	} else {
		digest, hash, nonce, certificates = q.HashedMessage, q.HashAlgorithm, q.Nonce, q.Certificates
	}
	var out []byte
	if err == nil {
		out, err = s.stampers[0].stamp(digest, hash, time.Now(), nonce, certificates)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(out)
}
