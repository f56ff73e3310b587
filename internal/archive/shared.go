package archive

import (
	"context"
	"fmt"
	"io"
	"os"
)

// CleanName is the rule of Walk for one name: it returns the clean form of a
// relative path that stays inside, "." for the root, and ErrHostile otherwise.
func CleanName(name string) (string, error) { return cleanName(name) }

// OrDefault fills limits that are not set.
func (l Limits) OrDefault() Limits { return l.orDefault() }

// Digests hashes an artifact without looking into it. A directory has none.
func Digests(ctx context.Context, path string, lim Limits) (Info, error) {
	lim = lim.orDefault()
	st, err := os.Stat(path)
	if err != nil {
		return Info{}, fmt.Errorf("open artifact: %w", pathless(err))
	}
	if st.IsDir() {
		return Info{Kind: Directory}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return Info{}, fmt.Errorf("open artifact: %w", pathless(err))
	}
	defer f.Close()
	var info Info
	info.SHA256, info.SHA512, err = digests(newGuard(ctx, lim), io.LimitReader(f, lim.InputBytes+1))
	return info, err
}
