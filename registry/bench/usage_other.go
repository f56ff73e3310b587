//go:build !linux

package main

import (
	"errors"
	"time"
)

// processor is not known here.
func processor() (time.Duration, error) { return 0, errors.ErrUnsupported }

// peak is not known here.
func peak() (float64, error) { return 0, errors.ErrUnsupported }
