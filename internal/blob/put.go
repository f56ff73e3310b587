package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
)

// Put stores what r yields, at most limit bytes, and returns its digest
// ("sha256:" + hex) and size. Putting the same bytes again succeeds and heals
// a damaged copy. After any error nothing is stored. Errors: ErrTooLarge, the
// reader's, the context's, the file system's.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (digest string, size int64, err error) {
	temp := path.Join(tempDir, rand.Text())
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, fmt.Errorf("blob: %w", err)
	}
	defer s.root.Remove(temp) // gone already once renamed
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(reader{ctx, r}, bound(limit)))
	if err == nil && size > limit {
		err = ErrTooLarge
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return "", 0, fmt.Errorf("blob: put: %w", err)
	}
	digest = algorithm + ":" + hex.EncodeToString(sum.Sum(nil))
	if err := s.commit(temp, digest); err != nil {
		return "", 0, fmt.Errorf("blob: put: %w", err)
	}
	return digest, size, nil
}

// PutBytes is Put of a byte slice.
func (s *Store) PutBytes(ctx context.Context, b []byte) (digest string, err error) {
	digest, _, err = s.Put(ctx, bytes.NewReader(b), int64(len(b)))
	return digest, err
}

// commit gives a finished temporary file its name. The folders are fsynced
// from the leaf up: once Put returned, a power cut keeps the name too.
func (s *Store) commit(temp, digest string) error {
	name, err := locate(digest)
	if err != nil {
		return err
	}
	shard := path.Dir(name)
	if err := s.root.MkdirAll(shard, 0o700); err != nil {
		return err
	}
	if err := s.root.Rename(temp, name); err != nil {
		return err
	}
	return errors.Join(s.syncDir(shard), s.syncDir(algorithm))
}

// syncDir makes the names in a folder durable. Windows has no such call and
// does it by itself.
func (s *Store) syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// bound is limit plus the one byte that shows that there was more.
func bound(limit int64) int64 {
	if limit == 1<<63-1 {
		return limit
	}
	return limit + 1
}

// reader gives up when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
