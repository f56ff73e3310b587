//go:build !linux

package audit

// durably is nothing where such a flag is absent or promises less than
// [os.File.Sync] does, as on macOS.
const durably = 0
