package signer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// TestTrustOfAnotherMakingIsRefused: who can write trust.json cannot name
// reviewers of his own.
func TestTrustOfAnotherMakingIsRefused(t *testing.T) {
	h := newHouse(t)
	mine := h.Trust()
	mallory := must(attest.GenerateKey())(t)
	own := approval.NewTrust(registryID, []*attest.PublicKey{mallory.Public()}, []*attest.PublicKey{must(attest.GenerateKey())(t).Public()},
		[]*attest.PublicKey{must(attest.GenerateKey())(t).Public()}, start.AddDate(1, 0, 0))
	own.Version = mine.Version + 1
	h.install(own, mallory)
	_, err := h.Sign(t.Context(), RoleSnapshot, h.snapshotOf(1), nil)
	wantReason(t, err, ReasonTrust)
	if _, err := Open(h.Config); err == nil {
		t.Error("a start believed it")
	}
}

// TestRotation: the next document, signed by the key that was, brings in another
// key, and no way leads back.
func TestRotation(t *testing.T) {
	h := newHouse(t)
	h.approve("1.0.0")
	old, fresh := h.key(approval.ApprovalKeyFile), must(attest.GenerateKey())(t)
	next := h.Trust().Next()
	next.ApprovalKeys = []approval.Key{approval.NewKey(fresh.Public())}
	if err := os.Remove(filepath.Join(h.dir, "trust", approval.ApprovalKeyFile)); err != nil {
		t.Fatal(err)
	}
	if err := fresh.Save(filepath.Join(h.dir, "trust", approval.ApprovalKeyFile)); err != nil {
		t.Fatal(err)
	}
	h.install(next, old, fresh)
	after := h.approve("1.1.0")
	if h.Keys()[RoleApproval].ID() != fresh.KeyID() {
		t.Error("the old key still signs")
	}
	if _, err := h.Sign(t.Context(), RoleSnapshot, h.snapshotOf(1, after), nil); err != nil {
		t.Error(err)
	}
	h.open()
	if h.Trust().Version != next.Version {
		t.Errorf("version %d after a restart", h.Trust().Version)
	}

	previous := *h.Trust()
	previous.Version--
	h.install(&previous, fresh)
	_, err := h.Sign(t.Context(), RoleSnapshot, h.snapshotOf(2, after), nil)
	wantReason(t, err, ReasonTrust)
}

// TestAKeyThatTrustDoesNotName: a key file swapped without the document.
func TestAKeyThatTrustDoesNotName(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(h.dir, "trust", approval.ApprovalKeyFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := must(attest.GenerateKey())(t).Save(path); err != nil {
		t.Fatal(err)
	}
	h.open()
	p := h.voted(h.predicate("1.0.0"), h.alice, h.bob)
	_, err := h.Sign(t.Context(), RoleApproval, h.approvalOf(p), [][]byte{[]byte(capture)})
	wantReason(t, err, ReasonKey)
}

// TestIntroduce: an approval from before the signer had the key is taken in when
// it verifies, and only then.
func TestIntroduce(t *testing.T) {
	h := newHouse(t)
	p := h.voted(h.predicate("1.0.0"), h.alice, h.bob)
	bundle, digest, err := approval.Sign(t.Context(), h.key(approval.ApprovalKeyFile), p, subjects)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Sign(t.Context(), RoleSnapshot, h.snapshotOf(1, digest), nil)
	wantReason(t, err, ReasonUnknown)
	for range 2 {
		if err := h.Introduce(t.Context(), bundle); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Sign(t.Context(), RoleSnapshot, h.snapshotOf(1, digest), nil); err != nil {
		t.Error(err)
	}
	forged, _, err := approval.Sign(t.Context(), must(attest.GenerateKey())(t), h.voted(h.predicate("2.0.0"), h.alice, h.bob), subjects)
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, h.Introduce(t.Context(), forged), ReasonKey)
}
