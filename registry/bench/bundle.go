package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/benchtime"
)

// boundVerify is in nanoseconds.
const boundVerify = 20e6

// Who signs the bundle.
const (
	signer = "release@example.org"
	issuer = "https://accounts.example.org"
)

// bundleRows verify a bundle of 250 kB, which is a whole SBOM, signed by
// certificate, logged and stamped; beside it the same by sigstore-go alone and
// the digest of the same bytes.
func bundleRows(context.Context, string, options) ([]benchtable.Row, error) {
	artifact := sha256.Sum256([]byte("artifact"))
	bundled, trusted, err := signedSBOM(artifact[:])
	if err != nil {
		return nil, err
	}
	ours, err := ourVerifier(trusted)
	if err != nil {
		return nil, err
	}
	theirs, err := sigstoreVerifier(trusted, artifact[:])
	if err != nil {
		return nil, err
	}
	digests := map[string]string{"sha256": hex.EncodeToString(artifact[:])}
	s, err := benchtime.Interleave(15, 60*time.Millisecond,
		benchtime.Arm{Name: "ours", Run: func() error { _, err := ours.VerifyArtifact(bundled, digests); return err }},
		benchtime.Arm{Name: "sigstore-go", Run: func() error { return theirs(bundled) }},
		benchtime.Arm{Name: "digest", Run: func() error { sha256.Sum256(bundled); return nil }},
	)
	if err != nil {
		return nil, err
	}
	median := s.Median(0)
	return []benchtable.Row{
		{What: "bundle verified, 250 kB", Figure: benchtable.Duration(median), Target: "≤ 20 ms", Met: benchtable.AtMost(median, boundVerify),
			Note: fmt.Sprintf("%d kB: an SBOM signed by certificate, with its log entry and a timestamp; about one artifact", len(bundled)/1000)},
		{What: "  sigstore-go alone instead", Figure: benchtable.Duration(s.Median(1)), Note: fmt.Sprintf("ours takes %.2f× as long, strict reading of what is signed included", s.Ratio(0, 1))},
		{What: "  SHA-256 of the same bytes instead", Figure: benchtable.Duration(s.Median(2)), Note: fmt.Sprintf("ours %.0f×", s.Ratio(0, 2))},
	}, nil
}

func ourVerifier(trusted []byte) (attest.Policy, error) {
	r, err := attest.ParseTrustedRoot(trusted)
	return attest.Policy{Root: r, Identities: []attest.Identity{{Issuer: issuer, SANRegex: `release@example\.org`}}}, err
}

// sigstoreVerifier demands of a bundle what our policy demands: one log entry,
// one time that somebody else saw it at, this signer and this artifact. As in
// ours it leaves the predicate alone, which costs it more than all the rest.
func sigstoreVerifier(trusted, artifact []byte) (func([]byte) error, error) {
	material, err := root.NewTrustedRootFromJSON(trusted)
	if err != nil {
		return nil, err
	}
	verifier, err := verify.NewVerifier(material, verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate())
	if err != nil {
		return nil, err
	}
	who, err := verify.NewShortCertificateIdentity(issuer, "", "", `^release@example\.org$`)
	if err != nil {
		return nil, err
	}
	policy := verify.NewPolicy(verify.WithArtifactDigest("sha256", artifact), verify.WithCertificateIdentity(who))
	return func(b []byte) error {
		var parsed bundle.Bundle
		if err := parsed.UnmarshalJSON(b); err != nil {
			return err
		}
		_, err := verifier.Verify(&parsed, policy)
		return err
	}, nil
}

// signedSBOM is a bundle of about 250 kB about an artifact, and the trusted root
// of the deployment that it comes from.
func signedSBOM(artifact []byte) (bundled, trusted []byte, err error) {
	const component = `{"type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0"}`
	stated := attest.Statement{
		Subjects:      []attest.Subject{{Name: "harbour.tgz", Digest: map[string]string{"sha256": hex.EncodeToString(artifact)}}},
		PredicateType: "https://cyclonedx.org/bom",
		Predicate:     jsontext.Value(`{"bomFormat":"CycloneDX","components":[` + strings.Repeat(component+",", 2199) + component + `]}`),
	}
	statement, err := stated.Marshal()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p
		default:
			panic(p)
		}
	}()
	t := outside{}
	deployment := attesttest.New(t)
	return deployment.Statement(t, signer, issuer, statement), deployment.TrustedRoot(t), nil
}

// outside stands for the test that attesttest asks for: what would fail the test
// is a panic with a failure.
type outside struct{ testing.TB }

type failure struct{ error }

func (outside) Helper()           {}
func (outside) Fatal(args ...any) { panic(failure{fmt.Errorf("%s", fmt.Sprint(args...))}) }
