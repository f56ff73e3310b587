package approval

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

var update = flag.Bool("update", false, "rewrite the examples of docs/spec/trust.md")

// exampleKey is the key whose private scalar is n: of no use but to look at.
func exampleKey(t *testing.T, n byte) *attest.PublicKey {
	t.Helper()
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), n))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	k, err := attest.ParsePublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func exampleTrust(t *testing.T) *Trust {
	one := func(n byte) []*attest.PublicKey { return []*attest.PublicKey{exampleKey(t, n)} }
	d := NewTrust("registry.example", one(1), one(2), one(3), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC))
	k := NewKey(exampleKey(t, 4))
	d.Voters = []Voter{{Name: "alice", Key: &k, Groups: []string{"security"}}}
	return d
}

func examplePredicate() (*Predicate, Subjects) {
	digest := func(s string) fingerprint.Digest { return sha256.Sum256([]byte(s)) }
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := &Predicate{
		Registry: "registry.example", Tenant: DefaultTenant, Server: "io.example/weather", Version: "1.2.0", Alias: "weather",
		Tier: TierStandard, Publisher: "carol", Binding: BindingCommand,
		Launch:  Launch{Command: []string{"node", "dist/index.js"}, Dir: "/srv/weather", EnvNames: []string{"WEATHER_API_KEY"}},
		Entries: []Entry{{Era: "legacy", Kind: "tool", Key: "forecast", Whole: digest("whole"), Behavioural: digest("behavioural")}},
		Roots:   map[string]fingerprint.Digest{"legacy": digest("root")},
		Annotations: map[string]jsontext.Value{
			"forecast": jsontext.Value(`{"readOnlyHint":true}`),
		},
		Scopes:       []string{"weather.read"},
		Scanners:     []ScannerVerdict{{Name: "poisoning", Digest: hexDigest([]byte("module")), Action: "allow"}},
		Waivers:      []Waiver{{Rule: "poisoning.imperative", Pointer: "/tools/0/description", Leaf: hexDigest([]byte("leaf")), Expires: from.AddDate(0, 1, 0)}},
		Checklist:    hexDigest([]byte("checklist")),
		SessionVotes: []SessionVote{},
		NotBefore:    from, Expires: from.AddDate(0, 0, 90),
	}
	return p, Subjects{Artifact: hexDigest([]byte("artifact")), SBOM: hexDigest([]byte("sbom"))}
}

// examples are the documents that docs/spec/trust.md shows, by name.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	check := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	trust := exampleTrust(t)
	raw := check(encode(trust))
	p, s := examplePredicate()
	review := *p
	subject, err := SubjectDigest(&review, s)
	if err != nil {
		t.Fatal(err)
	}
	p.SessionVotes = append(p.SessionVotes, SessionVote{Principal: "bob", Subject: subject, At: p.NotBefore})
	reviewed := check(encode(newReviewSubject(p, s)))
	approval := check(approvalStatement(p, s))
	if p.Subject != subject {
		t.Fatalf("votes and dates changed the subject: %s, %s", p.Subject, subject)
	}
	return map[string][]byte{
		"trust":           raw,
		"trust-statement": check(trustStatement(trust, raw)),
		"subject":         check(fingerprint.Canonical(reviewed)),
		"subject-digest":  check(encode(subject)),
		"vote": check(BuildVote(Vote{
			Registry: p.Registry, Tenant: p.Tenant, Server: p.Server, Version: p.Version,
			Decision: VoteApprove, At: p.NotBefore, Subject: subject,
		})),
		"approval": approval,
		"snapshot": check(snapshotStatement(&Snapshot{
			Registry: p.Registry, Tenant: p.Tenant, Sequence: 42, Issued: p.NotBefore, Expires: p.NotBefore.Add(SnapshotLife),
			Approvals: []string{hexDigest([]byte("approval bundle"))},
		})),
	}
}

// The specification shows what the code writes, byte for byte but for layout.
func TestSpecificationExamples(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "spec", "trust.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := doc
	for name, b := range examples(t) {
		v := jsontext.Value(b)
		if name != "subject" { // canonical text stays as it is hashed
			if err := v.Indent(jsontext.WithIndent("  ")); err != nil {
				t.Fatal(err)
			}
		}
		open := fmt.Appendf(nil, "<!-- example: %s -->\n```json\n", name)
		before, rest, found := bytes.Cut(want, open)
		_, after, closed := bytes.Cut(rest, []byte("\n```\n"))
		if !found || !closed {
			t.Fatalf("docs/spec/trust.md has no example %q", name)
		}
		want = bytes.Join([][]byte{before, open, v, []byte("\n```\n"), after}, nil)
	}
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(want), string(doc)); d != "" && !*update {
		t.Errorf("run go test ./internal/approval -update:\n%s", d)
	}
}

// What the specification shows is accepted by the readers.
func TestSpecificationExamplesAreRead(t *testing.T) {
	e := examples(t)
	d := new(Trust)
	if err := decode(e["trust"], d); err != nil {
		t.Error(err)
	} else if _, err := d.compile(); err != nil {
		t.Error(err)
	}
	for name, into := range map[string]any{"approval": new(Predicate), "vote": new(Vote), "snapshot": new(Snapshot), "trust-statement": new(trustPredicate)} {
		s, err := attest.ParseStatement(e[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := decode(s.Predicate, into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
