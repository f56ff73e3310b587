//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/attest/keyless"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// counterpart is a Sigstore deployment, a signer of it on either side and a
// folder for what they hand to each other.
type counterpart struct {
	t         *testing.T
	dir       string
	services  *attesttest.Services
	root      *attest.TrustedRoot
	artifact  []byte
	digests   map[string]string
	statement []byte
	key       *attest.Key
}

const (
	signerMail   = "release@example.org"
	signerIssuer = "https://accounts.example.org"
	signerSAN    = `release@example\.org`
)

func newCounterpart(t *testing.T) *counterpart {
	t.Helper()
	s := attesttest.New(t)
	c := &counterpart{t: t, dir: t.TempDir(), services: s.Serve(t), artifact: []byte("an artifact of " + t.Name())}
	sum := sha256.Sum256(c.artifact)
	c.digests = map[string]string{"sha256": hex.EncodeToString(sum[:])}
	root := s.Root(t, attesttest.Trusts{Logs: true, Stamps: true, CertificateLog: true})
	var err error
	if c.root, err = attest.ParseTrustedRoot(root); err != nil {
		t.Fatal(err)
	}
	st := attest.Statement{Subjects: []attest.Subject{{Name: "artifact", Digest: c.digests}}, PredicateType: "https://cyclonedx.org/bom", Predicate: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`)}
	if c.statement, err = st.Marshal(); err != nil {
		t.Fatal(err)
	}
	if c.key, err = attest.GenerateKey(); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{
		"artifact": c.artifact, "root.json": root, "statement.json": c.statement, "bom.json": []byte(st.Predicate), "ours.pub": c.key.Public().PEM(),
		"token": []byte(c.services.Token(t, attesttest.Claims{Issuer: signerIssuer, Subject: "1", Email: signerMail, Verified: true})),
	} {
		c.write(file, content)
	}
	return c
}

func (c *counterpart) write(file string, content []byte) string {
	c.t.Helper()
	path := filepath.Join(c.dir, file)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *counterpart) read(file string) []byte {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, file))
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// ours are bundles of our own, by every way of signing that both sides speak.
func (c *counterpart) ours() (byKey, rekor1 string) {
	c.t.Helper()
	key, err := c.key.Sign(c.t.Context(), c.statement)
	if err != nil {
		c.t.Fatal(err)
	}
	token := strings.TrimSpace(string(c.read("token")))
	identity, err := keyless.Services{Fulcio: c.services.Fulcio, Rekor: c.services.RekorV1, TSA: c.services.TSA}.Sign(c.t.Context(), token, c.statement)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.write("key.sigstore.json", key), c.write("identity.sigstore.json", identity)
}

// spoiled is a bundle with another payload.
func (c *counterpart) spoiled(path string) string {
	c.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	changed := bytes.Replace(b, []byte(`"payload":"eyJ`), []byte(`"payload":"IHsi`), 1)
	if bytes.Equal(b, changed) {
		c.t.Fatal("nothing to spoil")
	}
	return c.write("spoiled-"+filepath.Base(path), changed)
}

func (c *counterpart) believe(what string, bundle []byte, keys ...*attest.PublicKey) {
	c.t.Helper()
	p := attest.Policy{Keys: keys}
	if keys == nil {
		p = attest.Policy{Root: c.root, Identities: []attest.Identity{{Issuer: signerIssuer, SANRegex: signerSAN}}}
	}
	if _, err := p.VerifyArtifact(bundle, c.digests); err != nil {
		c.t.Errorf("%s: %s: %v\n%s", what, attest.ReasonOf(err), err, bundle)
	}
	if _, err := p.VerifyArtifact(bundle, map[string]string{"sha256": strings.Repeat("0", 64)}); err == nil {
		c.t.Errorf("%s: it is about anything", what)
	}
}

// run runs the other side's tool in the folder.
func (c *counterpart) run(program string, args ...string) ([]byte, string, error) {
	cmd := exec.CommandContext(c.t.Context(), program, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD=", "COSIGN_YES=true", "HOME="+c.dir, "TUF_ROOT="+filepath.Join(c.dir, "tuf"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	return out, stderr.String(), err
}

func (c *counterpart) must(program string, args ...string) []byte {
	c.t.Helper()
	out, stderr, err := c.run(program, args...)
	if err != nil {
		c.t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return out
}

func (c *counterpart) mustNot(program string, args ...string) {
	c.t.Helper()
	if out, _, err := c.run(program, args...); err == nil {
		c.t.Errorf("%s went well: %s", strings.Join(args, " "), out)
	}
}

// TestSigstoreJS holds our bundles to the implementation that npm uses, and its
// to ours.
func TestSigstoreJS(t *testing.T) {
	node, program := newestNode(t), script(t, "sigstore", "interop.mjs")
	c := newCounterpart(t)
	byKey, identity := c.ours()
	c.must(node, program, "verify-key", "ours.pub", byKey)
	c.mustNot(node, program, "verify-key", "ours.pub", c.spoiled(byKey))
	c.must(node, program, "verify", "root.json", identity, "^"+signerSAN+"$", signerIssuer)
	c.mustNot(node, program, "verify", "root.json", identity, "^mallory$", signerIssuer)
	c.mustNot(node, program, "verify", "root.json", c.spoiled(identity), "^"+signerSAN+"$", signerIssuer)
	services := []string{"token", c.services.Fulcio, c.services.RekorV1, strings.TrimSuffix(c.services.TSA, "/api/v1/timestamp")}
	c.believe("an attestation of theirs", c.must(node, append([]string{program, "sign", "statement.json"}, services...)...))
	c.believe("a signature of theirs over a file", c.must(node, append([]string{program, "sign-blob", "artifact"}, services...)...))
}

// cosign finds the program where `make cosign` puts it, or wherever it is.
func cosign(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{filepath.Join(cache, "bartizan", "tools", "cosign"), "cosign"} {
		if path, err := exec.LookPath(at); err == nil {
			return path
		}
	}
	if os.Getenv("BARTIZAN_COSIGN") == "required" {
		t.Fatal("cosign is not on this machine")
	}
	t.Skip("cosign is not on this machine: make cosign")
	return ""
}

// TestCosign: cosign verifies what we sign, and we verify what it signs, by key
// and by identity, in its present format and the one of version 2.
func TestCosign(t *testing.T) {
	program := cosign(t)
	c := newCounterpart(t)
	byKey, identity := c.ours()
	verify := []string{"verify-blob-attestation", "--new-bundle-format", "--type", "https://cyclonedx.org/bom"}
	with := func(more ...string) []string { return append(append([]string{}, verify...), more...) }
	c.must(program, with("--key", "ours.pub", "--trusted-root", "root.json", "--insecure-ignore-tlog=true", "--bundle", byKey, "artifact")...)
	c.mustNot(program, with("--key", "ours.pub", "--trusted-root", "root.json", "--insecure-ignore-tlog=true", "--bundle", c.spoiled(byKey), "artifact")...)
	c.mustNot(program, with("--key", "ours.pub", "--trusted-root", "root.json", "--insecure-ignore-tlog=true", "--bundle", byKey, "bom.json")...)
	// What a registry signs: approvals and its own SBOMs, beside publications.
	for _, kind := range []string{attest.PredicateApproval, attest.PredicateSBOM, attest.PredicatePublish} {
		st := attest.Statement{Subjects: []attest.Subject{{Name: "artifact", Digest: c.digests}}, PredicateType: kind, Predicate: []byte(`{"server":"io.github.acme/weather"}`)}
		body, err := st.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := c.key.Sign(t.Context(), body)
		if err != nil {
			t.Fatal(err)
		}
		c.must(program, "verify-blob-attestation", "--new-bundle-format", "--type", kind, "--key", "ours.pub", "--trusted-root", "root.json",
			"--insecure-ignore-tlog=true", "--bundle", c.write("registry.sigstore.json", bundle), "artifact")
	}
	id := []string{"--trusted-root", "root.json", "--certificate-oidc-issuer", signerIssuer, "--certificate-identity"}
	c.must(program, with(append(id, signerMail, "--bundle", identity, "artifact")...)...)
	c.mustNot(program, with(append(id, "mallory@example.org", "--bundle", identity, "artifact")...)...)
	c.mustNot(program, with(append(id, signerMail, "--bundle", c.spoiled(identity), "artifact")...)...)

	c.must(program, "attest-blob", "--type", "cyclonedx", "--predicate", "bom.json", "--new-bundle-format", "--bundle", "e.json", "--identity-token", "token",
		"--trusted-root", "root.json", "--fulcio-url", c.services.Fulcio, "--rekor-url", c.services.RekorV1, "--timestamp-server-url", c.services.TSA, "artifact")
	c.believe("cosign attest-blob, by identity", c.read("e.json"))

	c.must(program, "generate-key-pair")
	public, err := attest.ParsePublicKey(c.read("cosign.pub"))
	if err != nil {
		t.Fatal(err)
	}
	sign := []string{"--key", "cosign.key", "--tlog-upload=false"}
	c.must(program, append([]string{"attest-blob", "--type", "cyclonedx", "--predicate", "bom.json", "--new-bundle-format", "--bundle", "a.json"}, append(sign, "artifact")...)...)
	c.believe("cosign attest-blob", c.read("a.json"), public)
	c.must(program, append([]string{"sign-blob", "--new-bundle-format", "--bundle", "b.json"}, append(sign, "artifact")...)...)
	c.believe("cosign sign-blob", c.read("b.json"), public)
	c.must(program, append([]string{"sign-blob", "--new-bundle-format=false", "--bundle", "c.json"}, append(sign, "artifact")...)...)
	c.believe("cosign sign-blob, old format", c.read("c.json"), public)
	c.must(program, append([]string{"attest-blob", "--type", "slsaprovenance1", "--predicate", c.write("slsa.json", []byte(`{"buildDefinition":{"buildType":"https://build.example/v1","externalParameters":{},"internalParameters":{},"resolvedDependencies":[]},"runDetails":{"builder":{"id":"https://build.example/runner"},"metadata":{}}}`)),
		"--new-bundle-format", "--bundle", "d.json"}, append(sign, "artifact")...)...)
	c.believe("cosign attest-blob, SLSA", c.read("d.json"), public)
	if v, err := (attest.Policy{Keys: []*attest.PublicKey{public}}).Verify(c.read("d.json")); err != nil || v.Provenance == nil || v.Statement.PredicateType != provenance.SLSAv1 {
		t.Errorf("provenance of cosign's: %+v, %v", v, err)
	}
}
