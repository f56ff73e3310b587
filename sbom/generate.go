package sbom

import "context"

// Generate catalogues an artifact.
func Generate(ctx context.Context, in Input, opts Options) (*Document, error) {
	return nil, ErrUnsupported
}
