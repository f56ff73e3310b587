package registry

import (
	"crypto/sha512"
	"encoding/hex"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

const (
	actions  = "https://token.actions.githubusercontent.com"
	source   = "https://github.com/acme/weather"
	workflow = source + "/.github/workflows/release.yml@refs/tags/v1"
	runner   = "https://github.com/actions/runner/github-hosted"
)

// forge is a registry whose namespace trusts a key, an e-mail address and one
// build job.
type forge struct {
	*house
	trusted, foreign, past *attesttest.Sigstore
	job                    attesttest.Holder
	roots                  []*attest.TrustedRoot // of trusted and past
}

func newForge(t *testing.T) *forge {
	f := &forge{trusted: attesttest.New(t), foreign: attesttest.New(t), past: attesttest.NewAt(t, time.Now().AddDate(-2, 0, 0))}
	f.past.Ends = time.Now().AddDate(-1, 0, 0)
	f.house = newHouse(t, func(h *house) {
		for _, s := range []*attesttest.Sigstore{f.trusted, f.past} {
			r, err := attest.ParseTrustedRoot(s.TrustedRoot(t))
			h.must(err)
			f.roots = append(f.roots, r)
		}
		h.roots = attest.FixedRoots(attest.JoinRoots(f.roots...))
	})
	f.job = attesttest.Holder{SAN: workflow, Issuer: actions, Build: certificate.Extensions{SourceRepositoryURI: source, SourceRepositoryDigest: "aa11", BuildSignerURI: workflow}}
	for _, s := range []admission.NamespaceSigner{
		{Issuer: issuer, SubjectLike: `release@acme\.example`},
		{Issuer: actions, SubjectLike: `https://github\.com/acme/weather/\.github/workflows/release\.yml@refs/tags/.*`, SourceRepository: source, Builder: runner},
	} {
		s.Namespace = "io.github.acme"
		_, err := f.AddSigner(t.Context(), admin, s)
		f.must(err)
	}
	return f
}

func (f *forge) state(predicateType, predicate string, subjects ...attest.Subject) []byte {
	s := attest.Statement{PredicateType: predicateType, Predicate: []byte(predicate), Subjects: subjects}
	b, err := s.Marshal()
	f.must(err)
	return b
}

func (f *forge) slsa(repository, revision, builder string, subject attest.Subject) []byte {
	return f.state(provenance.SLSAv1, `{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"ref":"refs/tags/v1","repository":"`+repository+`","path":".github/workflows/release.yml"}},"resolvedDependencies":[{"uri":"git+`+repository+`@refs/tags/v1","digest":{"gitCommit":"`+revision+`"}}]},"runDetails":{"builder":{"id":"`+builder+`"}}}`, subject)
}

// TestTamperedPublications publishes what a thief of a publisher's API key
// would: it is quarantined, and the reason says exactly why.
func TestTamperedPublications(t *testing.T) {
	f := newForge(t)
	named := func(sub *Submission) attest.Subject {
		return attest.Subject{Name: "weather.tgz", Digest: map[string]string{"sha256": hexDigest(sub.Artifact)}}
	}
	server := func(body []byte) attest.Subject {
		return attest.Subject{Name: "server.json", Digest: map[string]string{"sha256": sum(body)}}
	}
	mail := attesttest.Holder{SAN: "release@acme.example", Issuer: issuer}
	by := func(g attesttest.Signing) []byte { return f.trusted.Sign(t, g) }
	job := func(statement []byte) []byte { return by(attesttest.Signing{Holder: f.job, Statement: statement}) }
	key := func(statement []byte) []byte {
		b, err := f.publisher.Sign(t.Context(), statement)
		f.must(err)
		return b
	}
	npm := func(name string, sub *Submission) []byte {
		r, err := f.Blobs.Get(sub.Artifact)
		f.must(err)
		defer r.Close()
		h := sha512.New()
		_, err = io.Copy(h, r)
		f.must(err)
		return key(f.state(provenance.NPMPublish, `{"name":"@acme/weather","version":"1.0.0","registry":"https://npm.example"}`,
			attest.Subject{Name: name, Digest: map[string]string{"sha512": hex.EncodeToString(h.Sum(nil))}}))
	}
	edited := func(b []byte, f2 func(map[string]any)) []byte {
		var o map[string]any
		f.must(json.Unmarshal(b, &o))
		f2(o)
		out, err := json.Marshal(o)
		f.must(err)
		return out
	}
	material := func(o map[string]any) map[string]any { return o["verificationMaterial"].(map[string]any) }
	invalid, mismatch := admission.ReasonSignatureInvalid, admission.ReasonDigestMismatch
	for name, c := range map[string]struct {
		bundle func(*Submission) []byte
		code   string
		cause  attest.Reason
	}{
		"honest-key": {func(s *Submission) []byte {
			return key(f.state(attest.PredicatePublish, `{}`, server(s.ServerJSON), named(s)))
		}, "", ""},
		"honest-mail": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: mail, Statement: f.state(predicateCycloneDX, `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}`, named(s))})
		}, "", ""},
		"honest-job": {func(s *Submission) []byte { return job(f.slsa(source, "aa11", runner, named(s))) }, "", ""},
		"honest-rekor2": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: mail, Log: attesttest.LogV2, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, "", ""},
		"honest-npm": {func(s *Submission) []byte { return npm("pkg:npm/%40acme/weather@1.0.0", s) }, "", ""},
		"honest-old-root": {func(s *Submission) []byte {
			return f.past.Sign(t, attesttest.Signing{Holder: mail, Issued: time.Now().AddDate(-1, -3, 0), Statement: f.slsa(source, "aa11", runner, named(s))})
		}, "", ""},
		"other-server-json": {func(s *Submission) []byte {
			return key(f.state(attest.PredicatePublish, `{}`, server([]byte("the server.json of 0.9.0")), named(s)))
		}, mismatch, attest.ReasonSubject},
		"npm-other-version": {func(s *Submission) []byte { return npm("pkg:npm/%40acme/weather@0.9.0", s) }, mismatch, attest.ReasonSubject},
		"npm-other-package": {func(s *Submission) []byte { return npm("pkg:npm/%40evil/weather@1.0.0", s) }, mismatch, attest.ReasonSubject},
		"npm-no-scope":      {func(s *Submission) []byte { return npm("pkg:npm/weather@1.0.0", s) }, mismatch, attest.ReasonSubject},
		"other-artifact":    {func(s *Submission) []byte { return key(f.state(attest.PredicatePublish, `{}`, server(s.ServerJSON))) }, mismatch, attest.ReasonDigest},
		"weak-digest": {func(s *Submission) []byte {
			return key(f.state(attest.PredicatePublish, `{}`, attest.Subject{Digest: map[string]string{"sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}}))
		}, mismatch, attest.ReasonWeakDigest},
		"vote-as-signature": {func(s *Submission) []byte { return key(f.state(attest.PredicateVote, `{}`, named(s))) }, invalid, attest.ReasonPredicateType},
		"near-cyclonedx":    {func(s *Submission) []byte { return key(f.state(predicateCycloneDX+"x", `{}`, named(s))) }, invalid, attest.ReasonPredicateType},
		"foreign-key":       {func(s *Submission) []byte { return f.sign(f.key(), hexDigest(s.Artifact)) }, invalid, attest.ReasonKey},
		"foreign-root": {func(s *Submission) []byte {
			return f.foreign.Sign(t, attesttest.Signing{Holder: mail, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonCertificate},
		"expired-root": {func(s *Submission) []byte {
			return f.past.Sign(t, attesttest.Signing{Holder: mail, NoStamp: true, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonLogExpired},
		"near-miss-mail": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: attesttest.Holder{SAN: "release@acmeXexample", Issuer: issuer}, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonIdentity},
		"other-issuer": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: attesttest.Holder{SAN: mail.SAN, Issuer: "https://evil.example"}, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonIssuer},
		"late": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: mail, LoggedAt: time.Now().Add(time.Hour), Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonCertTime},
		"unlogged": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: mail, Log: attesttest.NoLog, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonLogMissing},
		"undated": {func(s *Submission) []byte {
			return by(attesttest.Signing{Holder: mail, Log: attesttest.LogV2, NoStamp: true, Statement: f.slsa(source, "aa11", runner, named(s))})
		}, invalid, attest.ReasonTimeMissing},
		"other-source": {func(s *Submission) []byte {
			return job(f.slsa("https://github.com/acme/other", "aa11", runner, named(s)))
		}, invalid, attest.ReasonContradiction},
		"other-revision": {func(s *Submission) []byte { return job(f.slsa(source, "bb22", runner, named(s))) }, invalid, attest.ReasonContradiction},
		"other-builder": {func(s *Submission) []byte {
			return job(f.slsa(source, "aa11", "https://evil.example/runner", named(s)))
		}, invalid, attest.ReasonBuilder},
		"hollow-predicate": {func(s *Submission) []byte { return job(f.state(provenance.SLSAv1, `{}`, named(s))) }, invalid, attest.ReasonPredicate},
		"rubbish":          {func(*Submission) []byte { return []byte("{}") }, invalid, attest.ReasonVersion},
		"truncated":        {func(s *Submission) []byte { b := key(f.slsa(source, "aa11", runner, named(s))); return b[:len(b)-5] }, invalid, attest.ReasonMalformed},
		"log-proof-cut": {func(s *Submission) []byte {
			return edited(by(attesttest.Signing{Holder: mail, Statement: f.slsa(source, "aa11", runner, named(s))}), func(o map[string]any) {
				proof := material(o)["tlogEntries"].([]any)[0].(map[string]any)["inclusionProof"].(map[string]any)
				proof["hashes"] = proof["hashes"].([]any)[1:]
			})
		}, invalid, attest.ReasonLogInvalid},
		"payload-edited": {func(s *Submission) []byte {
			return edited(by(attesttest.Signing{Holder: mail, Statement: f.slsa(source, "aa11", runner, named(s))}), func(o map[string]any) {
				o["dsseEnvelope"].(map[string]any)["payload"] = f.slsa(source, "aa11", "https://evil.example", named(s))
			})
		}, invalid, attest.ReasonSignature},
	} {
		t.Run(name, func(t *testing.T) {
			sub := f.submission(name, "1.0.0", nil)
			sub.Options.Alias = "a" + sum([]byte(name))[:12]
			sub.Bundles = [][]byte{c.bundle(&sub)}
			v, err := f.Publish(t.Context(), alice, sub)
			f.must(err)
			if c.code == "" {
				if v.State != admission.InReview || len(v.Signers) != 1 {
					t.Errorf("%s for %v", v.State, v.Reasons)
				}
				return
			}
			if v.State != admission.Quarantined || len(v.Reasons) != 1 || v.Reasons[0].Code != c.code || v.Reasons[0].Cause != string(c.cause) {
				t.Errorf("%s for %+v, want %s %s", v.State, v.Reasons, c.code, c.cause)
			}
		})
	}
}

// TestProvenanceIsEvidence: what a build job states is on record, and what the
// authority says beside it.
func TestProvenanceIsEvidence(t *testing.T) {
	f := newForge(t)
	sub := f.submission("weather", "1.0.0", nil)
	sub.Bundles = [][]byte{f.trusted.Sign(t, attesttest.Signing{Holder: f.job, Statement: f.slsa(source, "aa11", runner, attest.Subject{Digest: map[string]string{"sha256": hexDigest(sub.Artifact)}})})}
	v, err := f.Publish(t.Context(), alice, sub)
	f.must(err)
	s := v.Signers[0]
	if s.Provenance == nil || s.Provenance.Builder != runner || s.Provenance.Revision != "aa11" || s.Certified == nil || s.Certified.Repository != source || s.SignedAt.IsZero() {
		t.Errorf("signer %+v", s)
	}
	again, err := f.find(t.Context(), "default", v.Name, v.Version)
	f.must(err)
	if again.Signers[0].Provenance == nil || *again.Signers[0].Provenance != *s.Provenance {
		t.Error("the record lost it")
	}
}

// TestRecheck: bundles that held hold no longer once their signer or their root
// is taken away, and again once it is back.
func TestRecheck(t *testing.T) {
	f := newForge(t)
	sub := f.submission("weather", "1.0.0", nil)
	sub.Bundles = [][]byte{f.sign(f.publisher, hexDigest(sub.Artifact)), f.trusted.Sign(t, attesttest.Signing{
		Holder: attesttest.Holder{SAN: "release@acme.example", Issuer: issuer}, Artifact: nil,
		Statement: f.slsa(source, "aa11", runner, attest.Subject{Digest: map[string]string{"sha256": hexDigest(sub.Artifact)}}),
	})}
	v, err := f.Publish(t.Context(), alice, sub)
	f.must(err)
	causes := func() (all []string) {
		for _, r := range f.recheck(v) {
			all = append(all, r.Cause)
		}
		return all
	}
	if got := causes(); got != nil {
		t.Fatalf("what was published moments ago: %v", got)
	}
	before, err := f.TrustedRootDigests()
	f.must(err)
	f.TrustedRoots = attest.FixedRoots(f.roots[1])
	after, err := f.TrustedRootDigests()
	f.must(err)
	if len(before) != 2 || len(after) != 1 || !slices.Contains(before, after[0]) {
		t.Errorf("digests %v, then %v", before, after)
	}
	if got := causes(); !slices.Equal(got, []string{string(attest.ReasonCertificate)}) {
		t.Errorf("the root is gone: %v", got)
	}
	f.must(f.RemoveSigner(t.Context(), admin, "io.github.acme", f.publisher.KeyID()))
	if got := causes(); !slices.Equal(got, []string{string(attest.ReasonSignerKind), string(attest.ReasonCertificate)}) {
		t.Errorf("the key is gone as well: %v", got)
	}
	again, err := f.find(t.Context(), "default", v.Name, v.Version)
	f.must(err)
	if again.State != v.State {
		t.Error("looking changed something")
	}
}
