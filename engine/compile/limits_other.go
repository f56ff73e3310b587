//go:build !linux

package compile

import (
	"os"
	"runtime/metrics"
	"time"
)

// apply watches the heap, where the kernel offers no limit that a Go process
// lives with; the parent's deadline bounds the time.
func (l Limits) apply() error {
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
		for range time.Tick(5 * time.Millisecond) {
			if metrics.Read(sample); sample[0].Value.Uint64() > l.MemoryBytes {
				os.Exit(exitMemory)
			}
		}
	}()
	return nil
}

const exitMemory = 5
