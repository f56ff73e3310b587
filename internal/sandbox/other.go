//go:build !linux || !(amd64 || arm64)

package sandbox

import (
	"fmt"
	"os/exec"
	"runtime"
	"time"
)

// Box is a sandbox, of which there is none here.
type Box struct{}

// New refuses: this system has no walls that this package knows.
func New(Spec) (*Box, error) {
	return nil, fmt.Errorf("%w: it needs Linux on amd64 or arm64, not %s on %s", ErrUnavailable, runtime.GOOS, runtime.GOARCH)
}

// Start refuses.
func (*Box) Start(*exec.Cmd, time.Duration) error { return ErrUnavailable }

// Wait returns at once.
func (*Box) Wait() {}

// Check refuses.
func Check(string) error {
	_, err := New(Spec{})
	return err
}

// LandlockABI is none.
func LandlockABI() int { return 0 }
