package registry

import (
	"bytes"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
)

const issuer = "https://token.actions.example"

func rooted(t *testing.T, s *attesttest.Sigstore) func(*house) {
	return func(h *house) {
		root, err := attest.ParseTrustedRoot(s.TrustedRoot(t))
		if err != nil {
			t.Fatal(err)
		}
		h.roots = attest.FixedRoots(root)
	}
}

// slsa is a statement over the artifact, as a build service signs it.
func slsa(t *testing.T, sha string) []byte {
	t.Helper()
	st := attest.Statement{Subjects: []attest.Subject{{Name: "pkg:npm/%40acme/weather", Digest: map[string]string{"sha256": sha}}}, PredicateType: "https://slsa.dev/provenance/v1", Predicate: []byte(`{"buildDefinition":{"buildType":"https://build.example/v1","externalParameters":{}},"runDetails":{"builder":{"id":"https://build.example/runner"}}}`)}
	b, err := st.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignersByIdentity(t *testing.T) {
	trusted, foreign := attesttest.New(t), attesttest.New(t)
	h := newHouse(t, rooted(t, trusted))
	_, err := h.AddSigner(t.Context(), admin, admission.NamespaceSigner{Namespace: "io.github.acme", Issuer: issuer, SubjectLike: `release@acme\.example`})
	h.must(err)
	for name, tc := range map[string]struct {
		by            *attesttest.Sigstore
		email, issuer string
		digest        func(artifact string) string
		want          string
	}{
		"the release job":  {trusted, "release@acme.example", issuer, hexDigest, ""},
		"somebody else":    {trusted, "mallory@acme.example", issuer, hexDigest, admission.ReasonSignatureInvalid},
		"a longer name":    {trusted, "release@acme.example.evil.example", issuer, hexDigest, admission.ReasonSignatureInvalid},
		"another issuer":   {trusted, "release@acme.example", "https://evil.example", hexDigest, admission.ReasonSignatureInvalid},
		"another Sigstore": {foreign, "release@acme.example", issuer, hexDigest, admission.ReasonSignatureInvalid},
		"other bytes":      {trusted, "release@acme.example", issuer, func(string) string { return sum([]byte("else")) }, admission.ReasonDigestMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			sub := h.submission("w"+sum([]byte(name))[:8], "1.0.0", nil)
			sub.Bundles = [][]byte{tc.by.Statement(t, tc.email, tc.issuer, slsa(t, tc.digest(sub.Artifact)))}
			v, err := h.Publish(t.Context(), alice, sub)
			h.must(err)
			if reasons(v) != tc.want {
				t.Fatalf("reasons %q, want %q", reasons(v), tc.want)
			}
			if tc.want == "" && (len(v.Signers) != 1 || v.Signers[0].Issuer != issuer || v.Signers[0].Subject != tc.email) {
				t.Errorf("signers %+v", v.Signers)
			}
		})
	}
}

func TestSignersAreAdmitted(t *testing.T) {
	h := newHouse(t)
	pem := string(h.key().Public().PEM())
	for name, s := range map[string]admission.NamespaceSigner{
		"nothing":           {Namespace: "io.github.acme"},
		"both":              {Namespace: "io.github.acme", PublicKey: pem, Issuer: issuer, SubjectLike: "x"},
		"no key":            {Namespace: "io.github.acme", PublicKey: "-----BEGIN NONSENSE-----"},
		"namespace":         {Namespace: "../up", PublicKey: pem},
		"identity, no root": {Namespace: "io.github.acme", Issuer: issuer, SubjectLike: "x"},
	} {
		_, err := h.AddSigner(t.Context(), admin, s)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, ErrInvalid, RefusedSigner) })
	}
	_, err := h.AddSigner(t.Context(), alice, admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: pem})
	wantRefusal(t, err, ErrForbidden, RefusedRole)
	added, err := h.AddSigner(t.Context(), admin, admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: pem})
	h.must(err)
	wantRefusal(t, h.RemoveSigner(t.Context(), origin("other", "root", "admin"), "io.github.acme", added.ID), ErrNotFound, RefusedUnknown)
	h.must(h.RemoveSigner(t.Context(), admin, "io.github.acme", added.ID))
	left, err := h.Signers(t.Context(), "default", "io.github.acme")
	h.must(err)
	if len(left) != 1 {
		t.Errorf("signers %v", left)
	}
}

// TestPublishersSBOM signs a bill of materials that leaves a dependency out.
func TestPublishersSBOM(t *testing.T) {
	h := newHouse(t)
	const lock = `{"name":"@acme/weather","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"@acme/weather","version":"1.0.0","dependencies":{"left-pad":"1.3.0"}},"node_modules/left-pad":{"version":"1.3.0","license":"MIT"}}}`
	digest, err := h.StoreArtifact(t.Context(), bytes.NewReader(tarOf(t, map[string]string{
		"package/package.json": `{"name":"@acme/weather","version":"1.0.0","dependencies":{"left-pad":"1.3.0"}}`, "package/package-lock.json": lock,
	})))
	h.must(err)
	for name, tc := range map[string]struct{ components, want string }{
		"leaves one out": {`[]`, admission.ReasonPublisherSBOMMismatch},
		"names it":       {`[{"type":"library","bom-ref":"a","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0"}]`, ""},
		"is no SBOM":     {`7`, admission.ReasonPublisherSBOMMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			st := attest.Statement{Subjects: []attest.Subject{{Digest: map[string]string{"sha256": hexDigest(digest)}}}, PredicateType: predicateCycloneDX,
				Predicate: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":` + tc.components + `}`)}
			statement, err := st.Marshal()
			h.must(err)
			bundle, err := h.publisher.Sign(t.Context(), statement)
			h.must(err)
			sub := h.submission("w"+sum([]byte(name))[:8], "1.0.0", nil)
			sub.Artifact, sub.Bundles = digest, [][]byte{bundle}
			v, err := h.Publish(t.Context(), alice, sub)
			h.must(err)
			if reasons(v) != tc.want {
				t.Errorf("reasons %v, want %q", v.Reasons, tc.want)
			}
		})
	}
}

// recheck verifies a version's bundles again under the signers and trusted roots
// of now, as a rescan does, and returns why they do not hold.
func (h *house) recheck(v *admission.Version) []admission.Reason {
	h.t.Helper()
	found, err := h.find(h.t.Context(), "default", v.Name, v.Version)
	h.must(err)
	w := &work{v: found}
	h.must(h.Service.load(h.t.Context(), w))
	check, err := h.checkDigests(h.t.Context(), found, w.doc, w.digests)
	h.must(err)
	return check.reasons
}
