package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// Whatever of a deployment a root lists is demanded, and enough.
func TestPoliciesOfARoot(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		trusts attesttest.Trusts
		change func(*attesttest.Signing)
	}{
		"Rekor 1 dates the signature": {attesttest.Trusts{Logs: true}, func(g *attesttest.Signing) { g.NoStamp = true }},
		"Rekor 1 and a timestamp":     {attesttest.Trusts{Logs: true, Stamps: true}, func(*attesttest.Signing) {}},
		"Rekor 2 and a timestamp":     {attesttest.Trusts{Logs: true, Stamps: true}, func(g *attesttest.Signing) { g.Log = attesttest.LogV2 }},
		"timestamp only":              {attesttest.Trusts{Stamps: true}, func(g *attesttest.Signing) { g.Log = attesttest.NoLog }},
		"two timestamps": {attesttest.Trusts{Stamps: true}, func(g *attesttest.Signing) {
			g.Log, g.Stamps = attesttest.NoLog, []time.Time{time.Now().Add(time.Second), time.Now().Add(2 * time.Second)}
		}},
		"logged certificate": {attesttest.Trusts{Logs: true, Stamps: true, CertificateLog: true}, func(*attesttest.Signing) {}},
	} {
		v, err := b.identities(b.trusted.Root(t, c.trusts), b.mail.Identities...).VerifyArtifact(b.sign(c.change), b.digests)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if v.SAN != email || v.SignedAt.IsZero() {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A rotation: the old deployment and the new one both count, each for its own
// time, and a bundle of either is not refused because the other knows nothing
// of it.
func TestRootsRotate(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	for file, root := range map[string][]byte{"old.json": b.past.TrustedRoot(t), "new.json": b.trusted.TrustedRoot(t), "README": []byte("not a root")} {
		if err := os.WriteFile(filepath.Join(dir, file), root, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := attest.LoadTrustedRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	policy := attest.Policy{Identities: b.mail.Identities, Root: root}
	then := time.Now().AddDate(-1, -6, 0)
	old := b.past.Sign(t, attesttest.Signing{Holder: b.holder, Statement: b.statement, Issued: then})
	for name, bundle := range map[string][]byte{"old": old, "new": b.honest()} {
		if _, err := policy.VerifyArtifact(bundle, b.digests); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	late := b.past.Sign(t, attesttest.Signing{Holder: b.holder, Statement: b.statement})
	if _, err := policy.VerifyArtifact(late, b.digests); err == nil {
		t.Error("the old deployment still signs")
	}
	if err := root.Current(time.Now()); !errors.Is(err, attest.ErrRootExpired) {
		t.Errorf("Current = %v, want ErrRootExpired", err)
	}
	if err := root.Current(then); err != nil {
		t.Errorf("Current, then: %v", err)
	}
	if len(root.Digests()) != 2 || len(attest.JoinRoots(root, root).Digests()) != 2 {
		t.Errorf("digests %v", root.Digests())
	}
	summaries := root.Summaries()
	if len(summaries) != 2 || len(summaries[0].Authorities) != 1 || len(summaries[0].Logs) != 2 || len(summaries[0].Stamps) != 2 {
		t.Errorf("summaries %+v", summaries)
	}
	if _, err := attest.LoadTrustedRoot(t.TempDir()); !errors.Is(err, attest.ErrTrustedRoot) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := attest.LoadTrustedRoot(dir); !errors.Is(err, attest.ErrTrustedRoot) {
		t.Errorf("a broken root among good ones: %v", err)
	}
}

func TestBuildJobs(t *testing.T) {
	b := newBench(t)
	v, err := b.job.VerifyArtifact(b.build(func(*attesttest.Signing, *string) {}), b.digests)
	if err != nil {
		t.Fatal(err)
	}
	want := &provenance.Facts{
		Builder: builderID, BuildType: "https://actions.github.io/buildtypes/workflow/v1", Repository: repository, Ref: "refs/tags/v1", Revision: "aa11",
		Workflow: ".github/workflows/release.yml",
	}
	if d := cmp.Diff(want, v.Provenance); d != "" {
		t.Error(d)
	}
	if v.Build.SourceRepositoryURI != repository || v.Build.BuildSignerURI != workflow {
		t.Errorf("certificate says %+v", v.Build)
	}
	// A cosign attestation has no builder; a second signer without that demand
	// lets the same job sign it.
	lenient := b.job
	lenient.Identities = append(lenient.Identities, attest.Identity{
		Issuer: lenient.Identities[0].Issuer, SANRegex: lenient.Identities[0].SANRegex, SourceRepository: "git+" + repository + ".git",
	})
	if _, err := lenient.VerifyArtifact(b.build(func(g *attesttest.Signing, _ *string) {
		g.Statement = b.state("https://cyclonedx.org/bom", `{"bomFormat":"CycloneDX"}`, map[string]string{"sha256": sum(b.artifact)})
	}), b.digests); err != nil {
		t.Error(err)
	}
	for _, bad := range []attest.Identity{
		{Issuer: issuer, SANRegex: "x", SourceRepository: "github.com/acme/weather"}, {Issuer: issuer, SANRegex: "x", SourceRepository: "https://github.com"},
		{Issuer: issuer, SANRegex: "x", Builder: strings.Repeat("b", 5000)},
	} {
		if err := bad.Validate(); !errors.Is(err, attest.ErrIdentity) {
			t.Errorf("Validate(%.80v) = %v", bad, err)
		}
	}
}

// oldFormat writes what cosign 2 wrote by default.
func oldFormat(t *testing.T, signature []byte, cert []byte, entry object) []byte {
	t.Helper()
	out := object{"base64Signature": base64.StdEncoding.EncodeToString(signature)}
	if cert != nil {
		out["cert"] = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	}
	if entry != nil {
		id, err := base64.StdEncoding.DecodeString(entry["logId"].(object)["keyId"].(string))
		if err != nil {
			t.Fatal(err)
		}
		out["rekorBundle"] = object{
			"SignedEntryTimestamp": entry["inclusionPromise"].(object)["signedEntryTimestamp"],
			"Payload": object{
				"body": entry["canonicalizedBody"], "integratedTime": number(t, entry["integratedTime"]), "logIndex": number(t, entry["logIndex"]),
				"logID": hex.EncodeToString(id),
			},
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func number(t *testing.T, quoted any) (n int64) {
	t.Helper()
	if err := json.Unmarshal([]byte(quoted.(string)), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCosignsOldFormat(t *testing.T) {
	b := newBench(t)
	decode := func(s any) []byte {
		out, err := base64.StdEncoding.DecodeString(s.(string))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var blob, envelope object
	if err := errors.Join(
		json.Unmarshal(b.sign(func(g *attesttest.Signing) { g.Statement, g.Artifact = nil, b.artifact }), &blob),
		json.Unmarshal(b.honest(), &envelope),
	); err != nil {
		t.Fatal(err)
	}
	leaf := func(o object) []byte { return decode(material(o)["certificate"].(object)["rawBytes"]) }
	inner, err := json.Marshal(object{"payloadType": attest.PayloadType, "payload": b.statement, "signatures": []any{object{"keyid": "", "sig": signature(envelope)["sig"]}}})
	if err != nil {
		t.Fatal(err)
	}
	blobSignature := decode(blob["messageSignature"].(object)["signature"])
	private, public := rawKey(t)
	digest := sha256.Sum256(b.artifact)
	byKey, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	keys := attest.Policy{Keys: []*attest.PublicKey{public}}
	for name, c := range map[string]struct {
		policy attest.Policy
		bundle []byte
		want   attest.Reason
	}{
		"sign-blob":            {b.mail, oldFormat(t, blobSignature, leaf(blob), logEntry(blob)), ""},
		"attest-blob":          {b.mail, oldFormat(t, inner, leaf(envelope), logEntry(envelope)), ""},
		"sign-blob --key":      {keys, oldFormat(t, byKey, nil, nil), ""},
		"no log entry":         {b.mail, oldFormat(t, blobSignature, leaf(blob), nil), attest.ReasonLogMissing},
		"another's log entry":  {b.mail, oldFormat(t, blobSignature, leaf(blob), logEntry(envelope)), attest.ReasonLogInvalid},
		"another's signature":  {b.mail, oldFormat(t, byKey, leaf(blob), logEntry(blob)), attest.ReasonSignature},
		"another key":          {b.keys, oldFormat(t, byKey, nil, nil), attest.ReasonKey},
		"two certificates":     {b.mail, bytes.Replace(oldFormat(t, blobSignature, leaf(blob), nil), []byte(`"cert":"`), []byte(`"cert":"AAAA`), 1), attest.ReasonMalformed},
		"signature is nothing": {keys, oldFormat(t, nil, nil, nil), attest.ReasonMalformed},
	} {
		_, err := c.policy.VerifyArtifact(c.bundle, b.digests)
		if got := attest.ReasonOf(err); got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: reason %q (%v), want %q", name, got, err, c.want)
		}
	}
	other := map[string]string{"sha256": sum([]byte("z"))}
	if _, err := b.mail.VerifyArtifact(oldFormat(t, blobSignature, leaf(blob), logEntry(blob)), other); err == nil {
		t.Error("a signature over another artifact was taken")
	}
}

// Every reason that a bundle can be refused with is documented.
func TestReasonsAreClosed(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "signatures.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[attest.Reason]bool{}
	for _, r := range attest.Reasons() {
		if seen[r] {
			t.Errorf("%s twice", r)
		}
		seen[r] = true
		if !bytes.Contains(page, []byte("`"+string(r)+"`")) {
			t.Errorf("docs/signatures.md does not name %s", r)
		}
	}
	if attest.ReasonOf(errors.New("x")) != "" || attest.ReasonOf(nil) != "" {
		t.Error("a reason for what is no refusal")
	}
}

// A bundle of 250 kB, which is a whole SBOM, signed by certificate and logged.
func BenchmarkVerify250kB(b *testing.B) {
	w := newBench(b)
	predicate := `{"bomFormat":"CycloneDX","components":[` + strings.TrimSuffix(strings.Repeat(`{"type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0"},`, 2200), ",") + `]}`
	bundle := w.sign(func(g *attesttest.Signing) {
		g.Statement = w.state("https://cyclonedx.org/bom", predicate, map[string]string{"sha256": sum(w.artifact)})
	})
	b.SetBytes(int64(len(bundle)))
	for b.Loop() {
		if _, err := w.mail.VerifyArtifact(bundle, w.digests); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(bundle))/1000, "kB")
}
