//go:build sdk

package examples

import "testing"

// TestAssemblyScriptPackage runs the package's own tests, by which it is held to
// the vectors of the flat encoding.
func TestAssemblyScriptPackage(t *testing.T) {
	run(t, "../assemblyscript", first(t, "npm"), "test")
}
