package benchtable

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Insert replaces what stands in a document between the comment that holds mark
// and the next comment "end of table".
func Insert(file, mark, table string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := []byte("<!-- "+mark+" -->\n"), []byte("<!-- end of table -->\n")
	before, rest, ok := bytes.Cut(b, begin)
	_, after, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks for %q", file, mark)
	}
	return os.WriteFile(file, fmt.Appendf(nil, "%s%s\n%s\n%s%s", before, begin, table, end, after), 0o644)
}

// Machine says when and on what figures were taken.
func Machine() string {
	return fmt.Sprintf("%s. %s, %d processors%s, %s/%s; %s", time.Now().UTC().Format(time.DateOnly),
		cmp.Or(proc("/proc/cpuinfo", "model name"), "unknown processor"), runtime.NumCPU(), load(), runtime.GOOS, runtime.GOARCH,
		runtime.Version())
}

// proc returns the first value of a name in a file of lines "name : value".
func proc(file, name string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// load says how busy the machine was, this program included.
func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	if one, _, ok := strings.Cut(string(b), " "); ok {
		return ", load average " + one
	}
	return ""
}
