package main

import (
	"context"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/keyless"
)

// signatures says who signs a publication: keys, an OIDC identity, or others
// elsewhere.
type signatures struct {
	keys, made   []string
	services     keyless.Services
	rekorVersion int
	token        string
}

// flags adds the services too, which the environment may name. None has a
// default: nothing is asked that nobody named.
func (s *signatures) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.keys, "key", nil, "private key that signs the publication")
	f.StringArrayVar(&s.made, "bundle", nil, "Sigstore bundle made elsewhere")
	f.StringVar(&s.services.Fulcio, "fulcio-url", envOr("BARTIZAN_FULCIO_URL", ""), "certificate authority: sign with an OIDC identity")
	f.StringVar(&s.services.Rekor, "rekor-url", envOr("BARTIZAN_REKOR_URL", ""), "transparency log that records the signature")
	f.IntVar(&s.rekorVersion, "rekor-version", 1, "generation of that log: 1 or 2")
	f.StringVar(&s.services.TSA, "tsa-url", envOr("BARTIZAN_TSA_URL", ""), "timestamp authority (RFC 3161) that dates the signature")
	f.StringVar(&s.token, "oidc-token", "", "file of the OIDC token (default $SIGSTORE_ID_TOKEN, or the build service)")
}

// bundles are those made elsewhere and one of each signer: a statement about the
// artifact and server.json together.
func (s *signatures) bundles(cmd *cobra.Command, server, artifact []byte) ([][]byte, error) {
	ctx := cmd.Context()
	var all [][]byte
	for _, file := range s.made {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, body)
	}
	statement, err := publicationStatement(server, artifact)
	if err != nil {
		return nil, err
	}
	for _, file := range s.keys {
		key, err := attest.LoadKey(file)
		if err != nil {
			return nil, err
		}
		bundle, err := key.Sign(ctx, statement)
		if err != nil {
			return nil, err
		}
		all = append(all, bundle)
	}
	if !s.services.Named() {
		if s.token != "" {
			return nil, usageError("--oidc-token needs --fulcio-url, and --rekor-url or --tsa-url")
		}
		return all, nil
	}
	bundle, err := s.byIdentity(ctx, cmd, statement)
	if err != nil {
		return nil, err
	}
	return append(all, bundle), nil
}

func (s *signatures) byIdentity(ctx context.Context, cmd *cobra.Command, statement []byte) ([]byte, error) {
	if s.rekorVersion != 1 && s.rekorVersion != 2 {
		return nil, usageError("--rekor-version %d: 1 or 2", s.rekorVersion)
	}
	services := s.services
	services.RekorV2 = s.rekorVersion == 2
	if err := services.Validate(); err != nil {
		return nil, usageError("%s", err)
	}
	token, err := keyless.Token(ctx, s.token, cmd.InOrStdin(), os.Getenv)
	if err != nil {
		return nil, &exitError{Code: exitAuth, Err: err}
	}
	return services.Sign(ctx, token, statement)
}

// publicationStatement is what `publish` signs: server.json and the artifact.
func publicationStatement(server, artifact []byte) ([]byte, error) {
	statement := attest.Statement{PredicateType: attest.PredicatePublish, Subjects: []attest.Subject{
		{Name: "server.json", Digest: map[string]string{"sha256": digestsOf(server)["sha256"]}},
	}}
	if artifact != nil {
		statement.Subjects = append(statement.Subjects, attest.Subject{Name: "artifact", Digest: digestsOf(artifact)})
	}
	var err error
	if statement.Predicate, err = json.Marshal(map[string]any{"tool": "bartizan publish"}); err != nil {
		return nil, err
	}
	return statement.Marshal()
}
