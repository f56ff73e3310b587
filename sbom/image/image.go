// Package image reads container images as files: OCI layouts and what
// `docker save` writes, in a directory or a tar. Blobs are verified by digest,
// layers are laid over each other as a runtime would, and what is visible in the
// end is visited. Nothing is unpacked to a path that the image chose, and no
// link is followed.
//
// It knows images and layers. It must not know packages or SBOMs, and it pulls
// nothing: what a layout only refers to is missing.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// Limits of one artifact beyond those of its archive, which hold for each image.
const (
	maxImages    = 16
	maxManifests = 64
	maxIndexes   = 3 // below each other
	maxLayers    = 256
	maxDocument  = 4 << 20 // an index, manifest or configuration
)

// File is one regular file of an image as a container would see it.
type File struct {
	Path string // clean, relative to the root of the file system
	Size int64
	Link bool // a hard link to a file of a lower layer: no content
}

// Visit is called for every visible regular file. r yields exactly File.Size bytes.
type Visit func(f File, r *io.SectionReader) error

// Image is one image of an artifact.
type Image struct {
	Platform string // os/architecture[/variant]
	Digest   string // of the manifest, or of the configuration where there is none: sha256:<hex>
	Labels   map[string]string
	layers   []layer
}

// layer is a blob, and the digest of what it unpacks to.
type layer struct {
	name   string // path within the artifact
	digest string // of the blob, "" where the format has none
	diffID string
}

// Layout is an opened artifact.
type Layout struct {
	Images  []Image  // sorted by platform and digest
	Missing []string // images that an index names and the artifact does not hold
	Other   []string // manifests that are no container image
	store   store
	lim     archive.Limits
}

// Open reads the indexes and manifests of the artifact at path. It returns nil
// and no error for what is no image at all. Close releases it.
func Open(ctx context.Context, name string, lim archive.Limits) (*Layout, error) {
	lim = lim.OrDefault()
	s, err := openStore(ctx, name, lim)
	if s == nil || err != nil {
		return nil, err
	}
	l := &Layout{store: s, lim: lim}
	read := l.readDocker
	if s.has("oci-layout") && s.has("index.json") {
		read = l.readOCI
	}
	if err := read(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	slices.SortFunc(l.Images, func(a, b Image) int {
		return strings.Compare(a.Platform+" "+a.Digest, b.Platform+" "+b.Digest)
	})
	l.Images = slices.CompactFunc(l.Images, func(a, b Image) bool { return a.Digest == b.Digest })
	return l, nil
}

// Select keeps the images of one platform, given as os/architecture with or
// without the variant. It is an error when there is none.
func (l *Layout) Select(platform string) error {
	var have []string
	for _, i := range l.Images {
		have = append(have, i.Platform)
	}
	l.Images = slices.DeleteFunc(l.Images, func(i Image) bool {
		return i.Platform != platform && !strings.HasPrefix(i.Platform, platform+"/")
	})
	l.Missing, l.Other = nil, nil
	if len(l.Images) == 0 || strings.Count(platform, "/") == 0 {
		return fmt.Errorf("%w: no image for %.100q; there are %s", archive.ErrUnsupported, platform, strings.Join(have, ", "))
	}
	return nil
}

// Close releases what Open holds.
func (l *Layout) Close() error { return l.store.close() }

// blob reads a document of at most maxDocument bytes and verifies its digest,
// if one is given.
func (l *Layout) blob(name, digest string) ([]byte, error) {
	r, err := l.store.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.size > maxDocument {
		return nil, fmt.Errorf("%w: %q of more than %d bytes", archive.ErrTooLarge, name, maxDocument)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	if digest != "" && sha256Of(b) != digest {
		return nil, fmt.Errorf("%w: %q is not what its digest says", archive.ErrHostile, name)
	}
	return b, nil
}

// blobPath is where a layout keeps a blob. Only SHA-256 is read: it is what
// every builder writes.
func blobPath(digest string) (string, error) {
	alg, hex, ok := strings.Cut(digest, ":")
	if !ok || alg != "sha256" || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%w: digest %.100q", archive.ErrUnsupported, digest)
	}
	return path.Join("blobs", alg, hex), nil
}
