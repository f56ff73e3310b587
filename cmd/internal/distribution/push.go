package distribution

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"

	"github.com/bartizan-mcp/bartizan/internal/release"
)

// epoch stands for every creation time: the same module is the same artifact
// whenever it is pushed.
const epoch = "1970-01-01T00:00:00Z"

// Push sends a module and its bundle, then the tag: nobody meets the artifact
// under it without its bundle. It returns the artifact's digest. A tag that is a
// version is never moved.
func Push(ctx context.Context, to Reference, s Shipment, o Options) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch {
	case len(s.Bundles) != 1:
		return "", release.Refuse(s.Name, release.Unsigned, "%d bundles, want one", len(s.Bundles))
	case int64(len(s.Wasm)) > maxModule || len(s.Bundles[0]) > release.MaxBundle:
		return "", malformed(s.Name, "beyond the bounds of an artifact")
	}
	target, err := open(to, o)
	if err != nil {
		return "", err
	}
	artifact, err := pack(ctx, target, ArtifactType, LayerType, s.Wasm, nil, map[string]string{
		ocispec.AnnotationTitle: s.Name + ".wasm", ocispec.AnnotationVersion: s.Version,
	})
	if err != nil {
		return "", explain(err)
	}
	if _, err := pack(ctx, target, BundleType, BundleType, s.Bundles[0], &artifact, map[string]string{
		"dev.sigstore.bundle.content": "dsse-envelope",
	}); err != nil {
		return "", explain(err)
	}
	if tag := to.Tag(); tag == "" && to.tag != artifact.Digest.String() {
		return "", fmt.Errorf("%w: the artifact is %s", ErrReference, artifact.Digest)
	} else if tag != "" {
		if err := settle(ctx, target, artifact, s.Name, tag); err != nil {
			return "", err
		}
	}
	return artifact.Digest.String(), nil
}

// open returns where a push goes.
func open(to Reference, o Options) (oras.GraphTarget, error) {
	if to.layout == "" {
		return repository(to, o)
	}
	if err := checkLayout(to.layout); err != nil {
		return nil, err
	}
	store, err := oci.New(to.layout)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegistry, err)
	}
	return store, nil
}

// pack stores an artifact of one layer, about subject if there is one.
func pack(ctx context.Context, to oras.GraphTarget, artifactType, layerType string, body []byte, subject *ocispec.Descriptor, notes map[string]string) (ocispec.Descriptor, error) {
	layer := content.NewDescriptorFromBytes(layerType, body)
	if have, err := to.Exists(ctx, layer); err != nil {
		return ocispec.Descriptor{}, err
	} else if !have {
		if err := to.Push(ctx, layer, bytes.NewReader(body)); err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
			return ocispec.Descriptor{}, err
		}
	}
	notes[ocispec.AnnotationCreated] = epoch
	return oras.PackManifest(ctx, to, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		Layers: []ocispec.Descriptor{layer}, Subject: subject, ManifestAnnotations: notes,
	})
}

// settle gives the artifact its tag.
func settle(ctx context.Context, to oras.GraphTarget, artifact ocispec.Descriptor, name, tag string) error {
	if VersionOf(tag) != "" {
		before, err := to.Resolve(ctx, tag)
		switch {
		case err == nil && before.Digest != artifact.Digest:
			return release.Refuse(name, release.Replaced, "tag %s is %s already", tag, before.Digest)
		case err != nil && !errors.Is(err, errdef.ErrNotFound):
			return explain(err)
		}
	}
	return explain(to.Tag(ctx, artifact, tag))
}

// trimV lets v1.2.0 be a version, as many write tags.
func trimV(tag string) string {
	if len(tag) > 1 && tag[0] == 'v' {
		return tag[1:]
	}
	return tag
}

// VersionOf returns the version that a tag promises, "" if it promises none.
func VersionOf(tag string) string {
	if v := trimV(tag); release.ValidVersion(v) {
		return v
	}
	return ""
}
