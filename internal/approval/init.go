package approval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Files that InitTrust makes under its directory.
const (
	TrustFile       = "trust.json"
	ApprovalKeyFile = "approval.key"
	SnapshotKeyFile = "snapshot.key"
	LogKeyFile      = "log.key"
)

// trustLife is how long a new trust document is valid.
const trustLife = 365 * 24 * time.Hour

// InitTrust makes what is absent of the three keys and trust.json under dir,
// owner-only, and returns the trust document. What exists is kept: a second
// call changes nothing, and a call that was cut short is finished by the next.
// A directory that belongs to another registry is refused.
func InitTrust(ctx context.Context, dir, registry string, now time.Time) (*Trust, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	path := filepath.Join(dir, TrustFile)
	switch t, err := LoadTrust(path); {
	case err == nil && registry != "" && t.Registry != registry:
		return nil, fmt.Errorf("%w: %w: %s", ErrTrust, ErrRegistry, path)
	case err == nil:
		return t, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	var keys [3]*attest.Key
	for i, name := range []string{ApprovalKeyFile, SnapshotKeyFile, LogKeyFile} {
		k, err := attest.LoadOrMakeKey(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	one := func(k *attest.Key) []*attest.PublicKey { return []*attest.PublicKey{k.Public()} }
	t := NewTrust(registry, one(keys[0]), one(keys[1]), one(keys[2]), now.Add(trustLife))
	file, err := t.Sign(ctx, keys[0])
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path, file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrust, err)
	}
	return ParseTrust(file)
}
