package compile

import (
	"context"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// opening is held while a cache or a runtime is opened: wazero finds out its own
// version then, without a lock.
var opening sync.Mutex

// Open opens a runtime that keeps native code in a folder and finds it there.
// Child and parent open it alike, since the parent finds the code by that. Guests
// are metered, so that the compiler's own checks of a deadline, which cost
// several times the guest's work, are off. Runtime and cache are closed apart.
func Open(ctx context.Context, folder string) (wazero.Runtime, wazero.CompilationCache, error) {
	opening.Lock()
	defer opening.Unlock()
	cache, err := wazero.NewCompilationCacheWithDir(folder)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2).WithDebugInfoEnabled(false)
	return wazero.NewRuntimeWithConfig(ctx, config.WithCompilationCache(cache)), cache, nil
}
