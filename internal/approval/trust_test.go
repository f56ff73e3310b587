package approval_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

func TestInitTrust(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust")
	first, err := approval.InitTrust(t.Context(), dir, registryID, start)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{approval.TrustFile, approval.ApprovalKeyFile, approval.SnapshotKeyFile, approval.LogKeyFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("directory mode = %v, want 0700", info.Mode())
	}
	before := must[[]byte](t)(os.ReadFile(filepath.Join(dir, approval.TrustFile)))
	second, err := approval.InitTrust(t.Context(), dir, registryID, start.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	after := must[[]byte](t)(os.ReadFile(filepath.Join(dir, approval.TrustFile)))
	if !bytes.Equal(before, after) || first.ApprovalKeys[0].ID != second.ApprovalKeys[0].ID {
		t.Error("a second call changed something")
	}
	_, err = approval.InitTrust(t.Context(), dir, "other.example", start)
	wantErr(t, "directory of another registry", err, approval.ErrTrust, approval.ErrRegistry)

	k, err := attest.LoadKey(filepath.Join(dir, approval.ApprovalKeyFile))
	if err != nil || k.KeyID() != first.ApprovalKeys[0].ID {
		t.Errorf("approval key on disk %v, %v is not the trusted one", k, err)
	}
}

// Cut short after any file, the next call finishes with the keys that exist.
func TestInitTrustFinishesWhatWasCutShort(t *testing.T) {
	dir := t.TempDir()
	k := newKey(t)
	if err := k.Save(filepath.Join(dir, approval.ApprovalKeyFile)); err != nil {
		t.Fatal(err)
	}
	d, err := approval.InitTrust(t.Context(), dir, registryID, start)
	if err != nil || d.ApprovalKeys[0].ID != k.KeyID() {
		t.Fatalf("InitTrust = %+v, %v", d, err)
	}
	if err := os.WriteFile(filepath.Join(dir, approval.TrustFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = approval.InitTrust(t.Context(), dir, registryID, start)
	wantErr(t, "damaged trust.json is not replaced", err, approval.ErrTrust)
}

func TestTrustRoundTrips(t *testing.T) {
	h := newHouse(t)
	again := must[*approval.Trust](t)(approval.ParseTrust(h.file))
	// Next drops what was compiled, and both are version 2.
	if d := cmp.Diff(h.trust.Next(), again.Next(), cmp.AllowUnexported(approval.Trust{})); d != "" {
		t.Error(d)
	}
}

func TestTrustRefuses(t *testing.T) {
	h := newHouse(t)
	alice := approval.NewKey(h.alice.Public())
	snap, extra := approval.NewKey(h.snapshot.Public()), approval.NewKey(newKey(t).Public())
	id := &attest.Identity{Issuer: "https://i.example", SANRegex: "x"}
	if _, err := approval.ParseTrust(signUnchecked(t, h.trust.Next(), h.approval)); err != nil {
		t.Fatalf("the untouched document: %v", err)
	}
	for name, f := range map[string]func(*approval.Trust){
		"snapshot key approves":       func(d *approval.Trust) { d.ApprovalKeys = append(d.ApprovalKeys, snap) },
		"snapshot key logs":           func(d *approval.Trust) { d.LogKeys = []approval.Key{snap} },
		"approval key votes":          func(d *approval.Trust) { k := d.ApprovalKeys[0]; d.Voters[0].Key = &k },
		"one key, two voters":         func(d *approval.Trust) { d.Voters[1].Key = &alice },
		"one key twice in one role":   func(d *approval.Trust) { d.ApprovalKeys = append(d.ApprovalKeys, d.ApprovalKeys[0]) },
		"one name, two voters":        func(d *approval.Trust) { d.Voters[1].Name = "alice" },
		"voter without key":           func(d *approval.Trust) { d.Voters[0].Key = nil },
		"voter with key and identity": func(d *approval.Trust) { d.Voters[0].Identity = id },
		"identity without root":       func(d *approval.Trust) { d.Voters[0].Key, d.Voters[0].Identity = nil, id },
		"identity without issuer":     func(d *approval.Trust) { d.Voters[0].Key, d.Voters[0].Identity = nil, &attest.Identity{SANRegex: "x"} },
		"broken root":                 func(d *approval.Trust) { d.TrustedRoot = []byte(`{"mediaType":"x"}`) },
		"id of another key":           func(d *approval.Trust) { d.LogKeys[0].ID = extra.ID },
		"broken key":                  func(d *approval.Trust) { d.LogKeys[0].PEM = "x" },
		"no approval keys":            func(d *approval.Trust) { d.ApprovalKeys = nil },
		"no snapshot keys":            func(d *approval.Trust) { d.SnapshotKeys = nil },
		"threshold of none":           func(d *approval.Trust) { d.Threshold = 0 },
		"threshold above the keys":    func(d *approval.Trust) { d.Threshold = 2 },
		"no version":                  func(d *approval.Trust) { d.Version = 0 },
		"no registry":                 func(d *approval.Trust) { d.Registry = "" },
		"no expiry":                   func(d *approval.Trust) { d.Expires = time.Time{} },
		"no tiers":                    func(d *approval.Trust) { d.Tiers = nil },
		"tier without votes":          func(d *approval.Trust) { d.Tiers["low"] = approval.Tier{SessionVotes: true} },
		"tier with more groups":       func(d *approval.Trust) { d.Tiers["low"] = approval.Tier{Votes: 1, Groups: 2} },
	} {
		d := h.trust.Next()
		f(d)
		if _, err := d.Sign(t.Context(), h.approval); !errors.Is(err, approval.ErrTrust) {
			t.Errorf("Sign, %s: err = %v, want ErrTrust", name, err)
		}
		// The same document, signed by a tool that does not check.
		if _, err := approval.ParseTrust(signUnchecked(t, d, h.approval)); !errors.Is(err, approval.ErrTrust) {
			t.Errorf("ParseTrust, %s: err = %v, want ErrTrust", name, err)
		}
	}
}

// signUnchecked signs whatever d says, truthfully.
func signUnchecked(t *testing.T, d *approval.Trust, k *attest.Key) []byte {
	t.Helper()
	raw := must[[]byte](t)(json.Marshal(d, json.Deterministic(true)))
	digest := sha256.Sum256(must[[]byte](t)(fingerprint.Canonical(raw)))
	stmt := must[[]byte](t)((&attest.Statement{
		Subjects:      []attest.Subject{{Name: "trust.json", Digest: map[string]string{"sha256": hex.EncodeToString(digest[:])}}},
		PredicateType: attest.PredicateTrust, Predicate: []byte(`{}`),
	}).Marshal())
	sig := jsontext.Value(must[[]byte](t)(k.Sign(t.Context(), stmt)))
	return must[[]byte](t)(json.Marshal(map[string]any{"trust": jsontext.Value(raw), "signatures": []jsontext.Value{sig}}))
}

func TestTrustFileRefuses(t *testing.T) {
	h := newHouse(t)
	edit := func(f func(file map[string]any, trust map[string]any)) []byte {
		var o map[string]any
		if err := json.Unmarshal(h.file, &o); err != nil {
			t.Fatal(err)
		}
		f(o, o["trust"].(map[string]any))
		return must[[]byte](t)(json.Marshal(o))
	}
	for name, in := range map[string][]byte{
		"empty":     nil,
		"truncated": h.file[:len(h.file)-20],
		"trailing":  append(bytes.Clone(h.file), '1'),
		"lower threshold": edit(func(_, d map[string]any) {
			d["tiers"].(map[string]any)["high"] = map[string]any{"votes": 1, "sessionVotes": true}
		}),
		"voter removed":              edit(func(_, d map[string]any) { d["voters"] = d["voters"].([]any)[:1] }),
		"expiry moved":               edit(func(_, d map[string]any) { d["expires"] = "2099-01-01T00:00:00Z" }),
		"no signature":               edit(func(o, _ map[string]any) { o["signatures"] = []any{} }),
		"unknown member":             edit(func(_, d map[string]any) { d["onlyFor"] = "x" }),
		"duplicate member":           bytes.Replace(h.file, []byte(`"version"`), []byte(`"threshold": 1, "version"`), 1),
		"case variant":               bytes.Replace(h.file, []byte(`"version"`), []byte(`"Version"`), 1),
		"signed by a voter":          must[[]byte](t)(h.trust.Sign(t.Context(), h.alice)),
		"signed by the snapshot key": must[[]byte](t)(h.trust.Sign(t.Context(), h.snapshot)),
		"thousand signatures": edit(func(o, _ map[string]any) {
			l := make([]any, 1000)
			for i := range l {
				l[i] = o["signatures"].([]any)[0]
			}
			o["signatures"] = l
		}),
		"huge": make([]byte, approval.MaxTrust+1),
	} {
		if _, err := approval.ParseTrust(in); !errors.Is(err, approval.ErrTrust) {
			t.Errorf("%s: err = %v, want ErrTrust", name, err)
		}
	}
	reformatted := edit(func(map[string]any, map[string]any) {})
	if _, err := approval.ParseTrust(reformatted); err != nil {
		t.Errorf("the same document in another layout: %v", err)
	}
	_, err := approval.LoadTrust(filepath.Join(t.TempDir(), "none"))
	wantErr(t, "missing file", err, approval.ErrTrust, os.ErrNotExist)
}

func TestVerifyNext(t *testing.T) {
	h := newHouse(t)
	fresh, third := newKey(t), newKey(t)
	rotate := func(f func(*approval.Trust), signers ...attest.Signer) []byte {
		d := h.trust.Next()
		f(d)
		return must[[]byte](t)(d.Sign(t.Context(), signers...))
	}
	newKeys := func(d *approval.Trust) { d.ApprovalKeys = []approval.Key{approval.NewKey(fresh.Public())} }
	same := func(*approval.Trust) {}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"same keys":                  {rotate(same, h.approval), nil},
		"new keys, both sign":        {rotate(newKeys, h.approval, fresh), nil},
		"new keys, order of signing": {rotate(newKeys, fresh, h.approval), nil},
		"not signed by the old key":  {rotate(newKeys, fresh), approval.ErrTrust},
		"not signed by the new key":  {rotate(newKeys, h.approval), approval.ErrTrust},
		"old key signs twice for a threshold of two": {rotate(func(d *approval.Trust) {
			d.ApprovalKeys = append(d.ApprovalKeys, approval.NewKey(third.Public()))
			d.Threshold = 2
		}, h.approval, h.approval), approval.ErrTrust},
		"threshold of two met": {rotate(func(d *approval.Trust) {
			d.ApprovalKeys = append(d.ApprovalKeys, approval.NewKey(third.Public()))
			d.Threshold = 2
		}, h.approval, third), nil},
		"same version":     {h.file, approval.ErrTrustRollback},
		"lower version":    {rotate(func(d *approval.Trust) { d.Version = 1 }, h.approval), approval.ErrTrustRollback},
		"skipped version":  {rotate(func(d *approval.Trust) { d.Version = 3 }, h.approval), approval.ErrTrustGap},
		"another registry": {rotate(func(d *approval.Trust) { d.Registry = "evil.example" }, h.approval), approval.ErrRegistry},
		"strangers":        {newHouse(t).file, approval.ErrTrustRollback},
		"role swap": {rotate(func(d *approval.Trust) {
			d.ApprovalKeys, d.SnapshotKeys = d.SnapshotKeys, d.ApprovalKeys
		}, h.snapshot), approval.ErrTrust},
	} {
		if _, err := h.trust.VerifyNext(c.file); !errors.Is(err, c.want) {
			t.Errorf("%s: err = %v, want %v", name, err, c.want)
		}
	}
	half := rotate(newKeys, h.approval)
	whole := must[[]byte](t)(approval.AddTrustSignatures(t.Context(), half, fresh))
	if _, err := h.trust.VerifyNext(whole); err != nil {
		t.Errorf("signed one after the other: %v", err)
	}
}

func FuzzParseTrust(f *testing.F) {
	h := newHouse(f)
	f.Add(h.file)
	f.Add([]byte(`{"trust":{},"signatures":[]}`))
	want := must[[]byte](f)(json.Marshal(h.trust, json.Deterministic(true)))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := approval.ParseTrust(b)
		if err != nil {
			return
		}
		if got := must[[]byte](t)(json.Marshal(d, json.Deterministic(true))); d.ApprovalKeys[0].ID == h.trust.ApprovalKeys[0].ID && !bytes.Equal(got, want) {
			t.Errorf("accepted a document that was never signed: %s", got)
		}
	})
}
