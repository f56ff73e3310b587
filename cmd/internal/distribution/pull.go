package distribution

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"

	"github.com/bartizan-mcp/bartizan/internal/release"
)

// Pull fetches a module and the bundles that are attached to it, none of them
// verified. scanner is the name that is asked for, for the text of refusals.
func Pull(ctx context.Context, from Reference, scanner string, o Options) (Shipment, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	source, err := openRead(ctx, from, o)
	if err != nil {
		return Shipment{}, err
	}
	artifact, err := source.Resolve(ctx, from.tag)
	if err != nil {
		return Shipment{}, explain(err)
	}
	m, err := manifest(ctx, source, artifact, scanner)
	if err != nil {
		return Shipment{}, err
	}
	wasm, err := layer(ctx, source, m, ArtifactType, LayerType, maxModule, scanner)
	if err != nil {
		return Shipment{}, err
	}
	s := Shipment{Name: scanner, Version: m.Annotations[ocispec.AnnotationVersion], Wasm: wasm}
	s.Bundles, err = bundles(ctx, source, artifact, scanner)
	return s, err
}

// bundles returns what is attached to an artifact. Whoever may write to a
// registry may attach anything to anything: what is no bundle is passed over.
func bundles(ctx context.Context, source oras.ReadOnlyGraphTarget, artifact ocispec.Descriptor, scanner string) ([][]byte, error) {
	attached, err := source.Predecessors(ctx, artifact)
	if err != nil {
		return nil, explain(err)
	}
	// A registry's word on the type gives an order, no more: some say nothing, or
	// something else.
	slices.SortStableFunc(attached, func(a, b ocispec.Descriptor) int {
		return cmp.Compare(announced(a), announced(b))
	})
	var all [][]byte
	for _, d := range attached[:min(len(attached), maxReferrers)] {
		m, err := manifest(ctx, source, d, scanner)
		if err == nil && (m.Subject == nil || m.Subject.Digest != artifact.Digest) {
			continue
		}
		var body []byte
		if err == nil {
			body, err = layer(ctx, source, m, BundleType, BundleType, release.MaxBundle, scanner)
		}
		switch release.ReasonOf(err) {
		case "":
			if err != nil {
				return nil, err
			}
			all = append(all, body)
		case release.Malformed:
		default:
			return nil, err
		}
	}
	return all, nil
}

// announced is 0 for what is said to be a bundle.
func announced(d ocispec.Descriptor) int {
	if d.ArtifactType == BundleType {
		return 0
	}
	return 1
}

// manifest fetches an image manifest.
func manifest(ctx context.Context, source oras.ReadOnlyGraphTarget, d ocispec.Descriptor, scanner string) (ocispec.Manifest, error) {
	var m ocispec.Manifest
	if d.MediaType != ocispec.MediaTypeImageManifest {
		return m, malformed(scanner, "%.80q is no image manifest", d.MediaType)
	}
	body, err := fetch(ctx, source, d, maxManifest, scanner)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, malformed(scanner, "manifest: %w", err)
	}
	return m, nil
}

// layer fetches the only layer of an artifact.
func layer(ctx context.Context, source oras.ReadOnlyGraphTarget, m ocispec.Manifest, artifactType, layerType string, limit int64, scanner string) ([]byte, error) {
	switch {
	case m.ArtifactType != artifactType:
		return nil, malformed(scanner, "an artifact of type %.80q, want %s", m.ArtifactType, artifactType)
	case len(m.Layers) != 1:
		return nil, malformed(scanner, "%d layers, want one", len(m.Layers))
	case m.Layers[0].MediaType != layerType:
		return nil, malformed(scanner, "a layer of type %.80q, want %s", m.Layers[0].MediaType, layerType)
	}
	return fetch(ctx, source, m.Layers[0], limit, scanner)
}

// fetch reads what a descriptor describes, and no more.
func fetch(ctx context.Context, source content.Fetcher, d ocispec.Descriptor, limit int64, scanner string) ([]byte, error) {
	switch {
	case d.Digest.Validate() != nil || !strings.HasPrefix(d.Digest.String(), "sha256:"):
		return nil, malformed(scanner, "%.80q is no SHA-256 digest", d.Digest)
	case d.Size < 0 || d.Size > limit:
		return nil, malformed(scanner, "%d bytes, at most %d", d.Size, limit)
	}
	body, err := content.FetchAll(ctx, source, d)
	switch {
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData):
		return nil, release.Refuse(scanner, release.Tampered, "the content of %s is another", d.Digest)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", d.Digest, explain(err))
	}
	return body, nil
}
