package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
)

// Get opens a blob for reading. The digest is checked while reading: damaged
// bytes end in ErrCorrupt instead of io.EOF, so whoever acts on them must read
// to the end first (Bytes and Export do). Errors: ErrNotFound, ErrDigest.
func (s *Store) Get(digest string) (io.ReadCloser, error) {
	f, err := s.open(digest)
	if err != nil {
		return nil, err
	}
	return &verifier{f: f, sum: sha256.New(), want: digest}, nil
}

// Size returns the length of a blob in bytes. Errors: ErrNotFound, ErrDigest.
func (s *Store) Size(digest string) (int64, error) {
	name, err := locate(digest)
	if err != nil {
		return 0, err
	}
	info, err := s.root.Stat(name)
	if err != nil {
		return 0, translate(err)
	}
	return info.Size(), nil
}

// Bytes returns a whole, verified blob of at most limit bytes. Errors:
// ErrNotFound, ErrDigest, ErrTooLarge, ErrCorrupt.
func (s *Store) Bytes(ctx context.Context, digest string, limit int64) ([]byte, error) {
	f, err := s.Get(digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(reader{ctx, f}, bound(limit)))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, fmt.Errorf("%w: %s", ErrTooLarge, digest)
	}
	return b.Bytes(), nil
}

// Export writes a verified copy to path, which must not exist, owner-only. On
// any error no file is left there.
func (s *Store) Export(ctx context.Context, digest, path string) error {
	r, err := s.Get(digest)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("blob: export: %w", err)
	}
	_, err = io.Copy(f, reader{ctx, r})
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("blob: export: %w", err)
	}
	return nil
}

func (s *Store) open(digest string) (*os.File, error) {
	name, err := locate(digest)
	if err != nil {
		return nil, err
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, translate(err)
	}
	return f, nil
}

func translate(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return fmt.Errorf("blob: %w", err)
}

// verifier hashes what passes and replaces the final io.EOF by ErrCorrupt when
// the sum is not the digest.
type verifier struct {
	f    *os.File
	sum  hash.Hash
	want string
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.f.Read(p)
	v.sum.Write(p[:n])
	if err == io.EOF && algorithm+":"+hex.EncodeToString(v.sum.Sum(nil)) != v.want {
		return n, fmt.Errorf("%w: %s", ErrCorrupt, v.want)
	}
	return n, err
}

func (v *verifier) Close() error { return v.f.Close() }
