package scanners

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// TestReloadKeepsWhatWasLetIn attacks a running process with every kind of
// module that is not to be let in. The generation before stays, with a record.
func TestReloadKeepsWhatWasLetIn(t *testing.T) {
	h := open(t)
	stranger := newKey(t, filepath.Join(t.TempDir(), "mallory.key"))
	h.release(t, "2.0.0", clean)
	if err := h.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	generation := h.Loaded.Live.Generation()
	trust := h.config.Trust[0]
	bundle := h.path + release.BundleSuffix
	for _, c := range []struct {
		want   release.Reason
		attack func()
	}{
		{release.Unsigned, func() { h.must(t, os.Remove(bundle)) }},
		{release.Malformed, func() { h.must(t, os.WriteFile(bundle, []byte("{}"), 0o600)) }},
		{release.Signature, func() { sign(t, h.path, stranger) }},
		{release.Tampered, func() { write(t, h.path, "ticket", "2.0.1", `(nop) `+clean) }},
		{release.Swapped, func() {
			write(t, h.path, "other", "3.0.0", clean)
			sign(t, h.path, h.key)
			write(t, h.path, "ticket", "3.0.0", clean)
		}},
		{release.Unknown, func() { write(t, h.path, "other", "3.0.0", clean); sign(t, h.path, h.key) }},
		{release.Rollback, func() { h.release(t, "1.9.9", clean) }},
		{release.Replaced, func() { h.release(t, "2.0.0", `(nop) `+clean) }},
		{release.Pinned, func() { h.release(t, "3.0.0", clean); h.config.Trust[0].Digest = "sha256:" + strings.Repeat("0", 64) }},
		{release.Rollback, func() { h.release(t, "3.0.0", clean); h.config.Trust[0].MinVersion = "3.0.1" }},
	} {
		h.release(t, "2.0.1", clean)
		h.config.Trust[0] = trust
		c.attack()
		before := len(h.records(t, "scanners_kept"))
		err := h.Reload(t.Context())
		if got := release.ReasonOf(err); got != c.want || !errors.Is(err, ErrLoad) {
			t.Errorf("%s: %q: %v", c.want, got, err)
		}
		if h.Loaded.Live.Generation() != generation || h.ticket().Scanner.Version != "2.0.0" {
			t.Fatalf("%s: what was in force is not", c.want)
		}
		if found := h.records(t, "scanners_kept"); len(found) != before+1 || len(h.records(t, `"status_code":"`+string(c.want)+`"`)) == 0 {
			t.Errorf("%s is not on record", c.want)
		}
	}
	h.config.Trust[0] = trust
	h.release(t, "2.0.1", clean)
	if err := h.Reload(t.Context()); err != nil || h.ticket().Signer != "key "+h.key.KeyID() {
		t.Errorf("%v, signed by %q", err, h.ticket().Signer)
	}
}

func (h *house) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRestartRemembers holds that an older release is refused by the next
// process too, unless the operator says so in a setting called unsafe, and that
// nothing which was not in force is remembered.
func TestRestartRemembers(t *testing.T) {
	h := open(t)
	h.release(t, "5.0.0", traps) // fails its self-test: never in force
	if err := h.Reload(t.Context()); err == nil {
		t.Fatal("a broken scanner is in force")
	}
	h.release(t, "2.0.0", clean)
	h.must(t, h.Reload(t.Context()))
	next := func() error {
		ledger, err := release.OpenLedger(filepath.Join(filepath.Dir(h.path), LedgerFile))
		h.must(t, err)
		loaded, err := start(t.Context(), "", h.config, embedded(t), Remembering(ledger))
		if err == nil {
			h.must(t, loaded.Close(t.Context()))
		}
		return err
	}
	h.must(t, next())
	h.release(t, "1.0.0", clean)
	if err := next(); release.ReasonOf(err) != release.Rollback {
		t.Errorf("after a restart: %v", err)
	}
	h.config.Trust[0].UnsafeRollback = true
	h.must(t, next())
	if used := h.config.Unsafe(); len(used) != 1 || used[0] != "scanners.trust.ticket.unsafeRollback" {
		t.Errorf("unsafe: %q", used)
	}
	h.config.Trust[0].UnsafeRollback = false
	if err := next(); release.ReasonOf(err) != release.Rollback {
		t.Errorf("having gone back once opens the way for good: %v", err)
	}
}

// TestMemoryThatCannotBeWritten keeps what was in force: else a restart would
// let the release before in again.
func TestMemoryThatCannotBeWritten(t *testing.T) {
	h := open(t)
	generation := h.Loaded.Live.Generation()
	path := filepath.Join(filepath.Dir(h.path), LedgerFile)
	h.must(t, os.Remove(path))
	h.must(t, os.MkdirAll(filepath.Join(path, "occupied"), 0o700))
	h.release(t, "2.0.0", clean)
	if err := h.Reload(t.Context()); !errors.Is(err, release.ErrLedger) || h.Loaded.Live.Generation() != generation {
		t.Errorf("%v", err)
	}
	if len(h.records(t, `"status_code":"memory"`)) != 1 {
		t.Error("not on record")
	}
}

// TestUnsigned holds what nobody signed out, however it is run, until the
// operator says unsafe.
func TestUnsigned(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ticket.wasm")
	write(t, path, "ticket", "1.0.0", clean)
	for _, mode := range []string{config.Enforce, config.UnsafeMonitor} {
		c := config.Scanners{Mode: mode, Extra: []string{path}}
		if _, err := configure(c, embedded(t), Gate{}); release.ReasonOf(err) != release.Unknown {
			t.Errorf("%s: %v", mode, err)
		}
		c.Trust = []config.Trust{{Scanner: "ticket", UnsafeUnsigned: true}}
		bound, err := configure(c, embedded(t), Gate{})
		if err != nil || bound[1].Signer != "nobody" || bound[0].Signer != BuiltIn {
			t.Errorf("%s: %v %+v", mode, err, bound)
		}
	}
	for name, c := range map[string]config.Scanners{
		"trust in one of this binary": {Extra: []string{path}, Trust: []config.Trust{{Scanner: "ticket", UnsafeUnsigned: true}, {Scanner: "injection", UnsafeUnsigned: true}}},
		"trust in nobody":             {Trust: []config.Trust{{Scanner: "ticket", UnsafeUnsigned: true}}},
		"a key that is not there":     {Extra: []string{path}, Trust: []config.Trust{{Scanner: "ticket", Keys: []string{filepath.Join(dir, "none.pub")}}}},
		"a root that is not there":    {Extra: []string{path}, Trust: []config.Trust{{Scanner: "ticket", Identities: []attest.Identity{{Issuer: "https://i.example", SANRegex: "x"}}}}},
	} {
		if _, err := configure(c, embedded(t), Gate{}); !errors.Is(err, ErrLoad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIdentityPolicy lets a certificate's owner sign for the names only that
// the operator gave him.
func TestIdentityPolicy(t *testing.T) {
	dir := t.TempDir()
	path, root := filepath.Join(dir, "ticket.wasm"), filepath.Join(dir, "trusted_root.json")
	write(t, path, "ticket", "1.0.0", clean)
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := release.Statement(release.Module{Name: "ticket", Version: "1.0.0", Digest: engine.Digest(wasm)})
	if err != nil {
		t.Fatal(err)
	}
	authority := attesttest.New(t)
	bundle := filepath.Join(dir, "elsewhere.json")
	for file, body := range map[string][]byte{root: authority.TrustedRoot(t), bundle: authority.Statement(t, "ci@acme.example", "https://issuer.example", statement)} {
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for san, want := range map[string]release.Reason{`ci@acme\.example`: "", `ci@evil\.example`: release.Identity} {
		c := config.Scanners{Mode: config.Enforce, Extra: []string{path}, TrustedRoot: root, Trust: []config.Trust{{
			Scanner: "ticket", Bundle: bundle, Identities: []attest.Identity{{Issuer: "https://issuer.example", SANRegex: san}},
		}}}
		bound, err := configure(c, embedded(t), Gate{})
		if release.ReasonOf(err) != want {
			t.Errorf("%s: %v", san, err)
		}
		if err == nil && bound[1].Signer != "ci@acme.example (https://issuer.example)" {
			t.Errorf("signed by %s", bound[1].Signer)
		}
	}
}

// TestLoadForTraffic holds that a start which a module prevents is on record.
func TestLoadForTraffic(t *testing.T) {
	h := open(t)
	c := config.Config{Data: t.TempDir(), Scanners: h.config}
	h.must(t, os.Remove(h.path+release.BundleSuffix))
	if _, err := LoadForTraffic(t.Context(), "", c, h.Origin, h.Audit); release.ReasonOf(err) != release.Unsigned && !errors.Is(err, ErrLoad) {
		t.Fatal(err)
	} else if release.ReasonOf(err) == release.Unsigned && len(h.records(t, "scanners_refused")) != 1 {
		t.Error("not on record")
	}
	h.must(t, os.WriteFile(filepath.Join(c.Data, LedgerFile), []byte("{"), 0o600))
	if _, err := LoadForTraffic(t.Context(), "", c, h.Origin, h.Audit); !errors.Is(err, release.ErrLedger) {
		t.Errorf("a damaged memory is forgotten: %v", err)
	}
}
