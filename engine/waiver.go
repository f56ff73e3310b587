package engine

import (
	"slices"
	"time"
)

// Waiver suppresses one finding that a reviewer accepted, and nothing else: the
// same rule at the same place about the same value, until it expires.
type Waiver struct {
	Rule    string
	Pointer string
	Leaf    string // Finding.Leaf
	Expires time.Time
}

func waived(f Finding, opts ScanOptions) bool {
	return slices.ContainsFunc(opts.Waivers, func(w Waiver) bool {
		return w.Rule == f.Rule && w.Pointer == f.Pointer && w.Leaf == f.Leaf && w.Leaf != "" && opts.Now.Before(w.Expires)
	})
}
