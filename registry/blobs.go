package registry

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/blob"
)

const (
	mediaJSON   = "application/json"
	mediaBundle = attest.MediaType
	mediaSBOM   = "application/vnd.cyclonedx+json"
	mediaBinary = "application/octet-stream"
)

// Blob opens a blob that belongs to the tenant. Blobs of other tenants do not
// exist, whatever their digest.
func (s *Service) Blob(ctx context.Context, tenant, digest string) (r io.ReadCloser, media string, size int64, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		return absent(tx.QueryRowContext(ctx, `SELECT media FROM blob_refs WHERE tenant = $1 AND digest = $2`, tenant, digest).Scan(&media), "blob")
	})
	if err != nil {
		return nil, "", 0, err
	}
	if size, err = s.Blobs.Size(digest); err != nil {
		return nil, "", 0, classifyBlob(err)
	}
	if r, err = s.Blobs.Get(digest); err != nil {
		return nil, "", 0, classifyBlob(err)
	}
	return r, media, size, nil
}

func (s *Service) put(ctx context.Context, b []byte) (digest string, err error) {
	digest, err = s.Blobs.PutBytes(ctx, b)
	return digest, classifyBlob(err)
}

func (s *Service) get(ctx context.Context, digest string, max int64) ([]byte, error) {
	b, err := s.Blobs.Bytes(ctx, digest, max)
	return b, classifyBlob(err)
}

func classifyBlob(err error) error {
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return refuse(ErrTooLarge, RefusedTooLarge, "larger than the limits")
	case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrDigest):
		return notFound("blob")
	}
	return classify(err)
}

// hexDigest is a blob digest as the approval formats write it.
func hexDigest(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

// hostText describes an error by the sentinel it wraps, so that text of the
// publication does not come back in an error.
func hostText(err error, sentinels ...error) string {
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return s.Error()
		}
	}
	return "it is malformed"
}
