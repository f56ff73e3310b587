//go:build sdk

package examples

import "testing"

func conform(t *testing.T, wasm string) { t.Helper(); _ = wasm }
