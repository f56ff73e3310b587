package signer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Wire formats, JSON over HTTP/1.1 on a Unix socket.
type (
	request struct {
		Statement []byte   `json:"statement"` // base64
		Evidence  [][]byte `json:"evidence,omitempty"`
	}
	introduction struct {
		Bundle []byte `json:"bundle"`
	}
	identity struct {
		Registry string          `json:"registry"`
		Trust    int             `json:"trustVersion"`
		Keys     map[Role]string `json:"keys"` // PEM
	}
	problem struct {
		Reason Reason `json:"reason"`
		Detail string `json:"detail,omitempty"`
	}
)

// maxBody bounds a request: statement and evidence as base64.
const maxBody = (MaxEvidence+attest.MaxStatement)/3*4 + 4096

// Listen opens the socket. One that was left behind is replaced; one that
// answers is in use. Where the kernel names the peer of a connection the file is
// open to everybody and peers decides; elsewhere the file's mode does, and no
// other user can be let in.
func Listen(path string, peers []int) (net.Listener, error) {
	if len(peers) > 0 && !knowsPeers {
		return nil, errors.New("signer: this system does not tell who connects: no other user can be let in")
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("signer: %s is in use", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("signer: %s is no socket", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	mode := fs.FileMode(0o600)
	if len(peers) > 0 {
		mode = 0o666
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Serve answers on l until the context ends, to this process's own user and to
// peers.
func Serve(ctx context.Context, l net.Listener, s *Service, peers []int) error {
	server := &http.Server{
		Handler:           guard(s.handler(), append(slices.Clone(peers), os.Getuid())),
		ConnContext:       withPeer,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 5 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(drain)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type peerKey struct{}

func withPeer(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, c)
}

// guard lets in the users that it was told of.
func guard(next http.Handler, uids []int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if knowsPeers {
			c, _ := r.Context().Value(peerKey{}).(*net.UnixConn)
			uid, err := peerOf(c)
			if err != nil || !slices.Contains(uids, uid) {
				http.Error(w, "this user is not let in", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/keys", func(w http.ResponseWriter, _ *http.Request) {
		trust := s.Trust()
		out := identity{Registry: trust.Registry, Trust: trust.Version, Keys: map[Role]string{}}
		for role, k := range s.Keys() {
			out.Keys[role] = string(k.PEM())
		}
		answer(w, http.StatusOK, out)
	})
	mux.HandleFunc("POST /v1/sign/{role}", func(w http.ResponseWriter, r *http.Request) {
		var q request
		if err := read(w, r, &q); err != nil {
			fail(w, err)
			return
		}
		bundle, err := s.Sign(r.Context(), Role(r.PathValue("role")), q.Statement, q.Evidence)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", attest.MediaType)
		_, _ = w.Write(bundle)
	})
	mux.HandleFunc("POST /v1/approvals", func(w http.ResponseWriter, r *http.Request) {
		var q introduction
		err := read(w, r, &q)
		if err == nil {
			err = s.Introduce(r.Context(), q.Bundle)
		}
		if err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func read(w http.ResponseWriter, r *http.Request, into any) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(b, into, json.RejectUnknownMembers(true))
	}
	if err != nil {
		return refuse(ReasonMalformed, "the request cannot be read")
	}
	return nil
}

// fail is where errors become responses: what is refused is 422, what the
// signer itself lacks 503.
func fail(w http.ResponseWriter, err error) {
	var r *Refusal
	if errors.As(err, &r) {
		answer(w, http.StatusUnprocessableEntity, problem{r.Reason, r.Detail})
		return
	}
	answer(w, http.StatusServiceUnavailable, problem{Reason: "state"})
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
