//go:build amd64 || arm64

package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

// spareID picks an id above those that systems give to anybody; 0 where this
// process may give none away. The map is a user namespace's (user_namespaces(7)).
func spareID(mapFile string) int {
	text, _ := os.ReadFile(mapFile)
	const first, count = 1 << 30, 1 << 20
	for line := range strings.Lines(string(text)) {
		var inside, outside, size int64
		if n, _ := fmt.Sscan(line, &inside, &outside, &size); n != 3 || size < 2 {
			continue
		}
		if last := inside + size - 1; last < first {
			return int(last)
		}
		if inside <= first && inside+size >= first+count {
			var b [4]byte
			_, _ = rand.Read(b[:]) // never fails
			return first + int(binary.LittleEndian.Uint32(b[:])%count)
		}
	}
	return 0
}

// hints are settings by which distributions take user namespaces away.
func hints() string {
	var said []string
	for name, bad := range map[string]string{
		"kernel/unprivileged_userns_clone": "0", "user/max_user_namespaces": "0", "kernel/apparmor_restrict_unprivileged_userns": "1",
	} {
		if v, err := os.ReadFile("/proc/sys/" + name); err == nil && strings.TrimSpace(string(v)) == bad {
			said = append(said, strings.ReplaceAll(name, "/", ".")+" = "+bad)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, ", ") + ")"
}
