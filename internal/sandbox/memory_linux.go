//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often the memory of all processes is added up. Each of them
// is limited by the kernel; only a control group, which few may make, could
// limit all of them together.
const lookEvery = 50 * time.Millisecond

// watchMemory ends a sandbox whose processes together take too much.
func (b *Box) watchMemory() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.over:
			return
		case <-tick.C:
			if resident(b.pid) > b.spec.Limits.MemoryBytes {
				b.tell(Event{Kind: Limit, Name: "memory"})
				b.kill()
				return
			}
		}
	}
}

// resident adds up what the descendants of process 1 hold in memory. All
// orphans are its children. Pages that several map count several times.
func resident(first int) (bytes int64) {
	left, seen := children(first), 0
	for len(left) > 0 && seen < 4096 {
		pid := left[len(left)-1]
		left = left[:len(left)-1]
		seen++
		var size, pages int64
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)); err == nil {
			_, _ = fmt.Sscan(string(text), &size, &pages)
		}
		bytes += pages * int64(unix.Getpagesize())
		left = append(left, children(pid)...)
	}
	return bytes
}

// children are listed by the thread that forked them.
func children(pid int) (all []int) {
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range threads {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for _, field := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(field); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}
