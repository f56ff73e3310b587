//go:build !linux

package compile

import "os"

// executable is this program. Where its file was replaced by another version,
// that one may leave code that this process does not find, which is an error.
func executable() (string, error) { return os.Executable() }
