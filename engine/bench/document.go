package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Marks between which a document holds the table.
const (
	begin = "<!-- table of make bench -->\n"
	end   = "<!-- end of table -->\n"
)

// insert replaces what stands between the marks of a document.
func insert(file, table string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(b, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks for the table", file)
	}
	return os.WriteFile(file, fmt.Appendf(nil, "%s%s\n%s\n%s%s", before, begin, table, end, after), 0o644)
}

// machine says what the figures were taken with.
func machine() string {
	return fmt.Sprintf("%s. %s, %d processors%s, %s/%s; %s; guests by %s and %s.", time.Now().UTC().Format(time.DateOnly),
		cmp.Or(proc("/proc/cpuinfo", "model name"), "unknown processor"), runtime.NumCPU(), load(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), toolchain("c"), toolchain("rust"))
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
