package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
)

// cpuOf is the processor time that the program has used so far, in user and
// kernel mode, by all of its threads (proc(5), stat). The kernel counts it
// exactly and shows it in hundredths of a second.
func cpuOf(p *doors.Process) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.ID()))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("proc: stat is too short")
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// rss is a program's resident memory in bytes.
func rss(p *doors.Process) (float64, error) {
	now, _, err := p.Memory()
	return float64(now), err
}
