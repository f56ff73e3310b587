package sbom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
	"github.com/bartizan-mcp/bartizan/sbom/ospkg"
)

// Generate catalogues an artifact. The same bytes give the same document,
// wherever they lie and in whatever order a directory lists them. Nothing of the
// artifact is run and no network is used. Work that takes longer than
// Options.Timeout is ErrCatalogue; an ended ctx is its own error.
func Generate(ctx context.Context, in Input, opts Options) (*Document, error) {
	timeout := cmp.Or(opts.Timeout, DefaultTimeout)
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d, err := generate(bounded, in, opts)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, fmt.Errorf("%w: took longer than %s", ErrCatalogue, timeout)
	}
	return d, err
}

func generate(ctx context.Context, in Input, opts Options) (*Document, error) {
	tmp, err := os.MkdirTemp("", "bartizan-sbom-")
	if err != nil {
		return nil, fmt.Errorf("sbom: stage: %w", err)
	}
	release := func() { _ = os.RemoveAll(tmp) }
	st, info, err := unpack(ctx, in, opts, tmp)
	if err != nil {
		release()
		return nil, err
	}
	if len(st.directories) == 0 { // nothing to catalogue
		release()
		return assemble(st, info, &catalogue.Result{}), nil
	}
	found, err := catalogue.Directory(ctx, tmp, release)
	if err != nil {
		return nil, err
	}
	return assemble(st, info, found), nil
}

func unpack(ctx context.Context, in Input, opts Options, tmp string) (*stage, archive.Info, error) {
	st, err := newStage(tmp)
	if err != nil {
		return nil, archive.Info{}, err
	}
	defer st.root.Close()
	info, ok, err := st.unpackImage(ctx, in, opts)
	if err != nil {
		return nil, info, imageError(err)
	}
	if ok {
		return st, info, st.finish()
	}
	info, err = archive.Walk(ctx, in.Artifact, in.Kind, opts.Limits, st.visit)
	if err == nil && st.brings() && info.Kind != KindDirectory {
		err = st.plant(ctx, in, opts.Limits)
	}
	if err != nil {
		return nil, info, err
	}
	return st, info, st.finish()
}

// imageError keeps the errors of this package the only ones.
func imageError(err error) error {
	if errors.Is(err, ospkg.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return err
}
