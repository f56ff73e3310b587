package registry

import (
	"errors"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/registry/ownership"
)

// TestExchangedKeys: a proof is good for one key, also after a restart; both are
// forgotten when they are of no use.
func TestExchangedKeys(t *testing.T) {
	h := newHouse(t)
	proof := &ownership.Proof{Principal: "dns:example.com", Namespaces: []string{"com.example"}, ID: "one", Expires: h.now.Add(time.Minute)}
	token, key, err := h.Exchange(t.Context(), "192.0.2.7:1", proof)
	h.must(err)
	if !key.Expires.Equal(h.now.Add(DefaultProofKeyLife)) {
		t.Errorf("%+v", key)
	}
	caller, err := identity.AuthenticateToken(t.Context(), h, token, h.now)
	h.must(err)
	if !caller.OwnsNamespace("com.example") || caller.OwnsNamespace("com.example.sub") || caller.HasRole(identity.RoleAdmin, identity.RoleReviewer) {
		t.Errorf("%+v", caller)
	}
	for range 2 {
		_, _, err = h.Exchange(t.Context(), "192.0.2.7:1", proof)
		wantRefusal(t, err, ErrForbidden, RefusedProof)
		h.reopen()
	}
	if records, err := audit.Search(t.Context(), h.auditPath, audit.Query{Text: "key_issued", Principal: "dns:example.com"}); err != nil || len(records) != 1 {
		t.Errorf("%d records, %v", len(records), err)
	}
	h.now = h.now.Add(DefaultProofKeyLife)
	if _, err := identity.AuthenticateToken(t.Context(), h, token, h.now); !errors.Is(err, identity.ErrExpired) {
		t.Errorf("%v", err)
	}
	h.now = h.now.Add(proofKeyKept + time.Second)
	_, second, err := h.Exchange(t.Context(), "", &ownership.Proof{Principal: "dns:other.example", Namespaces: []string{"example.other"}, ID: "two", Expires: h.now})
	h.must(err)
	keys, err := h.Keys(t.Context(), "default")
	if err != nil || len(keys) != 1 || keys[0].ID != second.ID {
		t.Errorf("%+v %v", keys, err)
	}
}
