package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// publish is what a publisher and the registry do for one version, resolution
// and capture excluded.
func (h *house) publish(ctx context.Context, version string, artifact []byte) (*admission.Version, error) {
	list, err := listed()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(artifact)
	stated := attest.Statement{
		Subjects:      []attest.Subject{{Name: "artifact", Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}}},
		PredicateType: attest.PredicatePublish, Predicate: []byte(`{}`),
	}
	statement, err := stated.Marshal()
	if err != nil {
		return nil, err
	}
	signed, err := h.publisher.Sign(ctx, statement)
	if err != nil {
		return nil, err
	}
	digest, err := h.StoreArtifact(ctx, bytes.NewReader(artifact))
	if err != nil {
		return nil, err
	}
	v, err := h.Publish(ctx, as("alice", identity.RolePublisher), registry.Submission{
		ServerJSON: serverJSON(version), Artifact: digest, Listing: list, Bundles: [][]byte{signed},
		Options: registry.PublishOptions{Launch: admission.Launch{Command: []string{"node", "dist/index.js"}}, Scopes: []string{}},
	})
	if err != nil {
		return nil, err
	}
	if v.State != admission.InReview || len(v.Reasons)+len(v.Findings)+len(v.Failures) > 0 {
		return nil, fmt.Errorf("version %s is %s: %v %v %v", version, v.State, v.Reasons, v.Findings, v.Failures)
	}
	return v, nil
}

// complete holds the registry's SBOM of a version to what it has to hold:
// publishing that leaves something out is no figure.
func (h *house) complete(ctx context.Context, v *admission.Version) error {
	r, _, _, err := h.Blob(ctx, approval.DefaultTenant, v.SBOM)
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	doc, err := sbom.Decode(b)
	if err != nil {
		return err
	}
	if n := len(doc.Components()); n != packages {
		return fmt.Errorf("the SBOM of version %s has %d components, want %d", v.Version, n, packages)
	}
	return nil
}
