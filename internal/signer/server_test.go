package signer

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// socket serves h; its folder is short, as Unix socket paths have to be.
func (h *house) socket() string {
	h.t.Helper()
	dir := must(os.MkdirTemp("", "signer"))(h.t)
	h.t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l := must(Listen(path, nil))(h.t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, h.Service, nil) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	return path
}

func TestOverTheSocket(t *testing.T) {
	h := newHouse(t)
	path := h.socket()
	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %o", info.Mode().Perm())
	}
	c := must(Dial(t.Context(), path))(t)
	if c.Registry() != registryID {
		t.Errorf("it speaks for %s", c.Registry())
	}
	p := h.voted(h.predicate("1.0.0"), h.alice, h.bob)
	remote := c.Signer(RoleApproval)
	_, _, err := approval.Sign(t.Context(), remote, p, subjects)
	wantReason(t, err, ReasonEvidence)
	bundle, digest, err := approval.Sign(t.Context(), remote.With([]byte(capture)), p, subjects)
	if err != nil {
		t.Fatal(err)
	}
	a, err := approval.Verify(bundle, h.Trust(), h.now)
	if err != nil || a.Digest != digest || a.KeyID != remote.KeyID() {
		t.Errorf("%v, %v", a, err)
	}
	if err := remote.Introduce(t.Context(), bundle); err != nil {
		t.Error(err)
	}
	wantReason(t, remote.Introduce(t.Context(), []byte("{}")), ReasonKey)
}

func TestOneSignerAtASocket(t *testing.T) {
	path := newHouse(t).socket()
	if _, err := Listen(path, nil); err == nil {
		t.Error("a second signer took the socket over")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file, nil); err == nil {
		t.Error("a file was taken for a socket left behind")
	}
	left := must(net.Listen("unix", path+"2"))(t)
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	l, err := Listen(path+"2", nil)
	if err != nil {
		t.Errorf("a socket left behind: %v", err)
	} else {
		l.Close()
	}
	if _, err := Dial(t.Context(), path+"3"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

// TestOtherUsersAreNotLetIn: the kernel says who connects.
func TestOtherUsersAreNotLetIn(t *testing.T) {
	if !knowsPeers {
		t.Skip("this system does not tell who connects")
	}
	path := filepath.Join(must(os.MkdirTemp("", "signer"))(t), "s")
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(path)) })
	l := must(net.Listen("unix", path))(t)
	h := newHouse(t)
	server := &http.Server{Handler: guard(h.handler(), []int{os.Getuid() + 1}), ConnContext: withPeer}
	go server.Serve(l) //nolint:errcheck // closed below
	t.Cleanup(func() { server.Close() })
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrUnreachable) {
		t.Errorf("another user was answered: %v", err)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	h := newHouse(t)
	for name, tc := range map[string]struct {
		method, path, body string
		want               int
	}{
		"no JSON":            {"POST", "/v1/sign/approval", "x", 422},
		"a member too many":  {"POST", "/v1/sign/approval", `{"statement":"e30=","force":true}`, 422},
		"a member twice":     {"POST", "/v1/sign/approval", `{"statement":"e30=","statement":"e30="}`, 422},
		"no base64":          {"POST", "/v1/sign/approval", `{"statement":"{}"}`, 422},
		"no role":            {"POST", "/v1/sign/everything", `{"statement":"e30="}`, 422},
		"an empty statement": {"POST", "/v1/sign/snapshot", `{}`, 422},
		"to read":            {"GET", "/v1/sign/approval", "", 405},
		"the keys":           {"GET", "/v1/keys", "", 200},
		"private ones":       {"GET", "/trust/approval.key", "", 404},
	} {
		w := httptest.NewRecorder()
		h.handler().ServeHTTP(w, httptest.NewRequest(tc.method, tc.path, bytes.NewReader([]byte(tc.body))))
		if w.Code != tc.want {
			t.Errorf("%s: %d, want %d", name, w.Code, tc.want)
		}
		if bytes.Contains(w.Body.Bytes(), []byte("PRIVATE")) {
			t.Errorf("%s: a private key in the answer", name)
		}
	}
}

func FuzzSign(f *testing.F) {
	f.Add("approval", []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"00"}}],"predicateType":"`+attest.PredicateApproval+`","predicate":{}}`), []byte(capture))
	f.Add("snapshot", []byte(`{}`), []byte(`{}`))
	h := newHouse(f)
	h.Audit = nil // a record on disk each time would be all that is measured
	f.Fuzz(func(t *testing.T, role string, statement, evidence []byte) {
		if bundle, err := h.Sign(t.Context(), Role(role), statement, [][]byte{evidence}); err == nil && Role(role) != RoleSBOM {
			t.Errorf("signed: %s", bundle)
		}
	})
}
