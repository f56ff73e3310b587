//go:build !linux

package main

import (
	"errors"
	"time"
)

// processorTime is not known here.
func processorTime(func() error) (time.Duration, error) { return 0, errors.ErrUnsupported }
