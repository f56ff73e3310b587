package attest_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// tampered is one case: a bundle, the policy that looks at it, and the one
// reason with which it is refused.
type tampered struct {
	name   string
	policy attest.Policy
	bundle []byte
	want   attest.Reason
}

const (
	repository = "https://github.com/acme/weather"
	workflow   = repository + "/.github/workflows/release.yml@refs/tags/v1"
	builderID  = "https://github.com/actions/runner/github-hosted"
)

// bench is what the cases are made with.
type bench struct {
	t         testing.TB
	artifact  []byte
	digests   map[string]string
	statement []byte
	// Keys: one of the namespace's, and a raw one that signs anything.
	key    *attest.Key
	forger func(payloadType string, payload []byte) []byte
	keys   attest.Policy
	// Certificates: the trusted deployment, a foreign one, one whose time is over.
	trusted, foreign, past *attesttest.Sigstore
	holder                 attesttest.Holder
	mail, job              attest.Policy // of people; of one build job
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, artifact: []byte("artifact"), key: newKey(t)}
	b.digests = map[string]string{"sha256": sum(b.artifact), "sha512": sum512(b.artifact)}
	b.statement = statement(t, b.artifact)
	raw, public := rawKey(t)
	b.forger = func(payloadType string, payload []byte) []byte { return signRaw(t, raw, payloadType, payload) }
	b.keys = attest.Policy{Keys: []*attest.PublicKey{b.key.Public(), public}}
	b.trusted, b.foreign = attesttest.New(t), attesttest.New(t)
	b.past = attesttest.NewAt(t, time.Now().AddDate(-2, 0, 0))
	b.past.Ends = time.Now().AddDate(-1, 0, 0)
	b.holder = attesttest.Holder{SAN: email, Issuer: issuer}
	b.mail = b.identities(b.trusted.TrustedRoot(t), attest.Identity{Issuer: issuer, SANRegex: `release@example\.org`})
	b.job = b.identities(b.trusted.TrustedRoot(t), attest.Identity{
		Issuer: "https://token.actions.githubusercontent.com", SANRegex: `https://github\.com/acme/weather/\.github/workflows/release\.yml@refs/tags/.*`,
		SourceRepository: repository, Builder: builderID,
	})
	return b
}

func sum512(b []byte) string {
	s := sha512.Sum512(b)
	return hex.EncodeToString(s[:])
}

func (b *bench) identities(root []byte, ids ...attest.Identity) attest.Policy {
	return identityPolicy(b.t, root, ids...)
}

// sign is an honest signing of the trusted deployment, changed.
func (b *bench) sign(change func(*attesttest.Signing)) []byte {
	g := attesttest.Signing{Holder: b.holder, Statement: b.statement}
	change(&g)
	return b.trusted.Sign(b.t, g)
}

func (b *bench) honest() []byte { return b.sign(func(*attesttest.Signing) {}) }

// build is what a job of the repository states and who it is.
func (b *bench) build(change func(*attesttest.Signing, *string)) []byte {
	g := attesttest.Signing{Holder: attesttest.Holder{
		SAN: workflow, Issuer: "https://token.actions.githubusercontent.com",
		Build: certificate.Extensions{SourceRepositoryURI: repository, SourceRepositoryDigest: "aa11", SourceRepositoryRef: "refs/tags/v1", BuildSignerURI: workflow},
	}}
	predicate := `{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"ref":"refs/tags/v1","repository":"` + repository + `","path":".github/workflows/release.yml"}},"resolvedDependencies":[{"uri":"git+` + repository + `@refs/tags/v1","digest":{"gitCommit":"aa11"}}]},"runDetails":{"builder":{"id":"` + builderID + `"}}}`
	change(&g, &predicate)
	if g.Statement == nil {
		g.Statement = b.state(provenance.SLSAv1, predicate, map[string]string{"sha256": sum(b.artifact)})
	}
	return b.trusted.Sign(b.t, g)
}

func (b *bench) state(predicateType, predicate string, subjects ...map[string]string) []byte {
	s := attest.Statement{PredicateType: predicateType, Predicate: jsontext.Value(predicate)}
	for _, d := range subjects {
		s.Subjects = append(s.Subjects, attest.Subject{Name: "weather.tgz", Digest: d})
	}
	body, err := s.Marshal()
	if err != nil {
		b.t.Fatal(err)
	}
	return body
}

// forge signs bytes that our own writer would refuse to write.
func (b *bench) forge(old, new string) []byte {
	changed := strings.Replace(string(b.statement), old, new, 1)
	if changed == string(b.statement) {
		b.t.Fatalf("%q is not in the statement", old)
	}
	return b.forger(attest.PayloadType, []byte(changed))
}

func (b *bench) edit(bundle []byte, f func(object)) []byte { return edit(b.t, bundle, f) }

func (b *bench) part(bundle []byte, of func(object) any) any {
	var o object
	if err := json.Unmarshal(bundle, &o); err != nil {
		b.t.Fatal(err)
	}
	return of(o)
}

// contentCases tamper with what is signed.
func (b *bench) contentCases() []tampered {
	honest, key := b.honest(), sign(b.t, b.key, b.statement)
	var other object
	if err := json.Unmarshal(sign(b.t, b.key, statement(b.t, []byte("z"))), &other); err != nil {
		b.t.Fatal(err)
	}
	one := `{"name":"weather.tgz","digest":{"sha256":"` + sum(b.artifact) + `"}}`
	sha1sum := sha1.Sum(b.artifact)
	return []tampered{
		{"artifact swapped: statement of another", b.keys, sign(b.t, b.key, statement(b.t, []byte("artifacu"))), attest.ReasonDigest},
		{"artifact swapped, by certificate", b.mail, b.sign(func(g *attesttest.Signing) { g.Statement = statement(b.t, []byte("artifacu")) }), attest.ReasonDigest},
		{"message signature over another artifact", b.mail, b.sign(func(g *attesttest.Signing) { g.Statement, g.Artifact = nil, []byte("artifacu") }), attest.ReasonDigest},
		{"message digest of ours, signature of another", b.mail, b.edit(b.sign(func(g *attesttest.Signing) { g.Statement, g.Artifact = nil, []byte("artifacu") }), func(o object) {
			d, _ := hex.DecodeString(sum(b.artifact))
			o["messageSignature"].(object)["messageDigest"].(object)["digest"] = base64.StdEncoding.EncodeToString(d)
		}), attest.ReasonSignature},
		{"message digest downgraded to SHA-1", b.mail, b.edit(b.sign(func(g *attesttest.Signing) { g.Statement, g.Artifact = nil, b.artifact }), func(o object) {
			o["messageSignature"].(object)["messageDigest"] = object{"algorithm": "HASH_ALGORITHM_UNSPECIFIED", "digest": sha1sum[:]}
		}), attest.ReasonWeakDigest},
		{"payload bit", b.keys, b.edit(key, func(o object) {
			setPayload(o, bytes.Replace(b.statement, []byte("io.example"), []byte("io.exbmple"), 1))
		}), attest.ReasonKey},
		{"payload bit, by certificate", b.mail, b.edit(honest, func(o object) {
			setPayload(o, bytes.Replace(b.statement, []byte("io.example"), []byte("io.exbmple"), 1))
		}), attest.ReasonSignature},
		{"payload of another statement", b.mail, b.edit(honest, func(o object) { setPayload(o, statement(b.t, []byte("z"))) }), attest.ReasonSignature},
		{"signature bit", b.mail, b.edit(honest, func(o object) { flip(b.t, signature(o), "sig") }), attest.ReasonSignature},
		{"signature bit, by key", b.keys, b.edit(key, func(o object) { flip(b.t, signature(o), "sig") }), attest.ReasonKey},
		{"signature of another payload", b.keys, b.edit(key, func(o object) { signature(o)["sig"] = signature(other)["sig"] }), attest.ReasonKey},
		{"two signatures", b.keys, b.edit(key, func(o object) { envelopeOf(o)["signatures"] = []any{signature(o), signature(other)} }), attest.ReasonSignatureCount},
		{"two signatures, by certificate", b.mail, b.edit(honest, func(o object) { envelopeOf(o)["signatures"] = []any{signature(o), signature(o)} }), attest.ReasonSignatureCount},
		{"no signature", b.keys, b.edit(key, func(o object) { envelopeOf(o)["signatures"] = []any{} }), attest.ReasonSignatureCount},
		{"empty signature", b.keys, b.edit(key, func(o object) { signature(o)["sig"] = "" }), attest.ReasonKey},
		{"empty payload", b.keys, b.edit(key, func(o object) { setPayload(o, nil) }), attest.ReasonStatement},
		{"payload type changed", b.keys, b.edit(key, func(o object) { envelopeOf(o)["payloadType"] = "application/json" }), attest.ReasonContent},
		{"payload type changed, truly signed", b.keys, b.forger("application/json", b.statement), attest.ReasonContent},
		{"message signature where a statement is", b.keys, b.edit(key, func(o object) {
			o["messageSignature"] = object{"messageDigest": object{"algorithm": "SHA2_256", "digest": ""}, "signature": signature(o)["sig"]}
		}), attest.ReasonMalformed},
		{"subject empty", b.keys, b.forge(one, ""), attest.ReasonStatement},
		{"subject without a digest", b.keys, b.forge(`{"sha256":"`+sum(b.artifact)+`"}`, `{}`), attest.ReasonStatement},
		{"subject digest in capitals", b.keys, b.forge(sum(b.artifact), strings.ToUpper(sum(b.artifact))), attest.ReasonStatement},
		{"subject digest cut", b.keys, b.forge(sum(b.artifact), sum(b.artifact)[:32]), attest.ReasonStatement},
		{"many subjects", b.keys, b.forge(`[`+one, `[`+strings.Repeat(one+",", 1024)+one), attest.ReasonStatement},
		{"digest downgraded to SHA-1", b.keys, sign(b.t, b.key, b.state(attest.PredicatePublish, `{}`, map[string]string{"sha1": hex.EncodeToString(sha1sum[:])})), attest.ReasonWeakDigest},
		{"our digest under another algorithm's name", b.keys, sign(b.t, b.key, b.state(attest.PredicatePublish, `{}`, map[string]string{"gitCommit": sum(b.artifact)})), attest.ReasonWeakDigest},
		{"one digest ours, the other not", b.keys, sign(b.t, b.key, b.state(attest.PredicatePublish, `{}`, map[string]string{"sha256": sum(b.artifact), "sha512": sum512([]byte("z"))})), attest.ReasonDigest},
		{"duplicate subject member, truly signed", b.keys, b.forge(`"predicateType"`, `"subject":[{"name":"x","digest":{"sha256":"`+sum([]byte("y"))+`"}}],"predicateType"`), attest.ReasonStatement},
		{"duplicate member in the predicate", b.keys, b.forge(`"server"`, `"server":"x","server"`), attest.ReasonStatement},
		{"case variant of subject", b.keys, b.forge(`"predicateType"`, `"Subject":[],"predicateType"`), attest.ReasonStatement},
		{"case variant of predicateType", b.keys, b.forge(`"predicateType"`, `"predicatetype"`), attest.ReasonStatement},
		{"statement of a future version", b.keys, b.forge(`Statement/v1`, `Statement/v2`), attest.ReasonStatement},
		{"trailing data after the statement", b.keys, b.forger(attest.PayloadType, append(bytes.Clone(b.statement), " {}"...)), attest.ReasonStatement},
		{"predicate type confused: SBOM as provenance", b.keys, sign(b.t, b.key, b.state(provenance.SLSAv1, `{"bomFormat":"CycloneDX"}`, b.digests)), attest.ReasonPredicate},
		{"predicate type confused: SLSA v1 as v0.2", b.keys, sign(b.t, b.key, b.state(provenance.SLSAv02, `{"buildDefinition":{},"runDetails":{"builder":{"id":"x"}}}`, b.digests)), attest.ReasonPredicate},
		{"provenance without a builder", b.keys, sign(b.t, b.key, b.state(provenance.SLSAv02, `{"buildType":"x","builder":{"id":""}}`, b.digests)), attest.ReasonPredicate},
	}
}

// bundleCases tamper with the file.
func (b *bench) bundleCases() []tampered {
	key := sign(b.t, b.key, b.statement)
	media := func(m string) []byte { return b.edit(key, func(o object) { o["mediaType"] = m }) }
	return []tampered{
		{"empty file", b.keys, nil, attest.ReasonMalformed},
		{"null", b.keys, []byte("null"), attest.ReasonMalformed},
		{"truncated file", b.keys, key[:len(key)-10], attest.ReasonMalformed},
		{"trailing data after the bundle", b.keys, append(bytes.Clone(key), "{}"...), attest.ReasonMalformed},
		{"duplicate member of the bundle", b.keys, bytes.Replace(key, []byte(`"dsseEnvelope"`), []byte(`"mediaType":"x","dsseEnvelope"`), 1), attest.ReasonMalformed},
		{"both spellings of one member", b.keys, bytes.Replace(key, []byte(`"dsseEnvelope"`), []byte(`"media_type":"x","dsseEnvelope"`), 1), attest.ReasonMalformed},
		{"case variant of a member", b.keys, bytes.Replace(key, []byte(`"dsseEnvelope"`), []byte(`"DsseEnvelope"`), 1), attest.ReasonMalformed},
		{"unknown member", b.keys, b.edit(key, func(o object) { o["extra"] = 1 }), attest.ReasonMalformed},
		{"no verification material", b.keys, b.edit(key, func(o object) { delete(o, "verificationMaterial") }), attest.ReasonMalformed},
		{"no content", b.keys, b.edit(key, func(o object) { delete(o, "dsseEnvelope") }), attest.ReasonMalformed},
		{"nested too deep", b.keys, bytes.Repeat([]byte(`{"a":`), 5000), attest.ReasonMalformed},
		{"oversize", b.keys, make([]byte, attest.MaxBundle+1), attest.ReasonTooLarge},
		{"wrong media type", b.keys, media("application/json"), attest.ReasonVersion},
		{"no media type", b.keys, b.edit(key, func(o object) { delete(o, "mediaType") }), attest.ReasonVersion},
		{"future version", b.keys, media("application/vnd.dev.sigstore.bundle.v0.9+json"), attest.ReasonVersion},
		{"cosign's old format, cut", b.keys, []byte(`{"base64Signature":"` + base64.StdEncoding.EncodeToString([]byte("{")) + `"}`), attest.ReasonMalformed},
		{"cosign's old format, both formats in one", b.keys, []byte(`{"base64Signature":"AAAA","mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`), attest.ReasonMalformed},
	}
}

// signerCases sign truly, as somebody else.
func (b *bench) signerCases() []tampered {
	as := func(san, iss string) []byte {
		return b.sign(func(g *attesttest.Signing) { g.Holder = attesttest.Holder{SAN: san, Issuer: iss} })
	}
	stranger := sign(b.t, newKey(b.t), b.statement)
	unanchored := b.identities(b.trusted.TrustedRoot(b.t), attest.Identity{Issuer: issuer, SANRegex: `https://github\.com/acme/`})
	dotted := b.identities(b.trusted.TrustedRoot(b.t), attest.Identity{Issuer: issuer, SANRegex: `https://github\.com/acme/.*`})
	return []tampered{
		{"nobody may sign", attest.Policy{}, b.honest(), attest.ReasonNoSigner},
		{"key of another namespace", b.keys, stranger, attest.ReasonKey},
		{"key of another namespace under our hint", b.keys, b.edit(stranger, func(o object) { material(o)["publicKey"] = object{"hint": b.key.KeyID()} }), attest.ReasonKey},
		{"signer removed: the remaining key", attest.Policy{Keys: b.keys.Keys[1:]}, sign(b.t, b.key, b.statement), attest.ReasonKey},
		{"key where certificates count", b.mail, sign(b.t, b.key, b.statement), attest.ReasonSignerKind},
		{"certificate where keys count", b.keys, b.honest(), attest.ReasonSignerKind},
		{"key material on a certificate's bundle", b.mail, b.edit(b.honest(), func(o object) { delete(material(o), "certificate"); material(o)["publicKey"] = object{"hint": "x"} }), attest.ReasonSignerKind},
		{"somebody else", b.mail, as("mallory@example.org", issuer), attest.ReasonIdentity},
		{"our name with a tail", b.mail, as("release@example.org.evil.example", issuer), attest.ReasonIdentity},
		{"our name with a head", b.mail, as("evil-release@example.org", issuer), attest.ReasonIdentity},
		{"a letter where the pattern has a dot", b.mail, as("release@exampleXorg", issuer), attest.ReasonIdentity},
		{"our name in other letters", b.mail, as("Release@example.org", issuer), attest.ReasonIdentity},
		{"another issuer", b.mail, as(email, "https://accounts.evil.example"), attest.ReasonIssuer},
		{"our issuer with a slash", b.mail, as(email, issuer+"/"), attest.ReasonIssuer},
		{"a pattern without an end is no prefix", unanchored, as("https://github.com/acme/weather", issuer), attest.ReasonIdentity},
		{"another host whose name begins like ours", dotted, as("https://github.com.evil.example/acme/weather", issuer), attest.ReasonIdentity},
		{"another host with our host in its path", dotted, as("https://evil.example/https://github.com/acme/weather", issuer), attest.ReasonIdentity},
		{"certificates without a trusted root", attest.Policy{Identities: b.mail.Identities}, b.honest(), attest.ReasonNoRoot},
	}
}

// rootCases are about certificates, logs and times.
func (b *bench) rootCases() []tampered {
	honest := b.honest()
	elsewhere := b.foreign.Sign(b.t, attesttest.Signing{Holder: b.holder, Statement: b.statement})
	second := b.sign(func(g *attesttest.Signing) { g.Statement = statement(b.t, []byte("another")) })
	certificateOf := func(o object) any { return material(o)["certificate"] }
	entries := func(o object) any { return material(o)["tlogEntries"] }
	stamps := func(o object) any { return material(o)["timestampVerificationData"] }
	entry := func(bundle []byte, f func(entry object)) []byte {
		return b.edit(bundle, func(o object) { f(logEntry(o)) })
	}
	proof := func(bundle []byte, f func(proof object)) []byte {
		return entry(bundle, func(e object) { f(e["inclusionProof"].(object)) })
	}
	v2 := b.sign(func(g *attesttest.Signing) { g.Log = attesttest.LogV2 })
	now := time.Now().Truncate(time.Second)
	withCT := b.identities(b.trusted.Root(b.t, attesttest.Trusts{Logs: true, Stamps: true, CertificateLog: true}), b.mail.Identities...)
	stampsOnly := b.identities(b.trusted.TrustedRootWithoutLog(b.t), b.mail.Identities...)
	old := b.identities(b.past.TrustedRoot(b.t), b.mail.Identities...)
	oldStampsOnly := b.identities(b.past.TrustedRootWithoutLog(b.t), b.mail.Identities...)
	both := attest.Policy{Identities: b.mail.Identities, Root: attest.JoinRoots(b.mail.Root, old.Root)}
	return []tampered{
		{"another root", b.mail, elsewhere, attest.ReasonCertificate},
		{"another root than any of two", both, elsewhere, attest.ReasonCertificate},
		{"certificate of another root", b.mail, b.edit(honest, func(o object) { material(o)["certificate"] = b.part(elsewhere, certificateOf) }), attest.ReasonSignature},
		{"certificate of another signature", b.mail, b.edit(honest, func(o object) { material(o)["certificate"] = b.part(second, certificateOf) }), attest.ReasonSignature},
		{"certificate of a foreign authority, logged and stamped by ours", b.mail, b.sign(func(g *attesttest.Signing) { g.By = b.foreign }), attest.ReasonCertificate},
		{"our certificate, logged and stamped by a foreign deployment", attest.Policy{
			Identities: b.mail.Identities, Root: attest.JoinRoots(b.mail.Root, b.identities(b.foreign.TrustedRoot(b.t), b.mail.Identities...).Root),
		}, b.foreign.Sign(b.t, attesttest.Signing{Holder: b.holder, Statement: b.statement, By: b.trusted}), attest.ReasonLogMissing},
		{"certificate chain with an extra authority", b.mail, b.edit(honest, func(o object) {
			leaf, extra := certificateOf(o), b.part(elsewhere, certificateOf)
			delete(material(o), "certificate")
			material(o)["x509CertificateChain"] = object{"certificates": []any{leaf, extra}}
		}), attest.ReasonMalformed},
		{"certificate chain with an extra authority, in an older bundle", b.mail, b.edit(elsewhere, func(o object) {
			o["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
			leaf, extra := certificateOf(o), b.part(honest, certificateOf)
			delete(material(o), "certificate")
			material(o)["x509CertificateChain"] = object{"certificates": []any{leaf, extra}}
		}), attest.ReasonCertificate},
		{"garbage certificate", b.mail, b.edit(honest, func(o object) { material(o)["certificate"] = object{"rawBytes": "AAAA"} }), attest.ReasonMalformed},
		{"certificate in no certificate log", withCT, b.sign(func(g *attesttest.Signing) { g.Unlogged = true }), attest.ReasonUnlogged},
		{"certificate expired when it was signed", b.mail, b.sign(func(g *attesttest.Signing) { g.LoggedAt = now.Add(30 * time.Minute) }), attest.ReasonCertTime},
		{"certificate not yet valid when it was signed", b.mail, b.sign(func(g *attesttest.Signing) { g.LoggedAt = now.Add(-30 * time.Minute) }), attest.ReasonCertTime},
		{"timestamp after the certificate", stampsOnly, b.sign(func(g *attesttest.Signing) { g.Stamps = []time.Time{now.Add(11 * time.Minute)} }), attest.ReasonCertTime},
		{"timestamp before the certificate", stampsOnly, b.sign(func(g *attesttest.Signing) { g.Stamps = []time.Time{now.Add(-2 * time.Second)} }), attest.ReasonCertTime},
		{"two timestamps that disagree", stampsOnly, b.sign(func(g *attesttest.Signing) {
			g.Life, g.Stamps = 24*time.Hour, []time.Time{now.Add(time.Minute), now.Add(3 * time.Hour)}
		}), attest.ReasonTimesDisagree},
		{"two timestamps of one authority that disagree", stampsOnly, b.sign(func(g *attesttest.Signing) {
			g.Life, g.Stamps = 24*time.Hour, []time.Time{now.Add(time.Minute), now.Add(2 * time.Minute), now.Add(3 * time.Hour)}
		}), attest.ReasonTimesDisagree},
		{"timestamp and log disagree", b.mail, b.sign(func(g *attesttest.Signing) {
			g.Life, g.LoggedAt, g.Stamps = 24*time.Hour, now.Add(time.Minute), []time.Time{now.Add(5 * time.Hour)}
		}), attest.ReasonTimesDisagree},
		{"timestamp of another signature, and no other time", stampsOnly, b.sign(func(g *attesttest.Signing) { g.StampOther = true }), attest.ReasonTimeMissing},
		{"timestamp taken from another bundle", stampsOnly, b.edit(honest, func(o object) { material(o)["timestampVerificationData"] = b.part(second, stamps) }), attest.ReasonTimeMissing},
		{"timestamp of a foreign authority", stampsOnly, b.edit(honest, func(o object) { material(o)["timestampVerificationData"] = b.part(elsewhere, stamps) }), attest.ReasonTimeMissing},
		{"Rekor 2 dates nothing: no timestamp", b.mail, b.sign(func(g *attesttest.Signing) { g.Log, g.NoStamp = attesttest.LogV2, true }), attest.ReasonTimeMissing},
		{"Rekor 2 with a date written in", b.mail, b.edit(b.sign(func(g *attesttest.Signing) { g.Log, g.NoStamp = attesttest.LogV2, true }), func(o object) {
			logEntry(o)["integratedTime"] = fmt.Sprint(now.Unix() + 5)
		}), attest.ReasonTimeMissing},
		{"proof without a promise, and no timestamp", b.mail, b.edit(b.sign(func(g *attesttest.Signing) { g.NoStamp = true }), func(o object) {
			delete(logEntry(o), "inclusionPromise")
		}), attest.ReasonTimeMissing},
		{"no log entry", b.mail, b.sign(func(g *attesttest.Signing) { g.Log = attesttest.NoLog }), attest.ReasonLogMissing},
		{"log entry cut out", b.mail, b.edit(honest, func(o object) { delete(material(o), "tlogEntries") }), attest.ReasonLogMissing},
		{"log entry of another log", b.mail, b.edit(honest, func(o object) { material(o)["tlogEntries"] = b.part(elsewhere, entries) }), attest.ReasonLogMissing},
		{"log entry of another signature", b.mail, b.edit(honest, func(o object) { material(o)["tlogEntries"] = b.part(second, entries) }), attest.ReasonLogInvalid},
		{"Rekor 2 entry of another signature", b.mail, b.edit(v2, func(o object) {
			material(o)["tlogEntries"] = b.part(b.sign(func(g *attesttest.Signing) { g.Log, g.Statement = attesttest.LogV2, statement(b.t, []byte("another")) }), entries)
		}), attest.ReasonLogInvalid},
		{"one log entry twice", b.mail, b.edit(honest, func(o object) { material(o)["tlogEntries"] = []any{logEntry(o), logEntry(o)} }), attest.ReasonLogInvalid},
		{"too many log entries", b.mail, b.edit(honest, func(o object) {
			l := make([]any, 500)
			for i := range l {
				l[i] = logEntry(o)
			}
			material(o)["tlogEntries"] = l
		}), attest.ReasonMalformed},
		{"promise of another log", b.mail, entry(honest, func(e object) {
			e["inclusionPromise"] = b.part(elsewhere, func(o object) any { return logEntry(o)["inclusionPromise"] })
		}), attest.ReasonLogInvalid},
		{"promise with another time", b.mail, entry(honest, func(e object) { e["integratedTime"] = fmt.Sprint(now.Unix() + 7) }), attest.ReasonLogInvalid},
		{"proof cut short", b.mail, proof(honest, func(p object) { p["hashes"] = p["hashes"].([]any)[1:] }), attest.ReasonLogInvalid},
		{"Rekor 2 proof cut short", b.mail, proof(v2, func(p object) { p["hashes"] = p["hashes"].([]any)[1:] }), attest.ReasonLogInvalid},
		{"proof of another entry", b.mail, proof(honest, func(p object) {
			other := b.part(second, func(o object) any { return logEntry(o)["inclusionProof"] }).(object)
			for k, v := range other {
				p[k] = v
			}
		}), attest.ReasonLogInvalid},
		{"proof with another root hash", b.mail, proof(honest, func(p object) { flip(b.t, p, "rootHash") }), attest.ReasonLogInvalid},
		{"proof without a checkpoint", b.mail, proof(honest, func(p object) { delete(p, "checkpoint") }), attest.ReasonMalformed},
		{"checkpoint of another log", b.mail, proof(honest, func(p object) {
			p["checkpoint"] = b.part(elsewhere, func(o object) any { return logEntry(o)["inclusionProof"].(object)["checkpoint"] })
		}), attest.ReasonLogInvalid},
		{"checkpoint with a wrong signature", b.mail, proof(honest, func(p object) { spoil(p) }), attest.ReasonLogInvalid},
		{"Rekor 2 checkpoint with a wrong signature", b.mail, proof(v2, func(p object) { spoil(p) }), attest.ReasonLogInvalid},
		{"log entry body altered", b.mail, entry(honest, func(e object) {
			body, _ := base64.StdEncoding.DecodeString(e["canonicalizedBody"].(string))
			e["canonicalizedBody"] = base64.StdEncoding.EncodeToString(bytes.Replace(body, []byte(`"payloadHash":{"algorithm":"sha256","value":"`), []byte(`"payloadHash":{"algorithm":"sha256","value":"0`), 1))
		}), attest.ReasonLogInvalid},
		{"root expired: signed after its end", oldStampsOnly, b.past.Sign(b.t, attesttest.Signing{Holder: b.holder, Statement: b.statement}), attest.ReasonTimeMissing},
		{"root expired: logged after its end", old, b.past.Sign(b.t, attesttest.Signing{Holder: b.holder, Statement: b.statement, NoStamp: true}), attest.ReasonLogExpired},
		{"authority expired, stamped by one that is not", b.identities(b.mixed(), b.mail.Identities...), b.sign(func(g *attesttest.Signing) { g.By, g.Log = b.past, attesttest.NoLog }), attest.ReasonRootExpired},
		{"Rekor 2 key expired, stamped by an authority that is not", b.identities(b.oldLogs(), b.mail.Identities...), b.past.Sign(b.t, attesttest.Signing{
			Holder: b.holder, Statement: b.statement, By: b.trusted, Log: attesttest.LogV2, Stamper: b.trusted,
		}), attest.ReasonLogExpired},
	}
}

// spoil changes one byte of a checkpoint's signature.
func spoil(proof object) {
	checkpoint := proof["checkpoint"].(object)
	text := strings.TrimRight(checkpoint["envelope"].(string), "\n")
	at := strings.LastIndexByte(text, ' ') + 1
	sig, err := base64.StdEncoding.DecodeString(text[at:])
	if err != nil {
		panic(err)
	}
	sig[len(sig)-3] ^= 1
	checkpoint["envelope"] = text[:at] + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// mixed is a root with the authority whose time is over beside time stamps of
// the present; oldLogs one with its logs beside the present authorities.
func (b *bench) mixed() []byte {
	return b.edit(b.trusted.TrustedRootWithoutLog(b.t), func(o object) {
		o["certificateAuthorities"] = b.part(b.past.TrustedRoot(b.t), func(o object) any { return o["certificateAuthorities"] })
	})
}

func (b *bench) oldLogs() []byte {
	return b.edit(b.trusted.TrustedRoot(b.t), func(o object) {
		o["tlogs"] = b.part(b.past.TrustedRoot(b.t), func(o object) any { return o["tlogs"] })
	})
}

// originCases lie about where the artifact was built.
func (b *bench) originCases() []tampered {
	const evil = "https://github.com/acme/weather-fork"
	return []tampered{
		{"workflow of another branch", b.job, b.build(func(g *attesttest.Signing, _ *string) {
			g.Holder.SAN = repository + "/.github/workflows/release.yml@refs/heads/evil"
		}), attest.ReasonIdentity},
		{"another workflow", b.job, b.build(func(g *attesttest.Signing, _ *string) {
			g.Holder.SAN = repository + "/.github/workflows/test.yml@refs/tags/v1"
		}), attest.ReasonIdentity},
		{"reusable workflow of ours, called by another repository", b.job, b.build(func(g *attesttest.Signing, p *string) {
			g.Holder.Build.SourceRepositoryURI = evil
			*p = strings.ReplaceAll(*p, repository, evil)
		}), attest.ReasonSource},
		{"provenance of another repository", b.job, b.build(func(_ *attesttest.Signing, p *string) { *p = strings.ReplaceAll(*p, repository, evil) }), attest.ReasonContradiction},
		{"provenance of another revision", b.job, b.build(func(_ *attesttest.Signing, p *string) { *p = strings.ReplaceAll(*p, "aa11", "bb22") }), attest.ReasonContradiction},
		{"nothing names a source", b.job, b.build(func(g *attesttest.Signing, p *string) {
			g.Holder.Build = certificate.Extensions{}
			*p = `{"buildDefinition":{"buildType":"x","externalParameters":{}},"runDetails":{"builder":{"id":"` + builderID + `"}}}`
		}), attest.ReasonSource},
		{"another builder", b.job, b.build(func(_ *attesttest.Signing, p *string) { *p = strings.Replace(*p, "github-hosted", "self-hosted", 1) }), attest.ReasonBuilder},
		{"no provenance where a builder is demanded", b.job, b.build(func(g *attesttest.Signing, _ *string) {
			g.Statement = b.state("https://cyclonedx.org/bom", `{"bomFormat":"CycloneDX"}`, map[string]string{"sha256": sum(b.artifact)})
		}), attest.ReasonBuilder},
	}
}

// TestTamperCorpus: everything that is not exactly what it should be is
// refused, and with the same word every time.
func TestTamperCorpus(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		policy attest.Policy
		bundle []byte
	}{
		"by key": {b.keys, sign(t, b.key, b.statement)}, "by raw key": {b.keys, b.forger(attest.PayloadType, b.statement)},
		"by certificate": {b.mail, b.honest()}, "Rekor 2": {b.mail, b.sign(func(g *attesttest.Signing) { g.Log = attesttest.LogV2 })},
		"Rekor 1 without a timestamp": {b.mail, b.sign(func(g *attesttest.Signing) { g.NoStamp = true })},
		"by a build job":              {b.job, b.build(func(*attesttest.Signing, *string) {})},
		"message signature":           {b.mail, b.sign(func(g *attesttest.Signing) { g.Statement, g.Artifact = nil, b.artifact })},
	} {
		if _, err := c.policy.VerifyArtifact(c.bundle, b.digests); err != nil {
			t.Fatalf("honest, %s: %v", name, err)
		}
	}
	cases := append(b.contentCases(), b.bundleCases()...)
	cases = append(cases, b.signerCases()...)
	cases = append(cases, b.rootCases()...)
	cases = append(cases, b.originCases()...)
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("two cases %q", c.name)
		}
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			v, err := c.policy.VerifyArtifact(c.bundle, b.digests)
			if got := attest.ReasonOf(err); err == nil || got != c.want {
				t.Errorf("reason %q, want %q (verified %+v, error %v)", got, c.want, v, err)
			}
		})
	}
	if len(cases) < 100 {
		t.Errorf("%d cases", len(cases))
	}
}
