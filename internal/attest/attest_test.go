package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func newKey(t testing.TB) *attest.Key {
	t.Helper()
	k, err := attest.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func statement(t testing.TB, artifact []byte) []byte {
	t.Helper()
	s := attest.Statement{
		Subjects:      []attest.Subject{{Name: "weather.tgz", Digest: map[string]string{"sha256": sum(artifact)}}},
		PredicateType: attest.PredicatePublish,
		Predicate:     jsontext.Value(`{"server":"io.example/weather"}`),
	}
	b, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sign(t testing.TB, k *attest.Key, statement []byte) []byte {
	t.Helper()
	b, err := k.Sign(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeySignsAndVerifies(t *testing.T) {
	k, other := newKey(t), newKey(t)
	stmt := statement(t, []byte("artifact"))
	b := sign(t, k, stmt)
	v, err := attest.VerifyKeys(b, []*attest.PublicKey{other.Public(), k.Public()})
	if err != nil {
		t.Fatal(err)
	}
	if v.KeyID != k.KeyID() || v.Issuer != "" || v.SAN != "" {
		t.Errorf("signer = %+v, want key %s", v, k.KeyID())
	}
	if !bytes.Equal(v.Payload, stmt) {
		t.Errorf("payload = %s, want the statement as signed", v.Payload)
	}
	if !v.Statement.HasDigest("sha256", sum([]byte("artifact"))) || v.Statement.HasDigest("sha256", "") {
		t.Error("HasDigest does not tell the subjects apart")
	}
	if _, err := attest.VerifyKeys(b, []*attest.PublicKey{other.Public()}); !errors.Is(err, attest.ErrUnverified) {
		t.Errorf("another key: err = %v, want ErrUnverified", err)
	}
	if _, err := attest.VerifyKeys(b, nil); !errors.Is(err, attest.ErrNoPolicy) {
		t.Errorf("no keys: err = %v, want ErrNoPolicy", err)
	}
}

func TestSignRefusesWhatIsNoStatement(t *testing.T) {
	if _, err := newKey(t).Sign(t.Context(), []byte(`{"hello":1}`)); !errors.Is(err, attest.ErrStatement) {
		t.Errorf("err = %v, want ErrStatement", err)
	}
}

// Every key algorithm that may be configured signs and verifies.
func TestKeyAlgorithms(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	rsa2048, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, private := range map[string]any{"p256": p256, "p384": p384, "ed25519": ed, "rsa2048": rsa2048} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k")
			writePKCS8(t, path, private, 0o600)
			k, err := attest.LoadKey(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := attest.VerifyKeys(sign(t, k, statement(t, nil)), []*attest.PublicKey{k.Public()}); err != nil {
				t.Error(err)
			}
		})
	}
}

func writePKCS8(t *testing.T, path string, private any, mode os.FileMode) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), mode); err != nil {
		t.Fatal(err)
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	k, path := newKey(t), filepath.Join(dir, "approval.key")
	if err := k.Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode = %v (%v), want 0600", info.Mode(), err)
	}
	got, err := attest.LoadKey(path)
	if err != nil || got.KeyID() != k.KeyID() {
		t.Fatalf("LoadKey = %v, %v", got, err)
	}
	pub, err := attest.LoadPublicKey(path + ".pub")
	if err != nil || pub.ID() != k.KeyID() {
		t.Fatalf("LoadPublicKey = %v, %v", pub, err)
	}
	if err := newKey(t).Save(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("overwriting a key: err = %v, want ErrExist", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".key-*")); len(left) > 0 {
		t.Errorf("temporary files left: %v", left)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := attest.LoadKey(path); !errors.Is(err, attest.ErrKey) {
		t.Errorf("group-readable key: err = %v, want ErrKey", err)
	}
	if _, err := attest.LoadKey(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, attest.ErrKey) {
		t.Errorf("missing key: err = %v, want ErrKey and ErrNotExist", err)
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	good := newKey(t).Public().PEM()
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	encode := func(k any) []byte {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	cases := map[string][]byte{
		"empty": nil, "no pem": []byte("key"), "two keys": append(bytes.Clone(good), good...),
		"other block": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}),
		"garbage":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1, 2, 3}}),
	}
	if weak != nil {
		cases["weak rsa"] = encode(&weak.PublicKey)
	}
	cases["p224"] = encode(&p224.PublicKey)
	for name, in := range cases {
		if _, err := attest.ParsePublicKey(in); !errors.Is(err, attest.ErrKey) {
			t.Errorf("%s: err = %v, want ErrKey", name, err)
		}
	}
	if _, err := attest.ParsePublicKey(make([]byte, attest.MaxKeyFile+1)); !errors.Is(err, attest.ErrTooLarge) {
		t.Errorf("huge: err = %v, want ErrTooLarge", err)
	}
}

func TestStatementIsDeterministicAndRoundTrips(t *testing.T) {
	s := &attest.Statement{
		Subjects: []attest.Subject{
			{Name: "a", Digest: map[string]string{"sha512": string(bytes.Repeat([]byte("ab"), 64)), "sha256": sum(nil), "bartizanListingV1": sum([]byte("x"))}},
			{Digest: map[string]string{"gitCommit": "deadbeef"}},
		},
		PredicateType: "https://example.org/p/v1",
		Predicate:     jsontext.Value(`{"z":1,"a":[1.0]}`),
	}
	first, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, _ := s.Marshal(); !bytes.Equal(first, again) {
			t.Fatalf("two encodings:\n%s\n%s", first, again)
		}
	}
	got, err := attest.ParseStatement(first)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, got); d != "" {
		t.Error(d)
	}
}

func TestParseStatementRefuses(t *testing.T) {
	ok := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"` + sum(nil) + `"}}],"predicateType":"p","predicate":{}}`
	if _, err := attest.ParseStatement([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string { return string(bytes.Replace([]byte(ok), []byte(old), []byte(new), 1)) }
	for name, in := range map[string]string{
		"empty":                "",
		"not an object":        `[]`,
		"trailing":             ok + "{}",
		"duplicate subject":    replace(`"predicateType"`, `"subject":[],"predicateType"`),
		"duplicate predicate":  replace(`"predicate":{}`, `"predicate":{},"predicate":{}`),
		"duplicate deep":       replace(`"predicate":{}`, `"predicate":{"a":1,"a":2}`),
		"duplicate algorithm":  replace(`"digest":{`, `"digest":{"sha256":"`+sum([]byte("x"))+`",`),
		"case variant":         replace(`"predicate":{}`, `"predicate":{},"Subject":[]`),
		"other type":           replace(`Statement/v1`, `Statement/v9`),
		"no predicate type":    replace(`"predicateType":"p"`, `"predicateType":""`),
		"no subjects":          replace(`[{"name":"a","digest":{"sha256":"`+sum(nil)+`"}}]`, `[]`),
		"no digest":            replace(`{"sha256":"`+sum(nil)+`"}`, `{}`),
		"upper-case digest":    replace(sum(nil), string(bytes.ToUpper([]byte(sum(nil))))),
		"short digest":         replace(sum(nil), "ab"),
		"predicate no object":  replace(`"predicate":{}`, `"predicate":[]`),
		"invalid utf-8":        replace(`"name":"a"`, "\"name\":\"\xff\""),
		"lone surrogate":       replace(`"name":"a"`, `"name":"\ud800"`),
		"nested too deep":      replace(`"predicate":{}`, `"predicate":{"a":`+string(bytes.Repeat([]byte("["), 500))+string(bytes.Repeat([]byte("]"), 500))+`}`),
		"digest of wrong kind": replace(`"`+sum(nil)+`"`, `1`),
	} {
		if _, err := attest.ParseStatement([]byte(in)); !errors.Is(err, attest.ErrStatement) {
			t.Errorf("%s: err = %v, want ErrStatement", name, err)
		}
	}
	many := bytes.Repeat([]byte(`{"digest":{"x":"y"}},`), 1025)
	if _, err := attest.ParseStatement([]byte(replace(`{"name"`, string(many)+`{"name"`))); !errors.Is(err, attest.ErrStatement) {
		t.Errorf("1026 subjects: err = %v, want ErrStatement", err)
	}
	if _, err := attest.ParseStatement(make([]byte, attest.MaxStatement+1)); !errors.Is(err, attest.ErrTooLarge) {
		t.Errorf("huge: err = %v, want ErrTooLarge", err)
	}
	if _, err := attest.ParseStatement([]byte(replace(`"predicate":{}`, `"predicate":{},"newInV2":{}`))); err != nil {
		t.Errorf("unknown members are to be ignored (in-toto): %v", err)
	}
}
