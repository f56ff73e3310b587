package release_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func newKey(t testing.TB) *attest.Key {
	t.Helper()
	k, err := attest.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, k *attest.Key, m release.Module) []byte {
	t.Helper()
	b, err := release.Sign(t.Context(), k, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signRaw signs a statement that release would not write.
func signRaw(t testing.TB, k *attest.Key, predicateType, predicate string, subjects ...attest.Subject) []byte {
	t.Helper()
	s := attest.Statement{Subjects: subjects, PredicateType: predicateType, Predicate: []byte(predicate)}
	body, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Sign(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// relabel replaces the statement and keeps the signature, as one does who has
// no key.
func relabel(t *testing.T, bundle []byte, old, new string) []byte {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(bundle, &o); err != nil {
		t.Fatal(err)
	}
	envelope := o["dsseEnvelope"].(map[string]any)
	payload, err := base64.StdEncoding.DecodeString(envelope["payload"].(string))
	if err != nil || !bytes.Contains(payload, []byte(old)) {
		t.Fatalf("%v in %s", err, payload)
	}
	envelope["payload"] = base64.StdEncoding.EncodeToString(bytes.ReplaceAll(payload, []byte(old), []byte(new)))
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAdmit attacks a policy in every way on the closed list of reasons.
func TestAdmit(t *testing.T) {
	author, stranger := newKey(t), newKey(t)
	good := release.Module{Name: "ticket", Version: "1.2.0", Digest: digest("a")}
	with := func(change func(*release.Module)) release.Module { m := good; change(&m); return m }
	older := with(func(m *release.Module) { m.Version, m.Digest = "1.1.9", digest("b") })
	other := with(func(m *release.Module) { m.Name, m.Digest = "other", digest("c") })
	policy := release.Policy{Scanner: "ticket", Signers: attest.Policy{Keys: []*attest.PublicKey{author.Public()}}}
	but := func(change func(*release.Policy)) release.Policy { p := policy; change(&p); return p }
	subject := attest.Subject{Name: "ticket", Digest: map[string]string{"sha256": strings.Repeat("a", 64)}}
	said := `{"name":"ticket","version":"1.2.0"}`

	for _, c := range []struct {
		name   string
		policy release.Policy
		module release.Module
		bundle []byte
		before *release.Module
		want   release.Reason
	}{
		{"signed", policy, good, sign(t, author, good), nil, ""},
		{"the same again", policy, good, sign(t, author, good), &good, ""},
		{"newer", policy, good, sign(t, author, good), &older, ""},
		{"a release after its candidate", policy, good, sign(t, author, good), &release.Module{Name: "ticket", Version: "1.2.0-rc.1", Digest: digest("d")}, ""},
		{"pinned, and it is", but(func(p *release.Policy) { p.Digest = good.Digest }), good, sign(t, author, good), nil, ""},

		{"nobody is trusted", release.Policy{Scanner: "ticket"}, good, sign(t, author, good), nil, release.Unknown},
		{"no bundle", policy, good, nil, nil, release.Unsigned},
		{"a bundle that is none", policy, good, []byte("{}"), nil, release.Malformed},
		{"a bundle beyond the bound", policy, good, bytes.Repeat([]byte(" "), release.MaxBundle+1), nil, release.Malformed},
		{"a statement about something else", policy, good, signRaw(t, author, attest.PredicateSBOM, said, subject), nil, release.Malformed},
		{"an unknown restriction", policy, good, signRaw(t, author, attest.PredicateScanner, `{"name":"ticket","version":"1.2.0","only":"tuesdays"}`, subject), nil, release.Malformed},
		{"two subjects", policy, good, signRaw(t, author, attest.PredicateScanner, said, subject, subject), nil, release.Malformed},
		{"no name", policy, good, signRaw(t, author, attest.PredicateScanner, `{"version":"1.2.0"}`, subject), nil, release.Malformed},
		{"by a stranger", policy, good, sign(t, stranger, good), nil, release.Signature},
		{"relabelled without the key", policy, good, relabel(t, sign(t, author, older), "1.1.9", "1.2.0"), nil, release.Signature},
		{"other bytes", policy, with(func(m *release.Module) { m.Digest = digest("e") }), sign(t, author, good), nil, release.Tampered},
		{"another scanner of the same author", policy, other, sign(t, author, other), nil, release.Swapped},
		{"another scanner's bundle", policy, good, sign(t, author, other), nil, release.Swapped},
		{"signed as another version", policy, with(func(m *release.Module) { m.Version = "9.0.0" }), sign(t, author, good), nil, release.Swapped},
		{"signed as another name", policy, good, signRaw(t, author, attest.PredicateScanner, `{"name":"other","version":"1.2.0"}`, subject), nil, release.Swapped},
		{"another than the pinned", but(func(p *release.Policy) { p.Digest = digest("f") }), good, sign(t, author, good), nil, release.Pinned},
		{"below the least version", but(func(p *release.Policy) { p.MinVersion = "1.10.0" }), good, sign(t, author, good), nil, release.Rollback},
		{"older than before", policy, older, sign(t, author, older), &good, release.Rollback},
		{"a candidate after its release", policy, with(func(m *release.Module) { m.Version = "1.2.0-rc.1" }), sign(t, author, with(func(m *release.Module) { m.Version = "1.2.0-rc.1" })), &good, release.Rollback},
		{"the version before with other bytes", policy, with(func(m *release.Module) { m.Digest = digest("e") }), sign(t, author, with(func(m *release.Module) { m.Digest = digest("e") })), &good, release.Replaced},
		{"build metadata is no newer version", policy, with(func(m *release.Module) { m.Version, m.Digest = "1.2.0+2", digest("e") }), sign(t, author, with(func(m *release.Module) { m.Version, m.Digest = "1.2.0+2", digest("e") })), &good, release.Replaced},
		{"a version without an order", policy, with(func(m *release.Module) { m.Version = "01.2.0" }), nil, nil, release.Malformed},

		{"unsigned on purpose", but(func(p *release.Policy) { p.UnsafeUnsigned = true }), good, nil, nil, ""},
		{"unsigned, and another", but(func(p *release.Policy) { p.UnsafeUnsigned = true }), other, nil, nil, release.Swapped},
		{"unsigned, and not the pinned", but(func(p *release.Policy) { p.UnsafeUnsigned, p.Digest = true, digest("f") }), good, nil, nil, release.Pinned},
		{"unsigned, and older", but(func(p *release.Policy) { p.UnsafeUnsigned = true }), older, nil, &good, release.Rollback},
		{"older on purpose", but(func(p *release.Policy) { p.UnsafeRollback = true }), older, sign(t, author, older), &good, ""},
		{"older on purpose, below the least", but(func(p *release.Policy) { p.UnsafeRollback, p.MinVersion = true, "1.2.0" }), older, sign(t, author, older), &good, release.Rollback},
		{"older on purpose, by a stranger", but(func(p *release.Policy) { p.UnsafeRollback = true }), older, sign(t, stranger, older), &good, release.Signature},
	} {
		signer, err := c.policy.Admit(c.module, c.bundle, c.before)
		if got := release.ReasonOf(err); got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %q (%v), want %q", c.name, got, err, c.want)
		}
		if err != nil && signer != (release.Signer{}) {
			t.Errorf("%s: refused, and signed by %v", c.name, signer)
		}
		if err == nil && !c.policy.UnsafeUnsigned && signer.KeyID != author.KeyID() {
			t.Errorf("%s: signed by %v", c.name, signer)
		}
	}
}

// TestIdentities holds that a certificate counts for the names only that the
// policy gives it.
func TestIdentities(t *testing.T) {
	ca := attesttest.New(t)
	m := release.Module{Name: "ticket", Version: "1.2.0", Digest: digest("a")}
	statement, err := release.Statement(m)
	if err != nil {
		t.Fatal(err)
	}
	const issuer, san = "https://issuer.example", "release@acme.example"
	bundle := ca.Statement(t, san, issuer, statement)
	root, err := attest.ParseTrustedRoot(ca.TrustedRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	admit := func(id attest.Identity) (release.Signer, error) {
		return release.Policy{Scanner: "ticket", Signers: attest.Policy{Root: root, Identities: []attest.Identity{id}}}.Admit(m, bundle, nil)
	}
	signer, err := admit(attest.Identity{Issuer: issuer, SANRegex: `release@acme\.example`})
	if err != nil || signer.SAN != san || signer.Issuer != issuer || !strings.Contains(signer.String(), san) {
		t.Errorf("%v %v", signer, err)
	}
	for _, wrong := range []attest.Identity{
		{Issuer: issuer, SANRegex: `someone@acme\.example`}, {Issuer: "https://other.example", SANRegex: `release@acme\.example`}, {Issuer: issuer, SANRegex: `release`},
	} {
		if _, err := admit(wrong); release.ReasonOf(err) != release.Identity {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	policy := release.Policy{Scanner: "ticket", Signers: attest.Policy{Keys: []*attest.PublicKey{newKey(t).Public()}}}
	if _, err := policy.Admit(m, bundle, nil); release.ReasonOf(err) != release.Signature {
		t.Errorf("a certificate where keys are demanded: %v", err)
	}
}

func TestStatementRefuses(t *testing.T) {
	for _, m := range []release.Module{
		{Version: "1.0.0", Digest: digest("a")}, {Name: "x", Version: "1.0", Digest: digest("a")}, {Name: "x", Version: "v1.0.0", Digest: digest("a")},
		{Name: "x", Version: "1.0.0", Digest: strings.Repeat("a", 64)}, {Name: "x", Version: "1.0.0", Digest: digest("A")},
	} {
		if _, err := release.Statement(m); err == nil {
			t.Errorf("%+v has a statement", m)
		}
	}
}

// TestLedger holds that the memory outlives the process, only grows, and is
// never silently lost.
func TestLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scanners.json")
	open := func() *release.Ledger {
		t.Helper()
		l, err := release.OpenLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	newer := release.Module{Name: "ticket", Version: "1.10.0", Digest: digest("a")}
	l := open()
	if l.Before("ticket") != nil {
		t.Error("a new memory remembers")
	}
	if err := l.Record([]release.Module{newer, {Name: "x", Version: "0.1.0", Digest: digest("c")}}); err != nil {
		t.Fatal(err)
	}
	l = open()
	if err := l.Record([]release.Module{{Name: "ticket", Version: "1.9.0", Digest: digest("b")}, {Name: "ticket", Version: "1.10.0", Digest: digest("b")}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&newer, open().Before("ticket")); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Dir(path), 0o700)
	if os.Getuid() != 0 {
		if err := l.Record([]release.Module{{Name: "y", Version: "1.0.0", Digest: digest("d")}}); err == nil || l.Before("y") != nil {
			t.Errorf("remembered what was not written: %v", err)
		}
	}
	for _, damaged := range []string{"", "{}", "[]", `{"version":2,"scanners":{}}`, `{"version":1,"scanners":{"x":{"version":"1","digest":"` + digest("a") + `"}}}`, `{"version":1,"scanners":{},"more":1}`, `{"version":1,"scanners":{}}x`} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := release.OpenLedger(path); err == nil {
			t.Errorf("%q is taken for a memory", damaged)
		}
	}
}

func FuzzAdmit(f *testing.F) {
	k := newKey(f)
	m := release.Module{Name: "ticket", Version: "1.2.0", Digest: digest("a")}
	statement, err := release.Statement(m)
	if err != nil {
		f.Fatal(err)
	}
	good, err := k.Sign(f.Context(), statement)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}"))
	stranger := newKey(f)
	policy := release.Policy{Scanner: "ticket", Signers: attest.Policy{Keys: []*attest.PublicKey{stranger.Public()}}}
	f.Fuzz(func(t *testing.T, bundle []byte) {
		if _, err := policy.Admit(m, bundle, nil); release.ReasonOf(err) == "" {
			t.Errorf("let in without the key, or for no reason: %v", err)
		}
	})
}

func FuzzOpenLedger(f *testing.F) {
	f.Add([]byte(`{"version":1,"scanners":{"x":{"version":"1.0.0","digest":"` + digest("a") + `"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(t.TempDir(), "l")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := release.OpenLedger(path)
		if err == nil && l.Before("x") != nil && !release.ValidVersion(l.Before("x").Version) {
			t.Error("a version without an order")
		}
	})
}
