package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
)

// cmdSigstore starts a Sigstore deployment until the test ends: FULCIO, REKOR
// and TSA are its services, root.json its trusted root, person.jwt and
// stranger.jwt tokens that its authority believes.
func cmdSigstore(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: sigstore")
		}
		s := attesttest.New(t)
		at := s.Serve(t)
		ts.Setenv("FULCIO", at.Fulcio)
		ts.Setenv("REKOR", at.RekorV1)
		ts.Setenv("TSA", at.TSA)
		for file, content := range map[string]string{
			"root.json":    string(s.Root(t, attesttest.Trusts{Logs: true, Stamps: true, CertificateLog: true})),
			"person.jwt":   at.Token(t, attesttest.Claims{Issuer: "https://accounts.example.org", Subject: "1", Email: "release@example.org", Verified: true}),
			"stranger.jwt": at.Token(t, attesttest.Claims{Issuer: "https://accounts.example.org", Subject: "2", Email: "mallory@example.org", Verified: true}),
		} {
			ts.Check(os.WriteFile(ts.MkAbs(file), []byte(content), 0o600))
		}
	}
}
