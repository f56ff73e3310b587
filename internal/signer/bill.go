package signer

import (
	"context"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Subjects of the statement about a bill of materials (docs/sbom.md).
const (
	subjectArtifact = "artifact"
	subjectSBOM     = "sbom"
)

// signSBOM signs a statement about a document that is shown. What the document
// says of the artifact is the registry's finding and nothing that this process
// can judge: it never sees an artifact, and links nothing that reads one.
func (s *Service) signSBOM(ctx context.Context, statement []byte, evidence [][]byte) ([]byte, error) {
	st, err := attest.ParseStatement(statement)
	if err != nil || st.PredicateType != attest.PredicateSBOM {
		return nil, refuse(ReasonMalformed, "it is no statement about a bill of materials")
	}
	if len(evidence) != 1 {
		return nil, refuse(ReasonEvidence, "a bill of materials is signed beside its bytes")
	}
	named := false
	for _, subject := range st.Subjects {
		switch {
		case subject.Name == subjectSBOM && !named && len(subject.Digest) == 1 && subject.Digest["sha256"] == hexDigest(evidence[0]):
			named = true
		case subject.Name == subjectArtifact && subject.Digest["sha256"] != "":
		default:
			return nil, refuse(ReasonSBOM, "a subject is not the document shown")
		}
	}
	if !named {
		return nil, refuse(ReasonSBOM, "the document is no subject")
	}
	bundle, err := s.keys[RoleSBOM].Sign(ctx, statement)
	if err != nil {
		return nil, refuse(ReasonMalformed, "it cannot be signed")
	}
	return bundle, nil
}
