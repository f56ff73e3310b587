package keyless_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/attest/keyless"
)

const issuer = "https://accounts.example.org"

var digest = map[string]string{"sha256": strings.Repeat("ab", 32)}

func statement(t *testing.T) []byte {
	t.Helper()
	s := attest.Statement{Subjects: []attest.Subject{{Name: "artifact", Digest: digest}}, PredicateType: attest.PredicatePublish, Predicate: []byte(`{}`)}
	b, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Signed against the services, the bundle verifies under their root, with every
// generation of log and without any.
func TestSign(t *testing.T) {
	s := attesttest.New(t)
	at := s.Serve(t)
	person := at.Token(t, attesttest.Claims{Issuer: issuer, Subject: "17", Email: "release@example.org", Verified: true})
	job := at.Token(t, attesttest.Claims{
		Issuer: "https://token.actions.githubusercontent.com", Subject: "repo:acme/weather:ref:refs/tags/v1", Ref: "refs/tags/v1", Revision: "aa11",
		Workflow: "acme/weather/.github/workflows/release.yml@refs/tags/v1", Repository: "acme/weather",
	})
	for name, c := range map[string]struct {
		services keyless.Services
		token    string
		trusts   attesttest.Trusts
		id       attest.Identity
	}{
		"Rekor 1":               {keyless.Services{Fulcio: at.Fulcio, Rekor: at.RekorV1}, person, attesttest.Trusts{Logs: true, CertificateLog: true}, attest.Identity{Issuer: issuer, SANRegex: `release@example\.org`}},
		"Rekor 1 and timestamp": {keyless.Services{Fulcio: at.Fulcio + "/", Rekor: at.RekorV1, TSA: at.TSA}, person, attesttest.Trusts{Logs: true, Stamps: true, CertificateLog: true}, attest.Identity{Issuer: issuer, SANRegex: `release@example\.org`}},
		"Rekor 2 and timestamp": {keyless.Services{Fulcio: at.Fulcio, Rekor: at.RekorV2, RekorV2: true, TSA: at.TSA}, person, attesttest.Trusts{Logs: true, Stamps: true}, attest.Identity{Issuer: issuer, SANRegex: `release@example\.org`}},
		"timestamp only":        {keyless.Services{Fulcio: at.Fulcio, TSA: at.TSA}, person, attesttest.Trusts{Stamps: true}, attest.Identity{Issuer: issuer, SANRegex: `release@example\.org`}},
		"a build job": {keyless.Services{Fulcio: at.Fulcio, Rekor: at.RekorV1, TSA: at.TSA}, job, attesttest.Trusts{Logs: true, Stamps: true, CertificateLog: true}, attest.Identity{
			Issuer: "https://token.actions.githubusercontent.com", SANRegex: `https://github\.com/acme/weather/.*`, SourceRepository: "https://github.com/acme/weather",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := c.services.Sign(t.Context(), c.token, statement(t))
			if err != nil {
				t.Fatal(err)
			}
			root, err := attest.ParseTrustedRoot(s.Root(t, c.trusts))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := (attest.Policy{Identities: []attest.Identity{c.id}, Root: root}).VerifyArtifact(b, digest); err != nil {
				t.Error(err)
			}
			if strings.Contains(string(b), c.token) {
				t.Error("the token is in the bundle")
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	s := attesttest.New(t)
	at := s.Serve(t)
	good := at.Token(t, attesttest.Claims{Issuer: issuer, Subject: "17", Email: "release@example.org", Verified: true})
	other := attesttest.New(t).Serve(t).Token(t, attesttest.Claims{Issuer: issuer, Subject: "17", Email: "release@example.org", Verified: true})
	var followed bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	redirects := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer redirects.Close()
	rude := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "\x1b[31mno", http.StatusForbidden)
	}))
	defer rude.Close()
	whole := keyless.Services{Fulcio: at.Fulcio, Rekor: at.RekorV1, TSA: at.TSA}
	for name, c := range map[string]struct {
		services keyless.Services
		token    string
		want     error
	}{
		"another issuer's token": {whole, other, keyless.ErrRefused},
		"expired token":          {whole, at.Token(t, attesttest.Claims{Issuer: issuer, Email: "a@b.c", Verified: true, Expires: 1}), keyless.ErrRefused},
		"token for others":       {whole, at.Token(t, attesttest.Claims{Issuer: issuer, Email: "a@b.c", Verified: true, Audience: "other"}), keyless.ErrRefused},
		"no token":               {whole, "", keyless.ErrRefused},
		"redirect":               {keyless.Services{Fulcio: redirects.URL, TSA: at.TSA}, good, keyless.ErrRefused},
		"rude answer":            {keyless.Services{Fulcio: rude.URL, TSA: at.TSA}, good, keyless.ErrRefused},
		"no authority":           {keyless.Services{TSA: at.TSA}, good, keyless.ErrServices},
		"nothing dates":          {keyless.Services{Fulcio: at.Fulcio}, good, keyless.ErrServices},
		"Rekor 2 dates nothing":  {keyless.Services{Fulcio: at.Fulcio, Rekor: at.RekorV2, RekorV2: true}, good, keyless.ErrServices},
		"plain http":             {keyless.Services{Fulcio: "http://fulcio.example", TSA: at.TSA}, good, keyless.ErrServices},
		"http to a name":         {keyless.Services{Fulcio: "http://localhost:1", TSA: at.TSA}, good, keyless.ErrServices},
		"password in the URL":    {keyless.Services{Fulcio: "https://u:p@fulcio.example", TSA: at.TSA}, good, keyless.ErrServices},
		"no URL":                 {keyless.Services{Fulcio: "fulcio.example", TSA: at.TSA}, good, keyless.ErrServices},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := c.services.Sign(t.Context(), c.token, statement(t))
			if !errors.Is(err, c.want) || b != nil {
				t.Errorf("%s, %v; want %v", b, err, c.want)
			}
			if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("raw text of a service: %q", err)
			}
		})
	}
	if followed {
		t.Error("a redirect was followed")
	}
	if _, err := whole.Sign(t.Context(), good, []byte("{}")); !errors.Is(err, attest.ErrStatement) {
		t.Errorf("no statement: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := whole.Sign(ctx, good, statement(t)); !errors.Is(err, keyless.ErrRefused) {
		t.Errorf("ended: %v", err)
	}
}

func TestToken(t *testing.T) {
	const token = "aaa.bbb.ccc"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer runner" || r.URL.Query().Get("audience") != "sigstore" || r.URL.Query().Get("keep") != "1" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(`{"count":1,"value":"` + token + `"}`))
	}))
	defer service.Close()
	type env map[string]string
	for name, c := range map[string]struct {
		file, in string
		env      env
		ok       bool
	}{
		"file":              {file: file, ok: true},
		"standard input":    {file: "-", in: " " + token + "\n", ok: true},
		"environment":       {env: env{"SIGSTORE_ID_TOKEN": token}, ok: true},
		"build service":     {env: env{"ACTIONS_ID_TOKEN_REQUEST_URL": service.URL + "/?keep=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner"}, ok: true},
		"it refuses":        {env: env{"ACTIONS_ID_TOKEN_REQUEST_URL": service.URL + "/?keep=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}},
		"it is in clear":    {env: env{"ACTIONS_ID_TOKEN_REQUEST_URL": "http://runner.example/?keep=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner"}},
		"nothing":           {},
		"missing file":      {file: file + "x"},
		"no token in it":    {file: "-", in: "hello"},
		"two in it":         {file: "-", in: token + "\n" + token},
		"far too large":     {file: "-", in: "a.b." + strings.Repeat("c", 1<<17)},
		"the file is first": {file: "-", in: "hello", env: env{"SIGSTORE_ID_TOKEN": token}},
	} {
		got, err := keyless.Token(t.Context(), c.file, strings.NewReader(c.in), func(k string) string { return c.env[k] })
		if c.ok && (err != nil || got != token) || !c.ok && !errors.Is(err, keyless.ErrToken) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
