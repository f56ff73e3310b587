package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
)

const (
	email  = "release@example.org"
	issuer = "https://accounts.example.org"
)

type object = map[string]any

// edit changes a bundle as an attacker would who holds the file.
func edit(t testing.TB, bundle []byte, f func(object)) []byte {
	t.Helper()
	var o object
	if err := json.Unmarshal(bundle, &o); err != nil {
		t.Fatal(err)
	}
	f(o)
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func envelopeOf(o object) object { return o["dsseEnvelope"].(object) }
func material(o object) object   { return o["verificationMaterial"].(object) }
func logEntry(o object) object   { return material(o)["tlogEntries"].([]any)[0].(object) }
func signature(o object) object  { return envelopeOf(o)["signatures"].([]any)[0].(object) }

// flip changes one bit of a base64 member.
func flip(t testing.TB, o object, member string) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(o[member].(string))
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	o[member] = base64.StdEncoding.EncodeToString(b)
}

func setPayload(o object, payload []byte) {
	envelopeOf(o)["payload"] = base64.StdEncoding.EncodeToString(payload)
}

func rawKey(t testing.TB) (*ecdsa.PrivateKey, *attest.PublicKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := attest.ParsePublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// signRaw signs anything at all: DSSE v1 by hand
// (https://github.com/secure-systems-lab/dsse/blob/master/protocol.md).
func signRaw(t testing.TB, k *ecdsa.PrivateKey, payloadType string, payload []byte) []byte {
	t.Helper()
	pae := fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
	digest := sha256.Sum256([]byte(pae))
	sig, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(object{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": object{"publicKey": object{"hint": ""}},
		"dsseEnvelope":         object{"payload": payload, "payloadType": payloadType, "signatures": []object{{"sig": sig}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The hint is not authenticated: cosign's form and none at all still find the key.
func TestKeyHints(t *testing.T) {
	k, other := newKey(t), newKey(t)
	good := sign(t, k, statement(t, nil))
	raw, _ := base64.StdEncoding.DecodeString("AAAA")
	for name, hint := range map[string]string{
		"hex": k.KeyID(), "none": "", "strange": "key-1", "foreign base64": base64.StdEncoding.EncodeToString(raw),
		"of another trusted key": other.KeyID(),
	} {
		b := edit(t, good, func(o object) { material(o)["publicKey"] = object{"hint": hint} })
		_, err := attest.VerifyKeys(b, []*attest.PublicKey{other.Public(), k.Public()})
		if fails := name == "of another trusted key"; (err != nil) != fails {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}

func identityPolicy(t testing.TB, root []byte, ids ...attest.Identity) attest.Policy {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trusted_root.json")
	if err := os.WriteFile(path, root, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := attest.LoadTrustedRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	return attest.Policy{Identities: ids, Root: r}
}

func TestIdentityVerifies(t *testing.T) {
	s := attesttest.New(t)
	b := s.Statement(t, email, issuer, statement(t, []byte("artifact")))
	wrong := attest.Identity{Issuer: issuer, SANRegex: "nobody@.*"}
	right := attest.Identity{Issuer: issuer, SANRegex: `release@example\.org`}
	for name, root := range map[string][]byte{"log and timestamp": s.TrustedRoot(t), "timestamp only": s.TrustedRootWithoutLog(t)} {
		v, err := identityPolicy(t, root, wrong, right).Verify(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v.SAN != email || v.Issuer != issuer || v.KeyID != "" {
			t.Errorf("%s: signer = %+v", name, v)
		}
	}
}

func TestMessageSignatures(t *testing.T) {
	s := attesttest.New(t)
	artifact := []byte("the artifact itself")
	b := s.Blob(t, email, issuer, artifact)
	policy := identityPolicy(t, s.TrustedRoot(t), attest.Identity{Issuer: issuer, SANRegex: ".*@example.org"})
	v, err := policy.VerifyArtifact(b, map[string]string{"sha256": sum(artifact)})
	if err != nil {
		t.Fatal(err)
	}
	if v.SAN != email || v.Statement != nil || v.Payload != nil {
		t.Errorf("verified = %+v", v)
	}
	if _, err := policy.Verify(b); !errors.Is(err, attest.ErrContent) {
		t.Errorf("where a statement is demanded: err = %v, want ErrContent", err)
	}
	if _, err := policy.VerifyArtifact(b, map[string]string{"sha512": sum(artifact)}); !errors.Is(err, attest.ErrSubject) {
		t.Errorf("no digest of the bundle's algorithm: err = %v, want ErrSubject", err)
	}
	forged := edit(t, b, func(o object) {
		m := o["messageSignature"].(object)["messageDigest"].(object)
		d := [32]byte{}
		m["digest"] = base64.StdEncoding.EncodeToString(d[:])
	})
	zero := "0000000000000000000000000000000000000000000000000000000000000000"
	if _, err := policy.VerifyArtifact(forged, map[string]string{"sha256": zero}); !errors.Is(err, attest.ErrUnverified) {
		t.Errorf("edited digest: err = %v, want ErrUnverified", err)
	}
}

func TestIdentityIsAnchored(t *testing.T) {
	for _, c := range []struct {
		regex, san string
		want       bool
	}{
		{`a@b\.c`, "a@b.c", true},
		{`a@b\.c`, "xa@b.c", false},
		{`a@b\.c`, "a@b.cx", false},
		{`a@b\.c`, "a@b.c\n", false},
		{`(?m)a@b\.c$`, "a@b.c\nevil", false},
		{`a|b`, "ab", false},
		{`a|b`, "b", true},
		{`a)|(?:.*`, "anything", false}, // would close the group
		{`\Qa`, "a", false},             // would swallow the anchor
		{`(?i)A`, "a", true},
		{"", "", false},
	} {
		id := attest.Identity{Issuer: issuer, SANRegex: c.regex}
		if got := id.Matches(issuer, c.san); got != c.want {
			t.Errorf("%q matches %q = %v, want %v", c.regex, c.san, got, c.want)
		}
	}
	id := attest.Identity{Issuer: issuer, SANRegex: ".*"}
	if id.Matches(issuer+"/", "a") || id.Matches("", "a") || (attest.Identity{SANRegex: ".*"}).Matches("", "a") {
		t.Error("the issuer must be equal and not empty")
	}
	for _, bad := range []attest.Identity{{Issuer: issuer}, {SANRegex: "a"}, {Issuer: issuer, SANRegex: "("}, {Issuer: issuer, SANRegex: "a)|(b"}} {
		if err := bad.Validate(); !errors.Is(err, attest.ErrIdentity) {
			t.Errorf("Validate(%+v) = %v, want ErrIdentity", bad, err)
		}
	}
}

func TestTrustedRootRefuses(t *testing.T) {
	s := attesttest.New(t)
	good := s.TrustedRoot(t)
	for name, in := range map[string][]byte{
		"no observed time": s.TrustedRootWithoutTime(t),
		"empty":            nil,
		"truncated":        good[:len(good)/2],
		"no authority":     edit(t, good, func(o object) { delete(o, "certificateAuthorities") }),
		"duplicate member": bytes.Replace(good, []byte("{"), []byte(`{"mediaType":"x",`), 1),
		"other media type": edit(t, good, func(o object) { o["mediaType"] = "text/plain" }),
		"broken log key":   edit(t, good, func(o object) { o["tlogs"].([]any)[0].(object)["publicKey"] = object{"rawBytes": "AAAA"} }),
		"certificate no DER": edit(t, good, func(o object) {
			o["certificateAuthorities"] = []any{object{"certChain": object{"certificates": []any{object{"rawBytes": "AAAA"}}}}}
		}),
	} {
		if _, err := attest.ParseTrustedRoot(in); !errors.Is(err, attest.ErrTrustedRoot) {
			t.Errorf("%s: err = %v, want ErrTrustedRoot", name, err)
		}
	}
	if _, err := attest.LoadTrustedRoot(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: err = %v", err)
	}
	b := s.Statement(t, email, issuer, statement(t, nil))
	if _, err := (attest.Policy{Identities: []attest.Identity{{Issuer: issuer, SANRegex: ".*"}}}).Verify(b); !errors.Is(err, attest.ErrTrustedRoot) {
		t.Errorf("identities without a root: err = %v, want ErrTrustedRoot", err)
	}
}

// A provenance bundle that npm published, against the public-good root of its
// time: both ship with sigstore-go's own tests.
func TestRealNPMProvenance(t *testing.T) {
	pkg, err := build.Import("github.com/sigstore/sigstore-go/pkg/testing/data", ".", build.FindOnly)
	if err != nil {
		t.Skipf("sigstore-go's test data is not on this machine: %v", err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(pkg.Dir, name))
		if err != nil {
			t.Skipf("sigstore-go's test data is not on this machine: %v", err)
		}
		return b
	}
	b := read("bundles/sigstore.js@2.0.0-provenance.sigstore.json")
	root := read("trusted-roots/public-good.json")
	id := attest.Identity{
		Issuer:   "https://token.actions.githubusercontent.com",
		SANRegex: `https://github\.com/sigstore/sigstore-js/\.github/workflows/release\.yml@refs/heads/main`,
	}
	v, err := identityPolicy(t, root, id).Verify(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Statement.Subjects[0].Name; got != "pkg:npm/sigstore@2.0.0" || v.Statement.PredicateType != "https://slsa.dev/provenance/v1" {
		t.Errorf("subject %q, predicate %q", got, v.Statement.PredicateType)
	}
	if f := v.Provenance; f == nil || f.Repository != "https://github.com/sigstore/sigstore-js" || f.Workflow != ".github/workflows/release.yml" ||
		f.Builder != "https://github.com/actions/runner/github-hosted" || f.Revision == "" || v.Build.SourceRepositoryURI != f.Repository || v.SignedAt.IsZero() {
		t.Errorf("provenance %+v, certificate %+v, at %s", v.Provenance, v.Build, v.SignedAt)
	}
	tarball := map[string]string{"sha512": v.Statement.Subjects[0].Digest["sha512"]}
	demanding := id
	demanding.SourceRepository, demanding.Builder = "git+https://github.com/sigstore/sigstore-js.git", v.Provenance.Builder
	if _, err := identityPolicy(t, root, demanding).VerifyArtifact(b, tarball); err != nil {
		t.Error(err)
	}
	demanding.SourceRepository = "https://github.com/sigstore/sigstore-js-fork"
	if _, err := identityPolicy(t, root, demanding).VerifyArtifact(b, tarball); attest.ReasonOf(err) != attest.ReasonSource {
		t.Errorf("another repository is demanded: %v", err)
	}
	id.SANRegex = `https://github\.com/sigstore/sigstore-js`
	if _, err := identityPolicy(t, root, id).Verify(b); !errors.Is(err, attest.ErrIdentity) {
		t.Errorf("a prefix of the SAN: err = %v, want ErrIdentity", err)
	}
}

func FuzzVerify(f *testing.F) {
	k := newKey(f)
	good := sign(f, k, statement(f, []byte("artifact")))
	s := attesttest.New(f)
	f.Add(good)
	f.Add(s.Statement(f, email, issuer, statement(f, nil)))
	f.Add(s.Blob(f, email, issuer, []byte("a")))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{},"verificationMaterial":{"publicKey":{}}}`))
	f.Add([]byte(`{"base64Signature":"` + base64.StdEncoding.EncodeToString([]byte(`{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AAAA"}]}`)) + `","cert":"","rekorBundle":{"SignedEntryTimestamp":"AAAA","Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":"00"}}}`))
	root, err := attest.ParseTrustedRoot(s.TrustedRoot(f))
	if err != nil {
		f.Fatal(err)
	}
	policy := attest.Policy{Keys: []*attest.PublicKey{k.Public()}, Root: root, Identities: []attest.Identity{{Issuer: "https://none.example", SANRegex: "none"}}}
	want, err := policy.Verify(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := policy.VerifyArtifact(b, map[string]string{"sha256": sum([]byte("artifact"))})
		if err == nil && !bytes.Equal(v.Payload, want.Payload) {
			t.Errorf("accepted a payload that was never signed: %q", v.Payload)
		}
	})
}

func FuzzParseStatement(f *testing.F) {
	f.Add(statement(f, nil))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{"a":"b"}}],"predicateType":"p"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := attest.ParseStatement(b)
		if err != nil {
			return
		}
		out, err := s.Marshal()
		if err != nil {
			t.Fatalf("accepted but not writable: %v", err)
		}
		if _, err := attest.ParseStatement(out); err != nil {
			t.Fatalf("own output refused: %v", err)
		}
	})
}
