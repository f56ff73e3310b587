package compile

import "os"

// executable is this very program, even when its file was replaced by another
// version since it was started, or removed.
func executable() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err != nil {
		return os.Executable()
	}
	return self, nil
}
